import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { toHex } from "../../src/bytes.ts";
import type { KeyBytes } from "../../src/engine/index.ts";
import { formOf } from "../../src/engine/partition.ts";
import { orderOf } from "../../src/sorting/sort.ts";
import { EncodedKey } from "../../src/store/keys.ts";
import { RangeIterator } from "../../src/store/range.ts";
import { boundsOf } from "../../src/store/bounds.ts";
import type { Key } from "../../src/types.ts";
import { crowded, newIndex, someBytes, someText, testProperty } from "./support/property.ts";

const key: fc.Arbitrary<Key> = fc.oneof(someBytes, someText);
const bound = fc.option(key, { nil: undefined });
const range = fc.record({
  prefix: fc.option(fc.oneof(someBytes.map((bytes) => bytes.slice(0, 2)), someText), { nil: undefined, freq: 2 }),
  ...{ gt: bound, gte: bound, lt: bound, lte: bound },
  reverse: fc.boolean(),
  limit: fc.option(fc.nat(20), { nil: undefined }),
}, { requiredKeys: [], noNullPrototype: true });
const bounds = fc.array(range, { minLength: 1, maxLength: 4 });
const change = fc.tuple(fc.oneof(key, { weight: 4, arbitrary: fc.nat(150).map((i) => crowded[i]!) }), fc.boolean());
const changes = fc.array(change, { maxLength: 250, size: "max" });

function bytesOf({ bytes, start, length }: KeyBytes): Uint8Array {
  return bytes.subarray(start, start + length);
}

/** Bytes of a key in hexadecimal: as ordered as the bytes are. */
function hexOf(one: Key): string {
  return toHex(typeof one === "string" ? new TextEncoder().encode(one) : one);
}

testProperty(import.meta.url, "range: any bounds together are what they are on a sorted list", {
  of: fc.array(fc.tuple(changes, bounds), { minLength: 1, maxLength: 4 }),
  holds(rounds) {
    const index = newIndex();
    const model = new Set<string>();
    for (const [list, ranges] of rounds) {
      for (const [one, isPut] of list) {
        const encoded = new EncodedKey().encode(one);
        if (isPut) index.put(encoded, 1, 44, formOf(30, true));
        else index.remove(encoded);
        if (isPut) model.add(hexOf(one));
        else model.delete(hexOf(one));
      }
      for (const { prefix, gt, gte, lt, lte, reverse, limit } of ranges) {
        const given = Object.entries({ prefix, gt, gte, lt, lte, reverse, limit }).filter(([, value]) =>
          value !== undefined
        );
        const found = new RangeIterator({
          reader: index,
          order: orderOf(index),
          item: (ref) => index.lists(ref) ? toHex(bytesOf(index.keyOf(ref))) : undefined,
          isForgotten: () => true,
          release: () => {},
        }, boundsOf(Object.fromEntries(given)));
        const wanted = [...model].sort().filter((hex) =>
          (prefix === undefined || hex.startsWith(hexOf(prefix))) && (gt === undefined || hex > hexOf(gt)) &&
          (gte === undefined || hex >= hexOf(gte)) && (lt === undefined || hex < hexOf(lt)) &&
          (lte === undefined || hex <= hexOf(lte))
        );
        if (reverse) wanted.reverse();
        assertEquals([...found], wanted.slice(0, limit));
      }
    }
  },
});

testProperty(import.meta.url, "range: text is ordered by its code points, not by its code units", {
  of: fc.tuple(someText, someText),
  holds([a, b]) {
    const points = (text: string) => Array.from(text, (character) => character.codePointAt(0)!);
    const [left, right] = [points(a), points(b)];
    const at = left.findIndex((point, i) => point !== right[i]);
    const isLess = at < 0 ? left.length < right.length : at < right.length && left[at]! < right[at]!;
    const index = newIndex();
    for (const text of [a, b]) index.put(new EncodedKey().encode(text), 1, 44, formOf(30, true));
    const order = orderOf(index);
    assertEquals(order.length, a === b ? 1 : 2);
    assertEquals(toHex(bytesOf(index.keyOf(order.chunks[0]!.refs[0]!))), hexOf(a === b || isLess ? a : b));
  },
});
