/** Calls that read and write in one step, that change an expiry alone, and that work on a range. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { KvStore } from "../../mod.ts";
import { openAt, START } from "./expiry.ts";
import type { Case } from "./support/context.ts";
import { assertCode, bytes, contents, failWrites, heal, MANUAL, turns } from "./support/helpers.ts";

const HOUR = 3_600_000;

async function filled(store: KvStore, names: string[]): Promise<KvStore> {
  await store.batch(names.map((key) => ({ type: "set", key, value: key.length })));
  return store;
}

export const oneStepCases: Case[] = [
  {
    name: "update: gets the present value, and what it returns is set, or deletes the key",
    async run(context) {
      let store = await context.open();
      const seen: unknown[] = [];
      const append = (letter: string) =>
        store.update("a", (value) => {
          seen.push(value);
          return `${value ?? ""}${letter}`;
        });
      assertEquals(await Promise.all([append("x"), append("y"), append("z")]), ["x", "xy", "xyz"]);
      assertEquals(seen, [undefined, "x", "xy"]);
      assertEquals(await store.update(bytes("a"), () => undefined), undefined);
      assertEquals(await store.update("none", () => undefined), undefined);
      assertEquals(await store.update("b", (value) => [value ?? null]), [null]);
      store = await context.reopen(store);
      assertEquals(contents(store), [["b", [null]]]);
    },
  },
  {
    name: "update: what fails changes nothing",
    async run(context) {
      const store = await filled(await context.open(), ["a"]);
      const failure = new Error("mine");
      const thrown = await assertRejects(() =>
        store.update("a", () => {
          throw failure;
        })
      );
      assert(thrown === failure);
      await assertRejects(() => store.update("a", (() => Promise.resolve(1)) as never), TypeError, "Promise");
      await assertRejects(() => store.update("a", () => 1, { ttll: 5 } as never), TypeError, '"ttll"');
      assertEquals(contents(store), [["a", 1]]);
      failWrites(context);
      await assertCode(store.update("a", () => 2), "IO");
      heal(context);
      assertEquals(contents(store), [["a", 1]]);
    },
  },
  {
    name: "update, increment: a key keeps its expiry, unless another one is given",
    async run(context) {
      const store = await openAt(context);
      await store.set("a", 1, { ttl: HOUR });
      await store.increment("a");
      await store.update("a", (value) => Number(value) * 10);
      assertEquals([store.get("a"), store.expiresAt("a")], [20, START + HOUR]);
      await store.increment("a", 1, { ttl: 2 * HOUR });
      assertEquals([store.get("a"), store.expiresAt("a")], [21, START + 2 * HOUR]);
      await store.update("a", () => 5, { expiresAt: START + 3 * HOUR });
      assertEquals(store.expiresAt("a"), START + 3 * HOUR);
      context.clock.nowMs = START + 3 * HOUR;
      assertEquals(await store.increment("a"), 1);
      assertEquals(store.expiresAt("a"), undefined);
    },
  },
  {
    name: "increment: adds to a number, and refuses what cannot be exact",
    async run(context) {
      const store = await filled(await context.open(), ["one"]);
      await store.set("text", "1");
      await store.set("most", Number.MAX_SAFE_INTEGER);
      const sums = await Promise.all([store.increment("n"), store.increment("n", 41), store.increment("n", -0.5)]);
      assertEquals(sums, [1, 42, 41.5]);
      assertEquals(await store.increment("one", 0), 3);
      await assertRejects(() => store.increment("text"), TypeError, "only a number can be incremented");
      await assertRejects(() => store.increment("n", "1" as never), TypeError, "an increment is a number");
      await assertRejects(() => store.increment("most"), RangeError, "2^53");
      await assertRejects(() => store.increment("n", Infinity), RangeError, "2^53");
      await assertRejects(() => store.increment("n", NaN), RangeError, "41.5 + NaN is no number");
      assertEquals([store.get("text"), store.get("most"), store.get("n")], ["1", Number.MAX_SAFE_INTEGER, 41.5]);
    },
  },
  {
    name: "touch, persist: change the expiry and not the value",
    async run(context) {
      let store = await openAt(context, MANUAL);
      const values = [bytes(0, 255), "text", "\ud800", { a: [1, null] }];
      for (const [i, value] of values.entries()) {
        const key = `key ${i}`;
        await store.set(key, value);
        assertEquals(await store.touch(key, { ttl: HOUR }), true);
        assertEquals([store.get(key), store.expiresAt(key)], [value, START + HOUR]);
        assertEquals(await store.touch(key, { expiresAt: START + 2 * HOUR }), true);
        assertEquals(await store.persist(key), true);
        assertEquals(await store.persist(key), false);
        if (i % 2 === 0) await store.touch(key, { ttl: 1 });
      }
      assertEquals([await store.touch("none", { ttl: 1 }), await store.persist("none")], [false, false]);
      for (const none of [{}, undefined]) {
        const touch = () => store.touch("key 1", none!);
        await assertRejects(touch, TypeError, "touch needs a ttl or an expiresAt");
      }
      context.clock.nowMs = START + 3 * HOUR;
      store = await context.reopen(store, MANUAL);
      assertEquals(contents(store), [["key 1", "text"], ["key 3", { a: [1, null] }]]);
      assertEquals(await store.touch("key 0", { ttl: HOUR }), false);
    },
  },
  {
    name: "getOrSet: makes the value of a key once for all who ask meanwhile",
    async run(context) {
      const store = await context.open() as KvStore<number[]>;
      let calls = 0;
      let finish = (_: number[]) => {};
      const make = () => {
        calls++;
        return new Promise<number[]>((resolve) => finish = resolve);
      };
      const asked = [store.getOrSet("a", make), store.getOrSet(bytes("a"), make), store.getOrSet("b", () => [2])];
      assertEquals(await asked[2], [2]);
      finish([1]);
      const [first, second] = await Promise.all(asked);
      assertEquals([first, second, calls, store.get("a")], [[1], [1], 1, [1]]);
      first!.push(5);
      assertEquals([second, await store.getOrSet("a", make), calls], [[1], [1], 1]);
    },
  },
  {
    name: "getOrSet: an error goes to all who wait, and the next call tries again",
    async run(context) {
      const store = await context.open() as KvStore<string>;
      const fail = () => Promise.reject(new Error("not now"));
      const asked = [store.getOrSet("a", fail), store.getOrSet("a", () => "unused")];
      for (const one of asked) await assertRejects(() => one, Error, "not now");
      assertEquals(await store.getOrSet("a", () => "made"), "made");
      await assertRejects(() => store.getOrSet("c", () => undefined as never), TypeError);
      await assertRejects(() => store.getOrSet("c", () => "x", { ttl: -1 }), RangeError);
      assertEquals(contents(store), [["a", "made"]]);
    },
  },
  {
    name: "getOrSet: what is set meanwhile stays; what has expired is made anew",
    async run(context) {
      const store = await openAt(context) as KvStore<string>;
      const value = await store.getOrSet("a", async () => {
        await store.set("a", "newer");
        return "older";
      }, { ttl: HOUR });
      assertEquals([value, store.get("a"), store.expiresAt("a")], ["newer", "newer", undefined]);
      await store.getOrSet("b", () => "first", { ttl: HOUR });
      context.clock.nowMs = START + HOUR;
      assertEquals(await store.getOrSet("b", () => "second"), "second");
    },
  },
  {
    name: "count: of a range, of a snapshot, without what has expired",
    async run(context) {
      const store = await openAt(context);
      await filled(store, ["a", "b:1", "b:2", "c"]);
      await store.set("b:3", 1, { ttl: HOUR });
      using before = store.snapshot();
      assertEquals([store.count(), store.count({ limit: 2 }), store.count({ prefix: "b:" })], [5, 2, 3]);
      assertEquals([store.count({ gt: "a", lte: "b:2" }), store.count({ gte: "b", limit: 1 })], [2, 1]);
      context.clock.nowMs = START + HOUR;
      await store.delete("b:1");
      assertEquals([store.count({ prefix: "b:" }), store.count(), store.count({ prefix: "x" })], [1, 3, 0]);
      assertEquals([before.count({ prefix: "b:" }), before.count()], [3, 5]);
    },
  },
  {
    name: "deleteRange: deletes what is in the range and nothing else, all at once",
    async run(context) {
      let store = await filled(await context.open(), ["a", "b:1", "b:2", "b:3", "c"]);
      await store.set(bytes("b:4"), 4);
      using before = store.snapshot();
      const position = store.lastSequence;
      const deleted = store.deleteRange({ prefix: "b:" });
      assertEquals(contents(store), [["a", 1], ["c", 1]]);
      await store.set("b:5", 1);
      assertEquals([await deleted, before.size], [4, 6]);
      assertEquals(await store.deleteRange({ prefix: "x" }), 0);
      assertEquals(await store.deleteRange({ reverse: true, limit: 1 }), 1);
      const watch = store.watch({ since: position });
      const changes = [];
      for (let i = 0; i < 6; i++) changes.push((await watch.next()).value);
      await watch.return();
      assertEquals(changes.map((change) => change?.type === "clear" ? undefined : change?.key), [
        ..."123".split("").map((digit) => `b:${digit}`),
        bytes("b:4"),
        "b:5",
        "c",
      ]);
      store = await context.reopen(store);
      assertEquals(contents(store), [["a", 1], ["b:5", 1]]);
    },
  },
  {
    name: "deleteRange: what fails deletes nothing",
    async run(context) {
      const store = await filled(await context.open(), ["a", "b"]);
      await assertRejects(() => store.deleteRange({ limit: -1 }), RangeError, "limit");
      await assertRejects(() => store.deleteRange({ from: "a" } as never), TypeError, '"from"');
      failWrites(context);
      await assertCode(store.deleteRange({}), "IO");
      heal(context);
      assertEquals(store.size, 2);
    },
  },
  {
    name: "deleteRange: cut off by the death of the process it has deleted nothing",
    async run(context) {
      let store = await filled(await context.open(MANUAL), ["a", "b", "c"]);
      let part = 40;
      context.platform.onOperation = ({ kind, path }) => {
        if (kind !== "write" || !path.endsWith(".seg")) return;
        if (part === 0) context.platform.kill();
        const limit = part;
        part = 0;
        return limit;
      };
      store.deleteRange({}).catch(() => {});
      await turns(1);
      store = await context.reopenAfterKill(MANUAL);
      assertEquals(store.size, 3);
      assert(store.recovery.discardedBytes >= 40, `${store.recovery.discardedBytes}`);
    },
  },
];
