/**
 * Queues in processes of their own. One that is killed again and again loses no message, delivers none again that was
 * done, and none more often than its schedule says.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { verifyStore } from "../../mod.ts";
import { openKv } from "../../src/kv/mod.ts";
import { denoRun, processTest, run } from "../support/processes.ts";
import { IS_THOROUGH } from "../support/sweep.ts";

const ROUNDS = IS_THOROUGH ? 40 : 4;
/** One, and one for each time of the schedule. */
const MOST_ATTEMPTS = 4;

/** Delivers what is left, and lets it succeed. Returns it, with the messages that were given up. */
async function drain(directory: string): Promise<{ delivered: number[]; givenUp: number[] }> {
  await using kv = await openKv(directory);
  const delivered: number[] = [];
  const listener = kv.listenQueue((i: number) => void delivered.push(i));
  let before = -1;
  // Longer than any delay of the program.
  while (before !== delivered.length) {
    before = delivered.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const givenUp = (await Array.fromAsync(kv.list<number>({ prefix: ["u"] }))).map(({ value }) => value);
  kv.close();
  await listener;
  return { delivered, givenUp };
}

/** Starts the program, and kills it a while after it has begun to deliver. */
async function runAndKill(log: string, [program, ...args]: string[]): Promise<void> {
  const lengthOf = async () => (await Deno.stat(log).catch(() => ({ size: 0 }))).size;
  const before = await lengthOf();
  const child = new Deno.Command(program!, { args, stdout: "null", stderr: "piped" }).spawn();
  const [output, end] = [child.output(), Date.now() + 20_000];
  while (await lengthOf() === before) {
    assert(Date.now() < end, "it does not begin");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 200));
  child.kill("SIGKILL");
  const { signal, stderr } = await output;
  assertEquals(signal, "SIGKILL", new TextDecoder().decode(stderr));
}

await processTest("kv: a queue that is killed", async (root) => {
  const [directory, log] = [`${root}/store`, `${root}/log`];
  let first = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const command = denoRun("tests/kv/support/queue_program.ts", [directory, log, String(first)]);
    await runAndKill(log, command);
    assertEquals((await verifyStore(directory)).problems, []);
    const last = (await Deno.readTextFile(log)).matchAll(/^enqueued (\d+)$/gm);
    // One more may have been enqueued, that the log does not know of.
    first = Math.max(first, ...Array.from(last, ([, i]) => Number(i) + 2));
  }
  const lines = (await Deno.readTextFile(log)).trim().split("\n").map((line) => line.split(" ") as [string, string]);
  const { delivered, givenUp } = await drain(directory);
  const isDone = new Set<string>();
  const attempts = new Map<string, number>();
  /** A handler has had them, and has not failed. */
  const mayBeDone = new Set<string>();
  let cutOff = 0;
  for (const [what, i] of [...lines, ...delivered.map((i) => ["begun", String(i)] as const)]) {
    if (what === "begun") {
      assert(!isDone.has(i), `${i} is delivered, but was done`);
      attempts.set(i, (attempts.get(i) ?? 0) + 1);
      if (mayBeDone.has(i)) cutOff++;
      mayBeDone.add(i);
    }
    if (what === "failed") mayBeDone.delete(i);
    if (what === "done") isDone.add(i);
  }
  for (const [i, count] of attempts) assert(count <= MOST_ATTEMPTS, `${i} is delivered ${count} times`);
  for (const [what, i] of lines.filter(([what]) => what === "enqueued")) {
    const isKnown = isDone.has(i) || givenUp.includes(Number(i)) || delivered.includes(Number(i));
    assert(isKnown || mayBeDone.has(i), `${what} ${i}, which is lost`);
    assert(!(isDone.has(i) && givenUp.includes(Number(i))), `${i} is done and given up`);
  }
  assert(cutOff > 0, "no kill has come in mid-delivery");
  assert(isDone.size > 0, "nothing was done");
});

await processTest("kv: who listens keeps the process running, and who is closed does not", async () => {
  const { code, out, err } = await run(denoRun("tests/kv/support/queue_waiting.ts", []));
  assertEquals([code, out, err], [0, "got it\n", ""]);
});
