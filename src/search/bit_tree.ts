/**
 * Finds places among keys in order by comparing one of them.
 *
 * A binary search among 512 keys compares nine. Each is somewhere else in memory, so the search mostly waits for
 * memory. The bit-tree (Ferguson, "Bit-Tree: A Data Structure for Fast File Processing", 1992) knows at which bit each
 * key differs from the one before: its split, one byte. In their order, the splits describe a binary trie of the keys.
 * It leads to a key that has the longest beginning in common with the key sought, and only these two are compared. The
 * bit at which they differ says where among the neighbours the key belongs.
 *
 * @module
 */
import type { KeyBytes } from "../engine/index.ts";
import { commonBytes, type Edge, isBefore, type KeyList, lengthAt } from "./keys.ts";

/** A byte of a key takes nine bits: 1 and its own. Behind the end of a key, all bits are 0. */
const BITS = 9;
/** The split of keys that differ only so far behind the base, or farther. */
const DEEP = 255;
/** For each split the byte that it is in, and its bit; none for `DEEP`. */
const BYTE_OF = Uint8Array.from({ length: DEEP + 1 }, (_, split) => Math.floor(split / BITS));
const BIT_OF = Uint16Array.from({ length: DEEP + 1 }, (_, split) => split === DEEP ? 0 : 256 >>> split % BITS);

/** The splits are made once searches have compared about as many keys as making them does. */
const SEARCHES_PER_KEY = 1 / 16;
/** Room is added for so many splits at a time. */
const STEP = 32;
/** Tops that are found anew take up so much of their array. */
const FEW_TOPS = 3 / 4;
/** For counting splits. It is allocated here, so that a change never fails halfway. */
const COUNTS = new Uint32Array(DEEP);

/** Finds places in a list of keys. It hears of every change to the list, before the change. */
export class BitTree {
  /** For each key but the first, at which bit behind the base it differs from the one before; none until it pays. */
  #splits: Uint8Array | undefined;
  /** The byte of the keys at which splits begin to count. All keys are the same before it. */
  #base = 0;
  /** The places of the lowest splits: of all up to `#highest`. They are the upper levels of the trie. */
  readonly #tops: Uint16Array | Uint32Array;
  #topCount = 0;
  #highest = 0;
  #searches = 0;
  /** What the last search has learnt of its key: where it differs, and the first key that has as much in common. */
  #split = 0;
  #first = 0;

  /** Without splits. `tops` is for the upper levels: some more than the square root of the number of keys. */
  constructor(tops: Uint16Array | Uint32Array) {
    this.#tops = tops;
  }

  /** Memory held, in bytes. */
  get heldBytes(): number {
    return this.#tops.byteLength + (this.#splits?.byteLength ?? 0);
  }

