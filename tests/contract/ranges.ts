/** Ranges: which keys keys(), values() and entries() visit. */

import { assertEquals, assertThrows } from "@std/assert";
import type { Key, KvStore, Range } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import { bytes } from "./support/helpers.ts";

const KEYS = ["", "a", "a\u0000", "aa", "ab", "b", "ba", "c", "é", "\uFFFF", "\u{10000}"];

async function setAll(store: KvStore): Promise<void> {
  await store.batch(KEYS.toReversed().map((key, i) => ({ type: "set", key, value: i })));
}

/** Compares as the contract says, by unsigned bytes. */
function compare(a: string, b: string): number {
  const [left, right] = [bytes(a), bytes(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return left[i]! - right[i]!;
  }
  return left.length - right.length;
}

/** What a range of string bounds means, said as simply as can be. */
function expected(range: Range): string[] {
  const { prefix, gt, gte, lt, lte } = range as Record<string, string | undefined>;
  const keys = KEYS.filter((key) =>
    (prefix === undefined || key.startsWith(prefix)) &&
    (gt === undefined || compare(key, gt) > 0) &&
    (gte === undefined || compare(key, gte) >= 0) &&
    (lt === undefined || compare(key, lt) < 0) &&
    (lte === undefined || compare(key, lte) <= 0)
  );
  if (range.reverse) keys.reverse();
  return keys.slice(0, range.limit);
}

export const rangeCases: Case[] = [
  {
    name: "ranges: every combination of bounds, reverse and limit is what filtering gives",
    async run(context) {
      const store = await context.open();
      await setAll(store);
      const bounds = [undefined, "", "a", "aa", "b", "é", "zz"];
      for (const lower of ["gt", "gte", "prefix"] as const) {
        for (const upper of ["lt", "lte"] as const) {
          for (const low of bounds) {
            for (const high of bounds) {
              for (const rest of [{}, { reverse: true }, { limit: 2 }, { reverse: true, limit: 3 }]) {
                const range: Range = { ...rest };
                if (low !== undefined) range[lower] = low;
                if (high !== undefined) range[upper] = high;
                assertEquals([...store.keys(range)], expected(range), JSON.stringify(range));
              }
            }
          }
        }
      }
    },
  },
  {
    name: "ranges: all bounds given hold together",
    async run(context) {
      const store = await context.open();
      await setAll(store);
      const ranges: Range[] = [
        { prefix: "a", gt: "a", gte: "a\u0000", lt: "b", lte: "aa" },
        { gt: "a", gte: "b" },
        { gt: "b", gte: "a" },
        { lt: "b", lte: "c" },
        { lt: "c", lte: "b" },
        { prefix: "a", gte: "b" },
        { gte: "c", lt: "a" },
        { gt: "a", lt: "a" },
        { gte: "a", lte: "a" },
        { prefix: "a", gt: "a", lt: "ab", reverse: true, limit: 1 },
      ];
      for (const range of ranges) assertEquals([...store.keys(range)], expected(range), JSON.stringify(range));
    },
  },
  {
    name: "ranges: bounds and prefixes may be bytes, also such that end in 0xFF",
    async run(context) {
      const store = await context.open();
      const keys = [bytes(0xfe, 0xff), bytes(0xff), bytes(0xff, 0), bytes(0xff, 0xff), bytes(0xff, 0xff, 1)];
      for (const key of keys) await store.set(key, 1);
      const found = (range: Range) => [...store.keys(range)];
      assertEquals(found({ prefix: bytes(0xff) }), keys.slice(1));
      assertEquals(found({ prefix: bytes(0xff, 0xff) }), keys.slice(3));
      assertEquals(found({ prefix: bytes(0xfe, 0xff) }), keys.slice(0, 1));
      assertEquals(found({ prefix: bytes(), gt: bytes(0xff), lte: bytes(0xff, 0xff) }), keys.slice(2, 4));
    },
  },
  {
    name: "ranges: values, entries and the store itself visit in the same order as keys",
    async run(context) {
      const store = await context.open();
      await setAll(store);
      const range = { gte: "a", lt: "c", reverse: true };
      const keys = [...store.keys(range)];
      assertEquals([...store.values(range)], store.getMany(keys));
      assertEquals([...store.entries(range)], keys.map((key) => [key, store.get(key)!] as [Key, unknown]));
      assertEquals([...store], [...store.entries()]);
    },
  },
  {
    name: "ranges: limit 0 visits nothing, Infinity and undefined everything",
    async run(context) {
      const store = await context.open();
      await setAll(store);
      assertEquals([...store.keys({ limit: 0 })], []);
      assertEquals([...store.keys({ limit: Infinity })], KEYS);
      assertEquals([...store.keys({ limit: 1000 })], KEYS);
    },
  },
  {
    name: 'ranges: keys: "bytes" gives every key as bytes, in entries too',
    async run(context) {
      const store = await context.open();
      await store.set("a", 1);
      await store.set(bytes(0xff), 2);
      assertEquals([...store.keys({ keys: "bytes" })], [bytes("a"), bytes(0xff)]);
      assertEquals([...store.entries({ keys: "bytes" })], [[bytes("a"), 1], [bytes(0xff), 2]]);
      assertEquals([...store.values({ keys: "bytes" })], [1, 2]);
    },
  },
  {
    name: "ranges: unknown options, and options of a wrong type, throw at the call and say which",
    async run(context) {
      const store = await context.open();
      const refused: [unknown, string][] = [
        [{ start: "a" }, "start"],
        [{ Prefix: "a" }, "prefix, gt, gte, lt, lte, reverse, limit, keys"],
        [{ prefix: 1 }, "key"],
        [{ gt: null }, "key"],
        [{ reverse: 1 }, "reverse"],
        [{ keys: "strings" }, "bytes"],
        ["a", "options"],
        [null, "options"],
      ];
      for (const reader of [store, store.snapshot()]) {
        for (const [range, message] of refused) {
          assertThrows(() => reader.keys(range as Range), TypeError, message);
          assertThrows(() => reader.values(range as Range), TypeError, message);
          assertThrows(() => reader.entries(range as Range), TypeError, message);
        }
        for (const limit of [-1, 1.5, NaN]) assertThrows(() => reader.keys({ limit }), RangeError, "limit");
      }
    },
  },
];
