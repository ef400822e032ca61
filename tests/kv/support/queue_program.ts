/**
 * A program with a queue, which is killed at any moment: `DIRECTORY LOG FIRST`. It enqueues messages from a number on, and
 * says in the log what came of which. A line is in the log once it is written, whatever happens to the process.
 *
 * @module
 */
import { openKv } from "../../../src/kv/mod.ts";

const [directory, log, first] = Deno.args as [string, string, string];
const note = (what: string, i: number) => Deno.writeTextFileSync(log, `${what} ${i}\n`, { append: true, create: true });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const kv = await openKv(directory);
console.error = () => {};
void kv.listenQueue(async (i: number) => {
  note("begun", i);
  await sleep(Math.random() * 50);
  if (i % 4 === 3 || Math.random() < 0.2) {
    note("failed", i);
    throw new Error("injected");
  }
  // What is committed after a message was removed lasts no longer than its removal.
  setTimeout(() => void kv.set(["done", i], i).then(() => note("done", i)));
});
for (let i = Number(first);; i++) {
  const options = { backoffSchedule: [5, 5, 5], keysIfUndelivered: [["u", i]], delay: Math.random() * 20 };
  await kv.atomic().set(["enqueued"], i).enqueue(i, options).commit();
  note("enqueued", i);
  await sleep(Math.random() * 10);
}
