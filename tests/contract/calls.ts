/** Reading and writing: what each call returns and does. */

import { assertEquals, assertNotEquals } from "@std/assert";
import type { Case } from "./support/context.ts";
import { assertThrowsCode, contents, locate, SMALL } from "./support/helpers.ts";

export const callCases: Case[] = [
  {
    name: "get: the value that was set, undefined for a key that was not",
    async run(context) {
      const store = await context.open();
      await store.set("user:1", { name: "Ada" });
      assertEquals(store.get("user:1"), { name: "Ada" });
      assertEquals(store.get("user:2"), undefined);
    },
  },
  {
    name: "get: whichever bit of its record has flipped, it is CORRUPT",
    async run(context) {
      const store = await context.open();
      await store.set("a", "before");
      await store.set("key", "value");
      await store.set("b", "behind");
      const { name, offset } = locate(context, "keyvalue");
      const start = offset - 24;
      const record = context.readFile(name).slice(start, offset + "keyvalue".length);
      for (let bit = 0; bit < 8 * record.length; bit++) {
        const bytes = record.slice();
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        context.overwrite(name, start, bytes);
        assertThrowsCode(() => store.get("key"), "CORRUPT");
        assertEquals(store.get("b"), "behind");
      }
      context.overwrite(name, start, record);
      assertEquals(store.get("key"), "value");
    },
  },
  {
    name: "set: replaces the former value, whatever its type",
    async run(context) {
      const store = await context.open();
      for (const value of ["text", 1, null, [true], Uint8Array.of(1), "again"]) {
        await store.set("a", value);
        assertEquals(store.get("a"), value);
      }
      assertEquals(store.size, 1);
    },
  },
  {
    name: "set: is resolved with undefined and survives a reopening",
    async run(context) {
      const store = await context.open();
      assertEquals(await store.set("a", 1), undefined);
      assertEquals(contents(await context.reopen(store)), [["a", 1]]);
    },
  },
  {
    name: "set, delete: a call that is refused settles in its turn, before those that came later",
    async run(context) {
      const store = await context.open();
      const settled: string[] = [];
      const refused = store.set("a", undefined as unknown as string).catch(() => settled.push("refused"));
      const done = store.delete("nothing").then(() => settled.push("done"));
      await Promise.all([refused, done]);
      assertEquals(settled, ["refused", "done"]);
    },
  },
  {
    name: "getMany: values in the order of the keys asked for, undefined where there is none, any iterable",
    async run(context) {
      const store = await context.open();
      await store.batch([{ type: "set", key: "a", value: 1 }, { type: "set", key: "b", value: 2 }]);
      assertEquals(store.getMany(["b", "x", "a", "b"]), [2, undefined, 1, 2]);
      assertEquals(store.getMany(new Set(["a"])), [1]);
      assertEquals(store.getMany([]), []);
    },
  },
  {
    name: "has: tells a key with the value null or undefined-like from one that is not there",
    async run(context) {
      const store = await context.open();
      for (const [key, value] of [["null", null], ["empty", ""], ["zero", 0], ["bytes", new Uint8Array(0)]] as const) {
        await store.set(key, value);
        assertEquals(store.has(key), true);
        assertEquals(store.get(key), value);
      }
      assertEquals(store.has("other"), false);
    },
  },
  {
    name: "has: never reads a record",
    async run(context) {
      const store = await context.open();
      await store.set("a", 1);
      const reads = context.platform.countOf("read");
      assertEquals([store.has("a"), store.has("b")], [true, false]);
      assertEquals(context.platform.countOf("read"), reads);
      store.get("a");
      assertNotEquals(context.platform.countOf("read"), reads);
    },
  },
  {
    name: "size: counts keys through sets, overwrites, deletes, batches and clear",
    async run(context) {
      const store = await context.open();
      const sizes = [store.size];
      const note = async (write: Promise<unknown>) => {
        sizes.push(store.size);
        await write;
        sizes.push(store.size);
      };
      await note(store.set("a", 1));
      await note(store.set("a", 2));
      await note(store.batch([{ type: "set", key: "b", value: 1 }, { type: "delete", key: "a" }]));
      await note(store.delete("x"));
      await note(store.set("c", 1));
      await note(store.clear());
      assertEquals(sizes, [0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 0, 0]);
    },
  },
  {
    name: "delete: resolves to whether the key was there",
    async run(context) {
      const store = await context.open();
      await store.set("a", 1);
      assertEquals(await store.delete("a"), true);
      assertEquals(store.get("a"), undefined);
      assertEquals(await store.delete("a"), false);
      assertEquals(await store.delete("never"), false);
    },
  },
  {
    name: "delete: pending writes count",
    async run(context) {
      const store = await context.open();
      const results = [store.delete("a"), store.set("a", 1), store.delete("a"), store.delete("a"), store.set("a", 2)];
      assertEquals(await Promise.all(results), [false, undefined, true, false, undefined]);
      assertEquals(store.get("a"), 2);
    },
  },
  {
    name: "delete: a deleted key stays deleted through reopenings",
    async run(context) {
      let store = await context.open();
      await store.set("a", 1);
      await store.set("b", 1);
      await store.delete("a");
      for (let i = 0; i < 3; i++) {
        store = await context.reopen(store);
        assertEquals(contents(store), [["b", 1]]);
      }
    },
  },
  {
    name: "delete: writes a tombstone for a key that was there, and nothing for one that was not",
    async run(context) {
      const store = await context.open(SMALL);
      await store.set("a", 1);
      const before = store.stats();
      await store.delete("x");
      assertEquals(store.stats(), before);
      await store.delete("a");
      assertEquals(store.stats().tombstoneBytes, 25);
      assertEquals(store.stats().lastSequence > before.lastSequence, true);
    },
  },
  {
    name: "delete: a batch that deletes a key twice writes one tombstone",
    async run(context) {
      const store = await context.open(SMALL);
      await store.set("a", 1);
      await store.batch([{ type: "delete", key: "a" }, { type: "delete", key: "a" }]);
      assertEquals(store.stats().tombstoneBytes, 25);
      assertEquals(store.has("a"), false);
    },
  },
  {
    name: "reading calls are synchronous, and throw CLOSED after close",
    async run(context) {
      const store = await context.open();
      await store.set("a", 1);
      const snapshot = store.snapshot();
      await store.close();
      const calls = [store, snapshot].flatMap((reader) => [
        () => reader.get("a"),
        () => reader.getMany(["a"]),
        () => reader.has("a"),
        () => reader.size,
        () => reader.keys(),
        () => reader.values(),
        () => reader.entries(),
        () => reader[Symbol.iterator](),
      ]);
      for (const call of calls) assertThrowsCode(call, "CLOSED");
      assertThrowsCode(() => store.snapshot(), "CLOSED");
      assertThrowsCode(() => store.stats(), "CLOSED");
    },
  },
  {
    name: "a value whose toJSON reads the store is stored under its own key",
    async run(context) {
      const store = await context.open();
      await store.set("counter", 7);
      await store.set("a", { toJSON: () => ({ counter: store.get("counter") as number }) });
      assertEquals(contents(store), [["a", { counter: 7 }], ["counter", 7]]);
    },
  },
  {
    name: "a value whose toJSON writes to the store harms neither write",
    async run(context) {
      const store = await context.open();
      const inner: Promise<void>[] = [];
      await store.set("outer", { toJSON: () => (inner.push(store.set("inner", 1)), "out") });
      await Promise.all(inner);
      assertEquals(contents(store), [["inner", 1], ["outer", "out"]]);
    },
  },
  {
    name: "a value whose toJSON closes the store is refused, or there after reopening",
    async run(context) {
      for (const inBatch of [false, true]) {
        const store = await context.open();
        const closing: Promise<void>[] = [];
        const value = { toJSON: () => (closing.push(store.close()), "late") };
        const write = inBatch ? store.batch([{ type: "set", key: "b", value }]) : store.set("a", value);
        const outcome = await write.then(() => "done", (error) => error.code);
        await Promise.all(closing);
        const again = await context.open();
        assertEquals(
          [outcome, again.has(inBatch ? "b" : "a")],
          outcome === "done" ? ["done", true] : ["CLOSED", false],
        );
        await again.close();
      }
    },
  },
  {
    name: "a batch stays all or nothing when a value's toJSON writes to the store",
    async run(context) {
      const store = await context.open();
      const inner: Promise<void>[] = [];
      const write = { toJSON: () => (inner.push(store.set("inner", 1)), 1) };
      const batch = store.batch([
        { type: "set", key: "first", value: 1 },
        { type: "set", key: "second", value: write },
        { type: "set", key: "third", value: { toJSON: () => undefined } },
      ]);
      const refused = await batch.then(() => false, () => true);
      await Promise.all(inner);
      assertEquals(refused, true);
      assertEquals(contents(store), [["inner", 1]]);
    },
  },
];
