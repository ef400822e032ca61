/** Keys that expire. Time passes when the case says so. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Key, KvStore, SetOptions, Value } from "../../mod.ts";
import type { Case, Context } from "./support/context.ts";
import { bytes, contents, SMALL } from "./support/helpers.ts";

/** When a case begins: some time in 2027. */
export const START = 1_800_000_000_000;

/** Opens a store at `START`. */
export async function openAt(context: Context, options = {}): Promise<KvStore> {
  context.clock.nowMs = START;
  return await context.open(options);
}

/** Sets keys that expire after so long, enough for some segments of 4 KiB. */
export async function fillExpiring(store: KvStore, ttl: number, count = 100): Promise<void> {
  const value = "v".repeat(100);
  await Promise.all(Array.from({ length: count }, (_, i) => store.set(`expiring ${i}`, value, { ttl })));
}

/** What every way of asking says of a key: whether it is there. All of them have to agree. */
function isThere(store: KvStore, key: Key): boolean {
  const answers = [
    store.has(key),
    store.get(key) !== undefined,
    store.getMany([key])[0] !== undefined,
    [...store.keys({ gte: key, lte: key })].length === 1,
    [...store.values({ gte: key, lte: key })].length === 1,
    [...store.entries({ gte: key, lte: key })].length === 1,
  ];
  const [first] = answers;
  assert(answers.every((answer) => answer === first), `calls disagree: ${answers}`);
  return first!;
}

