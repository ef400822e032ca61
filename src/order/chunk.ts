/**
 * A chunk of an order: references to entries of an index, in the order of their keys.
 *
 * @module
 */
import type { ReadIndex } from "../engine/index.ts";
import { ID_MASK, type KeyRef, refOf } from "../engine/partition.ts";
import { BitTree } from "./bit_tree.ts";
import { type Edge, isBefore } from "./keys.ts";

/** Room is added for so many references at a time. Full-size chunks would leave a third of the memory unused. */
const STEP = 32;
/** A chunk gets a bit-tree when this many searches have looked at about as many keys as making the tree does. */
const SEARCHES_PER_KEY = 1 / 16;

/** References in order. */
export class Chunk {
  /** The references, and room for more. */
  refs: Uint32Array;
  /** How many references there are. */
  length: number;
  /**
   * A copy of the key that it began with, as the arena has it: no key in the chunk is lower, and none before it is
   * higher. Of the first chunk nobody asks. Finding a chunk compares only these. They lie close together, the keys
   * themselves all over memory: the search takes a quarter to a third of the time.
   */
  readonly first: Uint8Array;
  #tree: BitTree | undefined;
  #searches = 0;

  /** A chunk of references that are in order, with the key at which it begins. */
  constructor(refs: Uint32Array, first: Uint8Array) {
    this.refs = refs;
    this.length = refs.length;
    this.first = first;
  }

  /** Memory held, in bytes. */
  get heldBytes(): number {
    return this.refs.byteLength + this.first.byteLength + (this.#tree?.heldBytes ?? 0);
  }

  /** How many references are before an edge. */
  find(index: ReadIndex, edge: Edge): number {
    const { refs, length } = this;
    if (this.#tree === undefined && this.#searches++ < length * SEARCHES_PER_KEY) {
      return bisect(index, refs, edge, 0, length);
    }
    const tree = this.#tree ??= BitTree.of(index, refs, length);
    tree.find(index, refs, edge);
    return bisect(index, refs, edge, tree.low, tree.high);
  }

  /** Inserts a reference at `at`, which `find` has just returned for its key. Without memory, nothing changes. */
  insert(at: number, ref: KeyRef): void {
    const { length } = this;
    if (length === this.refs.length) {
      const refs = new Uint32Array(length + STEP);
      refs.set(this.refs);
      this.refs = refs;
    }
    this.#tree?.insert(at);
    this.refs.copyWithin(at + 1, at, length);
    this.refs[at] = ref;
    this.length++;
  }

  /** Removes the reference at `at`. */
  remove(at: number): void {
    this.refs.copyWithin(at, at + 1, this.length--);
    this.#tree?.remove(at);
  }

  /** Renumbers the entries of a table. `ids` has the new numbers, counted from 1; 0 for entries that are gone. */
  renumber(table: number, ids: Uint32Array): void {
    const { refs, length } = this;
    let kept = 0;
    for (let i = 0; i < length; i++) {
      const ref = refs[i]!;
      const id = ref >>> 24 === table ? ids[ref & ID_MASK]! : -1;
      if (id !== 0) refs[kept++] = id < 0 ? ref : refOf(table, id - 1);
    }
    if (kept === length) return;
    this.refs = refs.slice(0, kept);
    this.length = kept;
    this.#tree = undefined;
  }

  /** The references from `from` up to `to`. `first` is the key at which they begin. */
  part(from: number, to: number, first: Uint8Array): Chunk {
    const part = new Chunk(this.refs.slice(from, to), first);
    part.#tree = this.#tree?.part(from, to);
    return part;
  }
}

/** How many references are before an edge, if that is one of the numbers from `low` to `high`. */
function bisect(index: ReadIndex, refs: Uint32Array, edge: Edge, low: number, high: number): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(index, refs[middle]!, edge)) low = middle + 1;
    else high = middle;
  }
  return low;
}