  /** How many keys are before an edge. */
  find(keys: KeyList, edge: Edge): number {
    const { length } = keys;
    if (length === 0) return 0;
    if (this.#splits === undefined && this.#searches++ < length * SEARCHES_PER_KEY) {
      return bisect(keys, edge, 0, length);
    }
    const splits = this.#splits ??= this.#makeSplits(keys);
    const nearest = this.#nearest(splits, edge, length);
    const different = difference(keys, nearest, edge);
    const split = different === 0 ? DEEP : Math.min(Math.abs(different) - 1 - BITS * this.#base, DEEP);
    // All keys that have more in common with the nearest one than this key does are on the same side of it.
    let low = nearest;
    let high = nearest + 1;
    if (different < 0 || split === DEEP) { while (low > 0 && splits[low]! >= split) low--; }
    if (different > 0 || split === DEEP) { while (high < length && splits[high]! >= split) high++; }
    this.#split = split;
    this.#first = low;
    // Only these are too deep to tell, or one of them is the same key.
    if (split === DEEP) return bisect(keys, edge, low, high);
    return different < 0 ? low : high;
  }

  /** Learns that the key that was sought last comes to `at`. Without memory, nothing changes. */
  insert({ length }: KeyList, at: number): void {
    if (length === 0) this.reset();
    if (this.#splits === undefined) return;
    if (length === this.#splits.length) {
      const splits = new Uint8Array(length + STEP);
      splits.set(this.#splits);
      this.#splits = splits;
    }
    const splits = this.#splits;
    if (this.#split < 0) this.#lowerBase(splits, length);
    // Before the first of its neighbours, the new key is what that differs from.
    const place = at === this.#first ? at + 1 : at;
    splits.copyWithin(place + 1, place, length);
    splits[place] = this.#split;
    this.#noteTop(splits, place, length + 1);
  }

  /** Learns that the key at `at` goes. */
  remove({ length }: KeyList, at: number): void {
    const splits = this.#splits;
    const tops = this.#tops;
    if (splits === undefined) return;
    // Of the two splits beside it the lower one stays: that is where its neighbours differ.
    const gone = at > 0 && (at + 1 === length || splits[at]! > splits[at + 1]!) ? at : at + 1;
    splits.copyWithin(gone, gone + 1, length);
    let kept = 0;
    for (let i = 0; i < this.#topCount; i++) {
      if (tops[i] !== gone) tops[kept++] = tops[i]! > gone ? tops[i]! - 1 : tops[i]!;
    }
    this.#topCount = kept;
  }

  /** Learns that the list is another one. */
  reset(): void {
    this.#splits = undefined;
    this.#searches = 0;
  }

  /** Takes the splits of the keys from `from` up to `to` of another tree, unless some are too deep: fewer are anew. */
  take(other: BitTree, from: number, to: number): void {
    const splits = other.#splits?.slice(from, to);
    if (splits === undefined || splits.includes(DEEP)) return;
    this.#base = other.#base;
    this.#findTops(splits, to - from);
    this.#splits = splits;
  }

  #makeSplits(keys: KeyList): Uint8Array {
    const bits = new Int32Array(keys.length);
    let base = keyAt(keys, 0).length;
    for (let i = 1; i < keys.length; i++) {
      bits[i] = Math.abs(difference(keys, i - 1, keyAt(keys, i))) - 1;
      base = Math.min(base, Math.floor(bits[i]! / BITS));
    }
    const splits = new Uint8Array(keys.length + STEP);
    for (let i = 1; i < keys.length; i++) splits[i] = Math.min(bits[i]! - BITS * base, DEEP);
    this.#base = base;
    this.#findTops(splits, keys.length);
    return splits;
  }

  /** Where the key is that has the longest beginning in common with a key. */
  #nearest(splits: Uint8Array, key: KeyBytes, length: number): number {
    const tops = this.#tops;
    const top = this.#follow(splits, key, 0, this.#topCount, tops);
    const from = top < 0 ? 0 : tops[top]!;
    const end = top + 1 < this.#topCount ? tops[top + 1]! : length;
    return this.#follow(splits, key, from + 1, end);
  }

  /** The last of some splits, or of splits at some places, on the way to a key. One before the first if none is. */
  #follow(
    splits: Uint8Array,
    { bytes, start, length }: KeyBytes,
    first: number,
    end: number,
    places?: Uint16Array | Uint32Array,
  ): number {
    const base = start + this.#base;
    const remaining = length - this.#base;
    let last = first - 1;
    for (let i = first; i < end; i++) {
      const split = splits[places === undefined ? i : places[i]!]!;
      const at = BYTE_OF[split]!;
      if (at < remaining && ((256 | bytes[base + at]!) & BIT_OF[split]!) !== 0) {
        last = i;
        continue;
      }
      // The key does not have the bit with which the next ones split off. Skip all that have it.
      while (i + 1 < end && splits[places === undefined ? i + 1 : places[i + 1]!]! > split) i++;
    }
    return last;
  }

  /** Moves the base to the byte of the new split, which is before it. */
  #lowerBase(splits: Uint8Array, length: number): void {
    const bytes = -Math.floor(this.#split / BITS);
    this.#base -= bytes;
    this.#split += BITS * bytes;
    for (let i = 1; i < length; i++) splits[i] = Math.min(splits[i]! + BITS * bytes, DEEP);
    this.#findTops(splits, length);
  }

  #findTops(splits: Uint8Array, length: number): void {
    const tops = this.#tops;
    const few = FEW_TOPS * tops.length;
    const counts = COUNTS.fill(0);
    for (let i = 1; i < length; i++) counts[splits[i]!]!++;
    this.#highest = -1;
    for (let count = counts[0]!; count <= few && this.#highest < DEEP - 1; count += counts[this.#highest + 1]!) {
      this.#highest++;
    }
    this.#topCount = 0;
    for (let i = 1; i < length; i++) if (splits[i]! <= this.#highest) tops[this.#topCount++] = i;
  }

  /** Notes that there is a new split at `place`. */
  #noteTop(splits: Uint8Array, place: number, length: number): void {
    const tops = this.#tops;
    const isTop = this.#split <= this.#highest;
    let i = this.#topCount;
    if (isTop && i === tops.length) return this.#findTops(splits, length);
    if (isTop) this.#topCount++;
    for (; i > 0 && tops[i - 1]! >= place; i--) tops[isTop ? i : i - 1] = tops[i - 1]! + 1;
    if (isTop) tops[i] = place;
  }
}

/** How many keys are before an edge, if that is one of the numbers from `low` to `high`. */
function bisect(keys: KeyList, edge: Edge, low: number, high: number): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(keys, middle, edge)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function keyAt(keys: KeyList, at: number): KeyBytes {
  const bytes = keys.arenaOf(at);
  const offset = keys.offsetOf(at);
  return { bytes, start: offset + 2, length: lengthAt(bytes, offset) };
}

/**
 * At which bit a key differs from one of the list, counted from 1; negative if it is lower. 0 if they are the same.
 */
function difference(keys: KeyList, at: number, key: KeyBytes): number {
  const arena = keys.arenaOf(at);
  const offset = keys.offsetOf(at);
  const common = commonBytes(arena, offset, key);
  const own = common < lengthAt(arena, offset) ? 256 | arena[offset + 2 + common]! : 0;
  const other = common < key.length ? 256 | key.bytes[key.start + common]! : 0;
  if (own === other) return 0;
  const bit = BITS * common + Math.clz32(own ^ other) - 22;
  return other > own ? bit : -bit;
}
