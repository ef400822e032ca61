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
import { bisect, commonBytes, type Edge, type KeyList, lengthAt } from "./keys.ts";

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
/** Tops are found anew after so many changes. After an eighth already, a queue took a tenth longer. */
const CHANGES_PER_KEY = 1 / 2;

const NO_TOPS = new Uint32Array(0);

/** Finds places in a list of keys. It hears of every change to the list, before the change. */
export class BitTree {
  /** For each key but the first, at which bit behind the base it differs from the one before; none until it pays. */
  #splits: Uint8Array | undefined;
  /** The byte of the keys at which splits begin to count. All keys are the same before it. */
  #base = 0;
  /**
   * The places of the splits with the largest subtrees: the upper part of the trie. The keys between two of them are a
   * subtree, too. A search looks at these splits first, and then between two of them.
   */
  #tops = NO_TOPS;
  readonly #maxTops: number;
  #topCount = 0;
  /** The last top before the key that was sought. */
  #top = 0;
  /** How many keys have come and gone since tops were found. */
  #changes = 0;
  #searches = 0;
  /** What the last search has learnt of its key: where it differs from those that it has most in common with. */
  #split = 0;
  /** Where those keys begin and end. */
  #first = 0;
  #end = 0;

  /** Without splits. `maxTops` is how many belong to the upper levels: about the square root of the number of keys. */
  constructor(maxTops: number) {
    this.#maxTops = maxTops;
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
    if (this.#changes > length * CHANGES_PER_KEY) this.#findTops(splits, length);
    const nearest = this.#nearest(splits, edge, length);
    const different = difference(keys, nearest, edge);
    const split = different === 0 ? DEEP : Math.min(Math.abs(different) - 1 - BITS * this.#base, DEEP);
    this.#split = split;
    this.#findSubtree(splits, nearest, length);
    // Only these are too deep to tell, or one of them is the same key.
    if (split === DEEP) return bisect(keys, edge, this.#first, this.#end);
    // All keys of the subtree are on the same side.
    return different < 0 ? this.#first : this.#end;
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
    this.#noteTop(splits, place);
    this.#changes++;
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
    this.#changes++;
  }

  /** Learns that the list is another one. */
  reset(): void {
    this.#splits = undefined;
    this.#tops = NO_TOPS;
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
    const top = this.#top = this.#follow(splits, key, 0, this.#topCount, tops);
    const from = top < 0 ? 0 : tops[top]!;
    const end = top + 1 < this.#topCount ? tops[top + 1]! : length;
    return this.#follow(splits, key, from + 1, end);
  }

  /** Finds the subtree of the keys that have more in common with the nearest one than the key that is sought. */
  #findSubtree(splits: Uint8Array, nearest: number, length: number): void {
    const split = this.#split;
    const tops = this.#tops;
    let low = nearest;
    let high = nearest + 1;
    let before = this.#top;
    let behind = before + 1;
    if (split > this.#splitAbove(splits, behind)) {
      while (low > 0 && splits[low]! >= split) low--;
      while (high < length && splits[high]! >= split) high++;
    } else {
      // It has tops, and is bounded by tops.
      while (before >= 0 && splits[tops[before]!]! >= split) before--;
      while (behind < this.#topCount && splits[tops[behind]!]! >= split) behind++;
      low = before < 0 ? 0 : tops[before]!;
      high = behind === this.#topCount ? length : tops[behind]!;
    }
    this.#first = low;
    this.#end = high;
  }

  /** The split that the subtree before the top with number `behind` hangs on; −1 if there are no tops. */
  #splitAbove(splits: Uint8Array, behind: number): number {
    const before = behind > 0 ? splits[this.#tops[behind - 1]!]! : -1;
    return Math.max(before, behind < this.#topCount ? splits[this.#tops[behind]!]! : -1);
  }

  /** The last of some splits, or of splits at some places, on the way to a key. One before the first if none is. */
  #follow(
    splits: Uint8Array,
    { bytes, start, length }: KeyBytes,
    first: number,
    end: number,
    places?: Uint32Array,
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
  }

  #findTops(splits: Uint8Array, length: number): void {
    const sizes = subtreeSizes(splits, length);
    const tops = this.#tops === NO_TOPS ? new Uint32Array(this.#maxTops) : this.#tops;
    const few = FEW_TOPS * this.#maxTops;
    let smallest = length / few;
    while (sizes.reduce((count, size) => size >= smallest ? count + 1 : count, 0) > few) smallest *= 1.5;
    this.#topCount = 0;
    sizes.forEach((size, at) => {
      if (size >= smallest) tops[this.#topCount++] = at;
    });
    this.#tops = tops;
    this.#changes = 0;
  }

  /** Notes that there is a new split at `place`. It is a top if others hang on it. */
  #noteTop(splits: Uint8Array, place: number): void {
    const tops = this.#tops;
    let i = this.#topCount;
    while (i > 0 && tops[i - 1]! >= place) tops[--i]!++;
    if (this.#split > this.#splitAbove(splits, i)) return;
    // If there is no room for it, the next search finds tops anew.
    if (this.#topCount === tops.length) this.#changes = Infinity;
    tops.copyWithin(i + 1, i, this.#topCount);
    tops[i] = place;
    this.#topCount = Math.min(this.#topCount + 1, tops.length);
  }
}

/** For each split how many keys its subtree has: those up to a lower split on either side. 0 for `DEEP`. */
function subtreeSizes(splits: Uint8Array, length: number): Uint32Array {
  const sizes = new Uint32Array(length);
  // The splits to the left that may be bounded by the next one, the lower ones first.
  const open: number[] = [];
  for (let at = 1; at <= length; at++) {
    const split = at < length ? splits[at]! : -1;
    for (let last = open.at(-1); last !== undefined && splits[last]! > split; last = open.at(-1)) {
      open.pop();
      sizes[last] = splits[last] === DEEP ? 0 : at - (open.at(-1) ?? 0);
    }
    open.push(at);
  }
  return sizes;
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
