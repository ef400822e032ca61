import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { Index } from "../../src/engine/index.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";
import { Clock } from "../model/support/machine.ts";

const KEYS = 40_000;

function keyOf(i: number): string {
  return `key:${String((i * 7919) % KEYS).padStart(6, "0")}`;
}

const ALL = Array.from({ length: KEYS }, (_, i) => keyOf(i)).sort();

/** A store, and how many keys each step in the background has looked at. */
async function prepared(): Promise<{ store: KvStore; clock: Clock; steps: number[] }> {
  const platform = new MemoryPlatform();
  const clock = new Clock();
  const steps: number[] = [];
  platform.startTimer = (delayMs, action) =>
    clock.startTimer(delayMs, () => {
      const keys = keysIn(action);
      if (delayMs === 1) steps.push(keys);
    });
  const store = await KvStore.openOn(platform, "/s", { durability: "write", compaction: { auto: false } });
  await store.batch(ALL.map((_, i) => ({ type: "set", key: keyOf(i), value: i })));
  return { store, clock, steps };
}

/** How many keys of indexes `action` looks at, some of them several times. */
function keysIn(action: () => void): number {
  let keys = 0;
  const { keyOf } = Index.prototype;
  Index.prototype.keyOf = function (ref) {
    keys++;
    return keyOf.call(this, ref);
  };
  try {
    action();
  } finally {
    Index.prototype.keyOf = keyOf;
  }
  return keys;
}

/** How many steps there are while `action` runs. */
function countSteps(steps: number[], action: () => void): number {
  const before = steps.length;
  action();
  return steps.length - before;
}

Deno.test("ordering: first ranges do not wait for the order of all keys, which is made in small steps behind them", async () => {
  const { store, clock, steps } = await prepared();
  const iterator = store.keys({ prefix: "key:0001", reverse: true })[Symbol.iterator]();
  assertEquals(iterator.next().value, "key:000199");
  using snapshot = store.snapshot();
  store.set("key:000199x", 1);
  store.delete("key:000198");
  // While it is being made, and behind it, everybody sees what is his.
  for (let i = 0; i < 3; i++) {
    assertEquals([...store.keys({ prefix: "key:00019", limit: 3, reverse: true })], [
      "key:000199x",
      "key:000199",
      "key:000197",
    ]);
    assertEquals([...snapshot.keys({ gt: "key:000197", limit: 2 })], ["key:000198", "key:000199"]);
    clock.pass(10);
    assert(i > 0 || (steps.length > 0 && steps.length <= 10), `${steps.length} steps`);
    clock.pass(1000);
  }
  // It was sorted and merged in many small steps, and is done.
  assert(steps.length > KEYS / 2048 && Math.max(...steps) <= 4096, `${steps}`);
  assertEquals(countSteps(steps, () => clock.pass(1000)), 0);
  assertEquals([...iterator as Iterable<unknown>].slice(0, 2), ["key:000198", "key:000197"]);
  assertEquals([...snapshot.keys()], ALL);
  assertEquals([...store.keys()], [...ALL, "key:000199x"].filter((key) => key !== "key:000198").sort());
  await store.close();
});

Deno.test("ordering: who asks again and again, or for everything, gets the order at once, and the steps end", async () => {
  for (const range of [{ prefix: "key:0001" }, {}]) {
    const { store, clock, steps } = await prepared();
    const wanted = ALL.filter((key) => key.startsWith(range.prefix ?? ""));
    for (let i = 0; i < 20; i++) assertEquals([...store.keys(range)], wanted);
    clock.pass(10);
    assertEquals(countSteps(steps, () => clock.pass(1000)), 0);
    await store.close();
  }
});

Deno.test("ordering: behind a clear nobody sees the keys from before it, and closing ends the steps", async () => {
  const { store, clock, steps } = await prepared();
  const [first] = store.keys({ limit: 1 });
  assertStrictEquals(first, ALL[0]);
  const rest = store.keys({ gte: "key:03999", reverse: true });
  assertStrictEquals(rest.next().value, ALL.at(-1));
  await store.clear();
  assertEquals([...store.keys({ prefix: "key:" })], []);
  clock.pass(5);
  assertEquals([...rest], ALL.slice(-10, -1).toReversed());
  await store.close();
  assertEquals(countSteps(steps, () => clock.pass(1000)), 0);
});
