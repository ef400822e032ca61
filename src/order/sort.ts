/**
 * Sorting all keys of an index at once.
 *
 * @module
 */
import { compareBytes } from "../bytes.ts";
import type { ReadIndex } from "../engine/index.ts";
import { ENTRY_FIELDS, ID_MASK } from "../engine/partition.ts";

/** Key bytes in a word. */
const WORD_BYTES = 3;
/** So few keys are compared whole. */
const FEW = 4;

/**
 * Sorts references by their keys, in place, and returns them: a word of each key at a time, together with the reference
 * in one 64-bit number, as typed arrays of numbers are sorted natively.
 */
export function sortRefs(refs: Uint32Array, index: ReadIndex): Uint32Array {
  const open: [low: number, high: number, depth: number][] = [[0, refs.length, 0]];
  for (let run = open.pop(); run !== undefined; run = open.pop()) {
    const [low, high, depth] = run;
    const part = refs.subarray(low, high);
    if (part.length <= FEW) {
      part.sort((a, b) => compareBytes(keyAt(index, a), keyAt(index, b)));
      continue;
    }
    const start = depth + commonBytes(part, index, depth);
    for (const [from, to] of sortByWord(part, index, start)) open.push([low + from, low + to, start + WORD_BYTES]);
  }
  return refs;
}

/** How many bytes from `depth` on are the same in all keys. Most keys of a store begin alike. */
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

/** Sorts by the word at `depth`; returns the runs of keys that agree in it. */
function sortByWord(part: Uint32Array, index: ReadIndex, depth: number): [from: number, to: number][] {
  const pairs = new BigUint64Array(part.length);
  // The halves of a pair as the machine lays them out: all that JavaScript runs on has the lower one first.
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
    // Keys that end within the word are all different, unless the index is damaged.
    if (to - from > 1 && (halves[2 * from + 1]! & 0xff) > WORD_BYTES) runs.push([from, to]);
  }
  return runs;
}

/** The bytes of a key: a view. */
function keyAt(index: ReadIndex, ref: number): Uint8Array {
  const { bytes, start, length } = index.keyOf(ref);
  return bytes.subarray(start, start + length);
}

/**
 * Three bytes of a key as a number, the first one highest, and in the lowest byte how many of them there are: 4 if the
 * key goes on behind them. Where keys are ordered so far, their words are ordered as the keys are, also if one ends.
 */
function wordAt(index: ReadIndex, ref: number, depth: number): number {
  const { entries, arena } = index.loaded(ref >>> 24)!;
  const at = entries[(ref & ID_MASK) * ENTRY_FIELDS]!;
  const left = (arena[at]! | (arena[at + 1]! << 8)) - depth;
  const start = at + 2 + depth;
  const first = left > 0 ? arena[start]! : 0;
  const second = left > 1 ? arena[start + 1]! : 0;
  const third = left > 2 ? arena[start + 2]! : 0;
  return ((first << 24) | (second << 16) | (third << 8) | Math.min(left, WORD_BYTES + 1)) >>> 0;
}
