/**
 * An event log: events are keys in order, and a consumer follows them, first those that it missed, then those to come.
 * It notes how far it has got, so that nothing is missed over restarts.
 *
 * Run it twice: `deno run --allow-read --allow-write event_log.ts`
 */
import { KvStore } from "@kvstore/kvstore";

const PREFIX = "event:";
/** The key of the event that was handled last. */
const HANDLED = "handled";

await using store = await KvStore.open("./events");

await append("ordered");
const consumer = consume();
await append("paid");
await consumer;
// Nobody listens any more. The next run begins with this one.
await append("sent");

/** Appends an event: what stands between looking for the last number and `set` is one turn, so nobody comes between. */
async function append(what: string): Promise<void> {
  const [last] = store.keys({ prefix: PREFIX, reverse: true, limit: 1 }) as Iterable<string>;
  const number = last === undefined ? 1 : Number(last.slice(PREFIX.length)) + 1;
  // With leading zeros the order of keys is that of numbers.
  await store.set(PREFIX + String(number).padStart(9, "0"), what);
}

async function consume(): Promise<void> {
  // Begun before the store is read, so that nothing falls between the two. What both show is handled once.
  await using changes = store.watch({ prefix: PREFIX });
  for (const [key, what] of store.entries({ prefix: PREFIX, gt: lastHandled() })) await handle("missed", key, what);
  for await (const change of changes) {
    if (change.type !== "set" || change.key <= lastHandled()) continue;
    await handle("heard of", change.key, change.value);
    if (change.value === "paid") return;
  }
}

/** Does what is to be done, and notes it then: a crash in between has the event handled once more, never not at all. */
async function handle(how: string, key: string | Uint8Array, what: unknown): Promise<void> {
  console.log(`${how} ${key}: ${what}`);
  await store.set(HANDLED, key);
}

function lastHandled(): string {
  return (store.get(HANDLED) as string | undefined) ?? PREFIX;
}
