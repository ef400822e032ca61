/**
 * Sorting keys of an index, all of them or some.
 *
 * @module
 */
import { compareBytes } from "../bytes.ts";
import { PARTITIONS, type ReadIndex } from "../engine/index.ts";
import { ENTRY_FIELDS, ID_MASK, refOf } from "../engine/partition.ts";
import { isListed, Order, orderIn } from "../order/order.ts";

/** The number of key bytes in a word. */
const WORD_BYTES = 3;
/** Up to this many keys are sorted by comparing them whole. */
const FEW_KEYS = 4;

/** The order of an index, made at once if there is no whole one. Reads all tables, which can fail. */
export function orderOf(index: ReadIndex): Order {
  const order = orderIn(index);
  if (order?.isWhole) return order;
  return new Order(index, sortRefs(refsOf(index), index)).attach("all");
}

/**
 * Sorts references by their keys, in place, and returns them. It sorts by one word of the keys at a time. A word and
 * the reference make a number of 64 bits, and typed arrays of those are sorted natively.
 */
export function sortRefs(refs: Uint32Array, index: ReadIndex): Uint32Array {
  const open: [low: number, high: number, depth: number][] = [[0, refs.length, 0]];
  for (let run = open.pop(); run !== undefined; run = open.pop()) {
    const [low, high, depth] = run;
    const part = refs.subarray(low, high);
    if (part.length <= FEW_KEYS) {
      part.sort((a, b) => compareBytes(keyAt(index, a), keyAt(index, b)));
      continue;
    }
    const start = depth + commonBytes(part, index, depth);
    for (const [from, to] of sortByWord(part, index, start)) open.push([low + from, low + to, start + WORD_BYTES]);
  }
  return refs;
}

/** How many bytes from `depth` on are the same in all keys. Most keys of a store begin with the same bytes. */
function commonBytes(part: Uint32Array, index: ReadIndex, depth: number): number {
  const first = keyAt(index, part[0]!).subarray(depth);
  let common = first.length;
  for (let i = 1; i < part.length && common > 0; i++) {
    const { bytes, start, length } = index.keyOf(part[i]!);
    common = Math.min(common, length - depth);
    let same = 0;
    while (same < common && bytes[start + depth + same] === first[same]) same++;
    common = same;
  }
  return common;
}

/** Sorts by the word at `depth`. Returns the runs of keys whose words are equal. */
function sortByWord(part: Uint32Array, index: ReadIndex, depth: number): [from: number, to: number][] {
  const pairs = new BigUint64Array(part.length);
  // The low half of a pair comes first: every machine that runs JavaScript is little-endian.
  const halves = new Uint32Array(pairs.buffer);
  for (let i = 0; i < part.length; i++) {
    halves[2 * i] = part[i]!;
    halves[2 * i + 1] = wordAt(index, part[i]!, depth);
  }
  pairs.sort();
  for (let i = 0; i < part.length; i++) part[i] = halves[2 * i]!;
  const runs: [from: number, to: number][] = [];
  for (let from = 0, to; from < part.length; from = to) {
    for (to = from + 1; to < part.length && halves[2 * to + 1] === halves[2 * from + 1];) to++;
    // No two keys are equal. So those that end within the word differ in it, unless the index is damaged.
    if (to - from > 1 && (halves[2 * from + 1]! & 0xff) > WORD_BYTES) runs.push([from, to]);
  }
  return runs;
}

/** The bytes of a key, without a copy. */
function keyAt(index: ReadIndex, ref: number): Uint8Array {
  const { bytes, start, length } = index.keyOf(ref);
  return bytes.subarray(start, start + length);
}

/**
 * Three bytes of a key as a number, the first one highest. The lowest byte is how many of them there are, or 4 if the
 * key is longer. If keys are equal up to `depth`, their words are in the order of the keys, even where one key ends.
 */
function wordAt(index: ReadIndex, ref: number, depth: number): number {
  const { entries, arena } = index.loaded(ref >>> 24)!;
  const at = entries[(ref & ID_MASK) * ENTRY_FIELDS]!;
  const remaining = (arena[at]! | (arena[at + 1]! << 8)) - depth;
  const start = at + 2 + depth;
  const first = remaining > 0 ? arena[start]! : 0;
  const second = remaining > 1 ? arena[start + 1]! : 0;
  const third = remaining > 2 ? arena[start + 2]! : 0;
  return ((first << 24) | (second << 16) | (third << 8) | Math.min(remaining, WORD_BYTES + 1)) >>> 0;
}

/** References to the entries of an index, without those of deleted and expired keys that no view can list. */
function refsOf(index: ReadIndex): Uint32Array {
  const tables = Array.from({ length: PARTITIONS }, (_, table) => index.existing(table));
  const refs = new Uint32Array(tables.reduce((sum, table) => sum + (table?.count ?? 0), 0));
  let length = 0;
  tables.forEach((table, number) => {
    for (let id = 0; id < (table?.count ?? 0); id++) {
      const ref = refOf(number, id);
      if (isListed(index, ref)) refs[length++] = ref;
    }
  });
  return refs.subarray(0, length);
}