export const expiryCases: Case[] = [
  {
    name: "expiry: a key is there until its time has come, and then no call sees it, to the millisecond",
    async run(context) {
      const store = await openAt(context);
      await store.set("stays", 1);
      await store.set("goes", 2, { ttl: 1000 });
      await store.set("named", 3, { expiresAt: START + 2000 });
      assertEquals(store.expiresAt("goes"), START + 1000);
      assertEquals(store.expiresAt("named"), START + 2000);
      assertEquals([store.expiresAt("stays"), store.expiresAt("never")], [undefined, undefined]);
      // So that the block that they are in is read whole, and kept.
      await store.set("filling", "v".repeat(10_000));
      for (const [ms, there] of [[999, 4], [1000, 3], [1999, 3], [2000, 2], [1e9, 2]] as const) {
        context.clock.nowMs = START + ms;
        assertEquals(store.size, there, `after ${ms} ms`);
        assertEquals(isThere(store, "goes"), ms < 1000);
        assertEquals(isThere(store, "named"), ms < 2000);
        assert(isThere(store, "stays"));
        assertEquals([...store].length, there);
        assertEquals(store.stats().keys, there);
        assertEquals(store.expiresAt("goes"), ms < 1000 ? START + 1000 : undefined);
      }
      assertEquals([...(await context.reopen(store)).keys()], ["filling", "stays"]);
    },
  },
  {
    name: "expiry: a later set replaces it, or takes it away",
    async run(context) {
      const store = await openAt(context);
      await store.set("later", 1, { ttl: 1000 });
      await store.set("sooner", 1, { ttl: 1000 });
      await store.set("for good", 1, { ttl: 1000 });
      await store.set("again", 1, { ttl: 1000 });
      await store.set("later", 2, { ttl: 5000 });
      await store.set("sooner", 2, { ttl: 10 });
      await store.set("for good", 2);
      context.clock.nowMs = START + 1000;
      assertEquals(contents(store), [["for good", 2], ["later", 2]]);
      await store.set("again", 3, { ttl: 500 });
      await store.set("sooner", 3);
      assertEquals(store.size, 4);
      context.clock.nowMs = START + 5000;
      assertEquals(contents(store), [["for good", 2], ["sooner", 3]]);
      assertEquals(contents(await context.reopen(store)), [["for good", 2], ["sooner", 3]]);
    },
  },
  {
    name: "expiry: in a batch, each operation by itself, and all as of one time",
    async run(context) {
      const store = await openAt(context);
      await store.batch([
        { type: "set", key: "a", value: 1, ttl: 10 },
        { type: "set", key: "b", value: 1, expiresAt: START + 20 },
        { type: "set", key: "c", value: 1 },
        { type: "set", key: "d", value: 1, ttl: 10 },
        { type: "set", key: "d", value: 2 },
        { type: "set", key: "e", value: 1, ttl: 10 },
        { type: "delete", key: "e" },
      ]);
      assertEquals(["a", "b", "c", "d", "e"].map((key) => store.expiresAt(key)), [
        START + 10,
        START + 20,
        undefined,
        undefined,
        undefined,
      ]);
      context.clock.nowMs = START + 10;
      assertEquals([...store.keys()], ["b", "c", "d"]);
      context.clock.nowMs = START + 20;
      assertEquals([...store.keys()], ["c", "d"]);
    },
  },
  {
    name: "expiry: a time that is past leaves the key absent, and what was there before gone",
    async run(context) {
      const store = await openAt(context);
      await store.set("a", 1);
      await store.set("a", 2, { expiresAt: START });
      await store.set("b", 2, { expiresAt: 0 });
      await store.batch([{ type: "set", key: "c", value: 1, expiresAt: 1 }, { type: "delete", key: "c" }]);
      assertEquals([store.size, isThere(store, "a"), isThere(store, "b"), isThere(store, "c")], [
        0,
        false,
        false,
        false,
      ]);
      assertEquals(contents(await context.reopen(store)), []);
    },
  },
  {
    name: "expiry: a key that has expired is not there to be deleted; a tombstone is written all the same, once",
    async run(context) {
      const store = await openAt(context);
      await store.set("a", 1, { ttl: 1 });
      await store.set("b", 1, { ttl: 1 });
      context.clock.nowMs = START + 1;
      assertEquals(await store.delete("a"), false);
      await store.batch([{ type: "delete", key: "b" }]);
      assertEquals(await store.delete("a"), false);
      await store.batch([{ type: "delete", key: "b" }]);
      for (const key of ["a", "b"]) {
        assertEquals((await store.history(key)).map(({ type }) => type), ["delete", "set"]);
      }
      await store.set("a", 2);
      assertEquals(await store.delete("a"), true);
      assertEquals(store.size, 0);
    },
  },
  {
    name: "expiry: ttl is more than 0, rounded up; mistakes are refused before anything is written",
    async run(context) {
      const store = await openAt(context);
      await store.set("a", 1, { ttl: 0.2 });
      assertEquals(store.expiresAt("a"), START + 1);
      await store.set("far", 1, { ttl: 2 ** 52 });
      await store.set("farthest", 1, { expiresAt: Number.MAX_SAFE_INTEGER });
      assertEquals([store.expiresAt("far"), store.expiresAt("farthest")], [START + 2 ** 52, Number.MAX_SAFE_INTEGER]);
      const { lastSequence } = store.stats();
      const wrong: [SetOptions, typeof TypeError | typeof RangeError][] = [
        [{ ttl: 1, expiresAt: 1 }, TypeError],
        [{ ttl: "1" as unknown as number }, TypeError],
        [{ expiresAt: new Date() as unknown as number }, TypeError],
        [{ ttl: null as unknown as number }, TypeError],
        ...[0, -1, NaN, Infinity, 2 ** 53].map((ttl): [SetOptions, typeof RangeError] => [{ ttl }, RangeError]),
        ...[-1, 0.5, NaN, Infinity, 2 ** 53].map((
          at,
        ): [SetOptions, typeof RangeError] => [{ expiresAt: at }, RangeError]),
      ];
      for (const [options, type] of wrong) {
        await assertRejects(() => store.set("b", 1, options), type);
        await assertRejects(() => store.batch([{ type: "set", key: "b", value: 1, ...options }]), type);
      }
      await assertRejects(() => store.delete("a", { ttl: 1 } as object), TypeError);
      await assertRejects(() => store.batch([], { ttl: 1 } as object), TypeError);
      assertEquals(store.stats().lastSequence, lastSequence);
    },
  },
  {
    name: "expiry: a snapshot and an iterator keep what was there when they were taken, and nothing that was not",
    async run(context) {
      const store = await openAt(context, SMALL);
      await store.set("old", 0, { ttl: 1 });
      for (const key of ["a", "b", "c"]) await store.set(key, key, { ttl: 10 });
      context.clock.nowMs = START + 1;
      using before = store.snapshot();
      const iterator = store.keys();
      assertEquals(iterator.next().value, "a");
      context.clock.nowMs = START + 10;
      assertEquals(store.size, 0);
      using after = store.snapshot();
      await store.set("a", "again");
      await store.compact();
      await store.set("b", "again", { ttl: 10 });
      assertEquals([...iterator], ["b", "c"]);
      assertEquals([before.size, after.size, store.size], [3, 0, 2]);
      assertEquals(contents(before), ["a", "b", "c"].map((key): [Key, Value] => [key, key]));
      assertEquals([before.get("a"), before.has("old"), before.expiresAt("c")], ["a", false, START + 10]);
      assertEquals([contents(after), after.expiresAt("c"), after.has("c")], [[], undefined, false]);
      context.clock.nowMs = START + 1e6;
      assertEquals(before.getMany(["a", bytes("b"), "c", "old"]), ["a", "b", "c", undefined]);
    },
  },
  {
    name: "expiry: a snapshot keeps the times of its keys when nothing else expires any more, or expires at all",
    async run(context) {
      for (const change of ["set", "delete", "clear"] as const) {
        const store = await openAt(context, SMALL);
        await store.set("a", 1, { ttl: 10 });
        using snapshot = store.snapshot();
        using later = store.snapshot();
        if (change === "clear") await store.clear();
        else if (change === "delete") await store.delete("a");
        else await store.set("a", 2);
        const times = () => [snapshot, later, store].map((reader) => reader.expiresAt("a"));
        assertEquals(times(), [START + 10, START + 10, undefined], change);
        await store.set("b", 1, { ttl: 20 });
        assertEquals(times(), [START + 10, START + 10, undefined], change);
        assertEquals([store.expiresAt("b"), later.expiresAt("b")], [START + 20, undefined]);
        await store.delete("b");
        await store.close();
        const again = await context.open(SMALL);
        assertEquals(again.expiresAt("a"), undefined);
        await again.clear();
        await again.set("c", 1, { ttl: 5 });
        await again.close();
        const reopened = await context.open(SMALL);
        assertEquals(reopened.expiresAt("c"), START + 5, "its table is not read yet");
        using unexpired = reopened.snapshot();
        context.clock.nowMs = START + 5;
        assertEquals([reopened.size, unexpired.expiresAt("c")], [0, START + 5]);
        await reopened.clear();
        await reopened.close();
      }
    },
  },
];
