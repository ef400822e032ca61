/**
 * Finds keys in a chunk of an order by comparing one key.
 *
 * A binary search among the keys of a full chunk compares nine of them. Each is somewhere else in memory, so the search
 * mostly waits for memory. The bit-tree (Ferguson, "Bit-Tree: A Data Structure for Fast File Processing", 1992) knows
 * at which bit each key differs from the one before: its split, one byte. In their order, the splits describe a binary
 * trie of the keys. It leads to a key that has the longest beginning in common with the key sought, and only these two
 * are compared. The bit at which they differ says where among the neighbours the key belongs.
 *
 * @module
 */
import type { KeyBytes, ReadIndex } from "../engine/index.ts";
import { ENTRY_FIELDS, ID_MASK, type KeyRef } from "../engine/partition.ts";
import { commonBytes, lengthAt } from "./keys.ts";

/** A byte of a key takes nine bits: 1 and its own. Behind the end of a key, all bits are 0. */
const BITS = 9;
/** The split of keys that differ only so far behind the base, or farther. */
const DEEP = 255;
/** For each split the byte that it is in, and its bit; none for `DEEP`. */
const BYTE_OF = Uint8Array.from({ length: DEEP + 1 }, (_, split) => Math.floor(split / BITS));
const BIT_OF = Uint16Array.from({ length: DEEP + 1 }, (_, split) => split === DEEP ? 0 : 256 >>> split % BITS);

/** So many of the lowest splits are looked at first: in a full chunk about as many as there are between two of them. */
const FEW_TOPS = 24;
const MAX_TOPS = 32;

/** For counting splits. It is allocated here, so that a change never fails halfway. */
const COUNTS = new Uint16Array(DEEP);

/** Room is added for so many splits at a time. */
const STEP = 32;

/** The splits of keys in order. */
export class BitTree {
  /** For each key but the first, at which bit behind the base it differs from the one before. */
  #splits: Uint8Array;
  #length: number;
  /** The byte of the keys at which splits begin to count. All keys are the same before it. */
  #base: number;
  /** The places of the lowest splits: of all up to `#highest`. They are the upper levels of the trie. */
  readonly #tops = new Uint16Array(MAX_TOPS);
  #topCount = 0;
  #highest = 0;
  /** What `find` has found. */
  low = 0;
  high = 0;
  /** What `find` has learnt of a key for `insert`: where it differs, and the first key that has as much in common. */
  #split = 0;
  #first = 0;

  private constructor(splits: Uint8Array, length: number, base: number) {
    this.#splits = splits;
    this.#length = length;
    this.#base = base;
    this.#findTops();
  }

  /** The splits of the first `length` keys of `refs`. Compares them all. */
  static of(index: ReadIndex, refs: Uint32Array, length: number): BitTree {
    const bits = new Int32Array(length);
    let base = index.keyOf(refs[0]!).length;
    for (let i = 1; i < length; i++) {
      bits[i] = Math.abs(difference(index, refs[i - 1]!, index.keyOf(refs[i]!))) - 1;
      base = Math.min(base, Math.floor(bits[i]! / BITS));
    }
    const splits = new Uint8Array(length + STEP);
    for (let i = 1; i < length; i++) splits[i] = Math.min(bits[i]! - BITS * base, DEEP);
    return new BitTree(splits, length, base);
  }

  /** Memory held, in bytes. */
  get heldBytes(): number {
    return this.#splits.byteLength + this.#tops.byteLength;
  }

