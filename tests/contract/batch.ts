/** Batches and clear. */

import { assert, assertEquals } from "@std/assert";
import type { BatchOperation } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import { assertRefused, bytes, contents, MANUAL, SMALL, turns } from "./support/helpers.ts";

const MEBIBYTE = 1024 * 1024;

function sets(count: number, value: Uint8Array | string | number = 1): BatchOperation[] {
  return Array.from({ length: count }, (_, i) => ({ type: "set", key: `key ${i}`, value }));
}

export const batchCases: Case[] = [
  {
    name: "batch: operations take effect in their order",
    async run(context) {
      const store = await context.open();
      await store.set("old", 1);
      await store.batch([
        { type: "set", key: "a", value: 1 },
        { type: "set", key: "b", value: 2 },
        { type: "delete", key: "a" },
        { type: "delete", key: "old" },
        { type: "delete", key: "never" },
        { type: "set", key: "b", value: 3 },
        { type: "delete", key: bytes("c") },
        { type: "set", key: bytes("c"), value: 4 },
      ]);
      const expected = [["b", 3], [bytes("c"), 4]];
      assertEquals(contents(store), expected as typeof expected & [string, number][]);
      assertEquals(contents(await context.reopen(store)), expected as [string, number][]);
    },
  },
  {
    name: "batch: is visible as a whole at once, and takes any iterable",
    async run(context) {
      const store = await context.open();
      const write = store.batch(new Set(sets(3)));
      assertEquals(store.size, 3);
      await write;
      assertEquals(store.size, 3);
    },
  },
  {
    name: "batch: an empty one, and one of deletes of missing keys, write nothing",
    async run(context) {
      const store = await context.open();
      await store.set("a", 1);
      const before = store.stats();
      assertEquals(await store.batch([]), undefined);
      await store.batch([{ type: "delete", key: "x" }, { type: "delete", key: "y" }]);
      assertEquals(store.stats(), before);
    },
  },
  {
    name: "batch: a mistake in the middle leaves nothing of it, and the next write is whole",
    async run(context) {
      const store = await context.open();
      await store.set("a", 1);
      const before = store.stats();
      const wrong: [unknown, string][] = [
        [{ type: "set", key: "\uD800", value: 1 }, "surrogate"],
        [{ type: "set", key: 1, value: 1 }, "key"],
        [{ type: "set", key: "k", value: 1n }, "value"],
        [{ type: "set", key: "k" }, "undefined"],
        [{ type: "put", key: "k", value: 1 }, '"set" or "delete"'],
        [{ key: "k" }, "type"],
        [null, "type"],
        ["set", "type"],
        [{ type: "set", key: "k", value: 1, durability: "sync" }, "durability"],
        [{ type: "set", key: "k", value: 1, ttl: "5" }, "ttl"],
        [{ type: "delete", key: "k", ttl: 5 }, "ttl"],
        [{ type: "delete", key: "k", value: 1 }, "value"],
      ];
      for (const [operation, message] of wrong) {
        const middle = operation as BatchOperation;
        const operations: BatchOperation[] = [{ type: "delete", key: "a" }, ...sets(2), middle, ...sets(2)];
        await assertRefused(() => store.batch(operations), TypeError, message);
      }
      assertEquals(store.stats(), before);
      await store.set("b", 2);
      assertEquals(contents(await context.reopen(store)), [["a", 1], ["b", 2]]);
    },
  },
  {
    name: "batch: what is no iterable, and an iterable that throws, reject and do not throw",
    async run(context) {
      const store = await context.open();
      await assertRefused(() => store.batch(null as unknown as []), TypeError);
      await assertRefused(() => store.batch(5 as unknown as []), TypeError);
      const failing = function* (): Generator<BatchOperation> {
        yield { type: "set", key: "a", value: 1 };
        throw new RangeError("mine");
      };
      await assertRefused(() => store.batch(failing()), RangeError, "mine");
      assertEquals(store.size, 0);
    },
  },
  {
    name: "batch: 2^20 operations are taken, one more is refused, with the limit in the message",
    isCostly: true,
    async run(context) {
      const store = await context.open(MANUAL);
      const operation: BatchOperation = { type: "set", key: "a", value: 1 };
      const operations = new Array<BatchOperation>(2 ** 20).fill(operation);
      await store.batch(operations);
      operations.push(operation);
      await assertRefused(() => store.batch(operations), RangeError, "1048576");
      const endless = function* () {
        for (;;) yield operation;
      };
      await assertRefused(() => store.batch(endless()), RangeError, "1048576");
      assertEquals(contents(store), [["a", 1]]);
      await store.clear();
      await store.compact();
    },
  },
  {
    name: "batch: 64 MiB encoded are the limit, which the message names",
    async run(context) {
      const store = await context.open(MANUAL);
      await assertRefused(() => store.batch(sets(65, new Uint8Array(MEBIBYTE))), RangeError, "67108864");
      assertEquals([store.size, store.stats().pendingBytes], [0, 0]);
      await store.batch(sets(63, new Uint8Array(MEBIBYTE)));
      assertEquals(store.size, 63);
      await store.clear();
      await store.compact();
    },
  },
  {
    name: "batch: one larger than a segment lies in a segment of its own",
    async run(context) {
      let store = await context.open(SMALL);
      await store.set("before", 1);
      await store.batch(sets(100, "v".repeat(100)));
      await store.set("z after", 1);
      assertEquals(store.stats().segments, 3);
      store = await context.reopen(store, SMALL);
      assertEquals(store.size, 102);
      await store.compact();
      assertEquals(store.size, 102);
    },
  },
  {
    name: "batch: cut off by the death of the process it is gone as a whole",
    async run(context) {
      let store = await context.open(MANUAL);
      await store.set("a", 1);
      let part = 60;
      context.platform.onOperation = ({ kind, path }) => {
        if (kind !== "write" || !path.endsWith(".seg")) return;
        if (part === 0) context.platform.kill();
        const limit = part;
        part = 0;
        return limit;
      };
      store.batch([{ type: "delete", key: "a" }, ...sets(5)]).catch(() => {});
      await turns(1);
      store = await context.reopenAfterKill(MANUAL);
      assertEquals(contents(store), [["a", 1]]);
      assertEquals(store.recovery.clean, false);
      assert(store.recovery.discardedBytes >= 60, `${store.recovery.discardedBytes}`);
    },
  },
  {
    name: "clear: removes every key with one record, ordered with the other writes",
    async run(context) {
      const store = await context.open(MANUAL);
      const writes: Promise<unknown>[] = [store.set("a", 1), store.set("b", 1), store.clear()];
      assertEquals(store.size, 0);
      writes.push(store.delete("a"), store.set("c", 1));
      assertEquals(contents(store), [["c", 1]]);
      assertEquals(await Promise.all(writes), [undefined, undefined, undefined, false, undefined]);
      assertEquals(store.stats().tombstoneBytes, 24);
      assertEquals(contents(await context.reopen(store)), [["c", 1]]);
    },
  },
  {
    name: "clear: keys set again after it are the new ones, through compactions and reopenings",
    async run(context) {
      let store = await context.open(SMALL);
      await store.batch(sets(100, "old"));
      await store.clear();
      await store.set("key 1", "new");
      for (let i = 0; i < 3; i++) {
        await store.compact();
        assertEquals(contents(store), [["key 1", "new"]]);
        store = await context.reopen(store, SMALL);
        assertEquals(contents(store), [["key 1", "new"]]);
      }
    },
  },
  {
    name: "clear: on an empty store is harmless",
    async run(context) {
      const store = await context.open();
      await store.clear();
      await store.clear();
      assertEquals(store.size, 0);
      assertEquals((await context.reopen(store)).size, 0);
    },
  },
];
