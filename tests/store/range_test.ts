import { assert, assertEquals, assertThrows } from "@std/assert";
import { Index } from "../../src/engine/index.ts";
import type { Order } from "../../src/order/order.ts";
import { orderOf } from "../../src/sorting/sort.ts";
import { RangeIterator } from "../../src/store/range.ts";
import { boundsOf } from "../../src/store/bounds.ts";
import type { Range } from "../../src/types.ts";
import { nameOf, within } from "../model/support/data.ts";
import { Random } from "../support/random.ts";

const KEYS = ["", "a", "aa", "ab", "b", "ba", "\x7f", "é", "\u{ffff}", "\u{10000}"]
  .map((text) => new TextEncoder().encode(text))
  .concat([[0], [0, 0], [255], [255, 255], [255, 255, 0], [254, 255]].map((bytes) => Uint8Array.from(bytes)));

function orderedOf(keys: Uint8Array[]) {
  const index = new Index();
  for (const bytes of keys) index.put({ bytes, start: 0, length: bytes.length }, 1, 1, 1);
  return orderOf(index);
}

const ORDER = orderedOf(KEYS);

/** The name of the key that an order refers to. */
function nameAt({ index }: Order, ref: number): string {
  const { bytes, start, length } = index.keyOf(ref);
  return nameOf(bytes.slice(start, start + length));
}

/** The names of the keys that a range visits; those in `missing` have no value. */
function visit(range: Range, missing: Set<string> = new Set()): string[] {
  const item = (ref: number) => missing.has(nameAt(ORDER, ref)) ? undefined : nameAt(ORDER, ref);
  const source = { order: ORDER, item, isForgotten: () => false, reader: {}, release: () => {} };
  return [...new RangeIterator(source, boundsOf(range))];
}

Deno.test("range: all bounds together visit what filtering all keys would", () => {
  const random = new Random(4);
  const state = new Map(KEYS.map((key) => [nameOf(key), { isString: false, value: "", expiresAt: Infinity }]));
  const near = () =>
    random.chance(0.6) ? random.pick(KEYS) : Uint8Array.from([...random.pick(KEYS), random.below(256)]);
  for (let i = 0; i < 2000; i++) {
    const range: Range = {};
    for (const bound of ["prefix", "gt", "gte", "lt", "lte"] as const) if (random.chance(0.3)) range[bound] = near();
    if (random.chance(0.5)) range.reverse = random.chance(0.5);
    if (random.chance(0.3)) range.limit = random.below(6);
    assertEquals(visit(range), within(state, range).map(([name]) => name), JSON.stringify(range));
  }
});

Deno.test("range: a prefix of bytes 255 has no end, and the empty prefix is everything", () => {
  assertEquals(visit({ prefix: Uint8Array.of(255) }), ["\xff", "\xff\xff", "\xff\xff\0"]);
  assertEquals(visit({ prefix: Uint8Array.of(254, 255) }), ["\xfe\xff"]);
  assertEquals(visit({ prefix: "" }).length, KEYS.length);
  assertEquals(visit({ gt: "b", lt: "a" }), []);
  assertEquals(visit({ gte: "b", lte: "b" }), ["b"]);
  assertEquals(visit({ gt: "b", lte: "b" }), []);
});

Deno.test("range: keys without a value are passed over and do not count", () => {
  const missing = new Set(["", "a", "ab"]);
  assertEquals(visit({ limit: 2, prefix: "a" }, missing), ["aa"]);
  assertEquals(visit({ limit: 2, lt: "ba" }, missing), ["\0", "\0\0"]);
  assertEquals(visit({ limit: 1, lt: "b", reverse: true }, missing), ["aa"]);
});

Deno.test("range: an iterator gives its view back once, however it ends", () => {
  for (const end of ["next", "return", "break", "limit", "last"]) {
    let releases = 0;
    const item = (ref: number) => nameAt(ORDER, ref);
    const source = { order: ORDER, item, isForgotten: () => false, reader: {}, release: () => void releases++ };
    const iterator = new RangeIterator(source, boundsOf(end === "limit" || end === "last" ? { limit: 1 } : {}));
    // With its last item, as many callers ask for no more.
    if (end === "last") assertEquals([iterator.next().done, releases], [false, 1]);
    if (end === "break") { for (const _ of iterator) break; }
    if (end === "return") iterator.return();
    if (end === "next" || end === "limit") { while (!iterator.next().done); }
    for (let i = 0; i < 3; i++) assertEquals(iterator.next(), { done: true, value: undefined });
    iterator.return();
    assertEquals(releases, 1, end);
  }
});

Deno.test("range: an item that cannot be read is thrown once, and the iterator goes on behind it", () => {
  for (const reverse of [false, true]) {
    const order = orderedOf(KEYS.slice(0, 4));
    const source = {
      order,
      item: (ref: number) => {
        if (nameAt(order, ref) === "aa") throw new Error("damaged");
        return nameAt(order, ref);
      },
      isForgotten: () => false,
      reader: {},
      release: () => {},
    };
    const iterator = new RangeIterator(source, boundsOf({ reverse }));
    const found: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      try {
        found.push(iterator.next().value);
      } catch (error) {
        found.push((error as Error).message);
      }
    }
    assertEquals(found, reverse ? ["ab", "damaged", "a", "", undefined] : ["", "a", "damaged", "ab", undefined]);
  }
});

Deno.test("range: what makes no sense is an error before anything is visited", () => {
  const wrong: [unknown, new (message: string) => Error][] = [
    [{ start: "a" }, TypeError],
    [{ reverse: 1 }, TypeError],
    [{ keys: "strings" }, TypeError],
    [{ prefix: 5 }, TypeError],
    [{ gt: "\ud800" }, TypeError],
    [{ limit: -1 }, RangeError],
    [{ limit: 1.5 }, RangeError],
    [{ limit: Number.NaN }, RangeError],
    [null, TypeError],
    ["a", TypeError],
  ];
  for (const [range, type] of wrong) assertThrows(() => boundsOf(range as Range), type);
  assertEquals(boundsOf({ limit: Infinity }).limit, Infinity);
  assert(boundsOf({ keys: "bytes" }).asBytes);
});