  /**
   * Finds out how many keys are lower than a key: from `low` to `high` of them. These two differ where the same key is
   * there, and where the splits of several keys are too deep to tell. `refs` are the keys of this tree.
   */
  find(index: ReadIndex, refs: Uint32Array, key: KeyBytes): void {
    const splits = this.#splits;
    const nearest = this.#nearest(key);
    const different = difference(index, refs[nearest]!, key);
    const split = different === 0 ? DEEP : Math.min(Math.abs(different) - 1 - BITS * this.#base, DEEP);
    // All keys that have more in common with the nearest one than this key does are on the same side of it.
    let low = nearest;
    let high = nearest + 1;
    if (different < 0 || split === DEEP) { while (low > 0 && splits[low]! >= split) low--; }
    if (different > 0 || split === DEEP) { while (high < this.#length && splits[high]! >= split) high++; }
    this.low = different > 0 && split < DEEP ? high : low;
    this.high = different < 0 && split < DEEP ? low : high;
    this.#split = split;
    this.#first = low;
  }

  /** Takes in the key that was sought last, which is now at `at`. Without memory, nothing changes. */
  insert(at: number): void {
    if (this.#length === this.#splits.length) {
      const splits = new Uint8Array(this.#length + STEP);
      splits.set(this.#splits);
      this.#splits = splits;
    }
    if (this.#split < 0) this.#lowerBase();
    const splits = this.#splits;
    // Before the first of its neighbours, the new key is what that differs from.
    const place = at === this.#first ? at + 1 : at;
    splits.copyWithin(place + 1, place, this.#length++);
    splits[place] = this.#split;
    this.#noteTop(place);
  }

  /** Takes out the key at `at`. */
  remove(at: number): void {
    const splits = this.#splits;
    const tops = this.#tops;
    // Of the two splits beside it the lower one stays: that is where its neighbours differ.
    const gone = at > 0 && (at + 1 === this.#length || splits[at]! > splits[at + 1]!) ? at : at + 1;
    splits.copyWithin(gone, gone + 1, this.#length--);
    let kept = 0;
    for (let i = 0; i < this.#topCount; i++) {
      if (tops[i] !== gone) tops[kept++] = tops[i]! > gone ? tops[i]! - 1 : tops[i]!;
    }
    this.#topCount = kept;
  }

  /** The splits of the keys from `from` up to `to`; `undefined` if some are too deep: made anew, fewer are. */
  part(from: number, to: number): BitTree | undefined {
    const splits = this.#splits.slice(from, to);
    return splits.includes(DEEP) ? undefined : new BitTree(splits, to - from, this.#base);
  }

  /** Where the key is that has the longest beginning in common with a key. */
  #nearest(key: KeyBytes): number {
    const tops = this.#tops;
    const top = this.#follow(key, 0, this.#topCount, tops);
    const from = top < 0 ? 0 : tops[top]!;
    const end = top + 1 < this.#topCount ? tops[top + 1]! : this.#length;
    return this.#follow(key, from + 1, end);
  }

  /** The last of some splits, or of splits at some places, on the way to a key. One before the first if none is. */
  #follow({ bytes, start, length }: KeyBytes, first: number, end: number, places?: Uint16Array): number {
    const splits = this.#splits;
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
  #lowerBase(): void {
    const bytes = -Math.floor(this.#split / BITS);
    this.#base -= bytes;
    this.#split += BITS * bytes;
    for (let i = 1; i < this.#length; i++) this.#splits[i] = Math.min(this.#splits[i]! + BITS * bytes, DEEP);
    this.#findTops();
  }

  #findTops(): void {
    const counts = COUNTS.fill(0);
    for (let i = 1; i < this.#length; i++) counts[this.#splits[i]!]!++;
    this.#highest = -1;
    for (let count = counts[0]!; count <= FEW_TOPS && this.#highest < DEEP - 1; count += counts[this.#highest + 1]!) {
      this.#highest++;
    }
    this.#topCount = 0;
    for (let i = 1; i < this.#length; i++) if (this.#splits[i]! <= this.#highest) this.#tops[this.#topCount++] = i;
  }

  /** Notes that there is a new split at `place`. */
  #noteTop(place: number): void {
    const tops = this.#tops;
    const isTop = this.#split <= this.#highest;
    let i = this.#topCount;
    if (isTop && i === MAX_TOPS) return this.#findTops();
    if (isTop) this.#topCount++;
    for (; i > 0 && tops[i - 1]! >= place; i--) tops[isTop ? i : i - 1] = tops[i - 1]! + 1;
    if (isTop) tops[i] = place;
  }
}

/**
 * At which bit a key differs from that of an entry, counted from 1; negative if it is lower. 0 if they are the same.
 */
function difference(index: ReadIndex, ref: KeyRef, key: KeyBytes): number {
  const { entries, arena } = index.loaded(ref >>> 24)!;
  const at = entries[(ref & ID_MASK) * ENTRY_FIELDS]!;
  const ownLength = lengthAt(arena, at);
  const common = commonBytes(arena, at, key);
  const own = common < ownLength ? 256 | arena[at + 2 + common]! : 0;
  const other = common < key.length ? 256 | key.bytes[key.start + common]! : 0;
  if (own === other) return 0;
  const bit = BITS * common + Math.clz32(own ^ other) - 22;
  return other > own ? bit : -bit;
}
