/**
 * A chunk of an order: references to entries of an index, in the order of their keys.
 *
 * @module
 */
import type { ReadIndex } from "../engine/index.ts";
import { ENTRY_FIELDS, ID_MASK, type KeyRef, refOf } from "../engine/partition.ts";
import { BitTree } from "../search/bit_tree.ts";
import type { Edge, KeyList } from "../search/keys.ts";

/** Room is added for so many references at a time. Full-size chunks would leave a third of the memory unused. */
const STEP = 32;
/** For the upper levels of the bit-tree. */
const MAX_TOPS = 48;

/** References in order. */
export class Chunk implements KeyList {
  /** The references, and room for more. */
  refs: Uint32Array;
  /** How many references there are. */
  length: number;
  /** A copy of the key that it began with, as the arena has it: no key is lower, and none in earlier chunks is higher. */
  readonly first: Uint8Array;
  readonly #index: ReadIndex;
  readonly #tree = new BitTree(MAX_TOPS);

  /** A chunk of references that are in order. `first` is the key at which it begins. */
  constructor(index: ReadIndex, refs: Uint32Array, first: Uint8Array = keyOf(index, refs[0]!)) {
    this.#index = index;
    this.refs = refs;
    this.length = refs.length;
    this.first = first;
  }

  /** Memory held, in bytes. */
  get heldBytes(): number {
    return this.refs.byteLength + this.first.byteLength + this.#tree.heldBytes;
  }

  /** The arena with the key of a reference. */
  arenaOf(at: number): Uint8Array {
    return this.#index.loaded(this.refs[at]! >>> 24)!.arena;
  }

  /** Where in the arena the key of a reference lies. */
  offsetOf(at: number): number {
    const ref = this.refs[at]!;
    return this.#index.loaded(ref >>> 24)!.entries[(ref & ID_MASK) * ENTRY_FIELDS]!;
  }

  /** How many references are before an edge. */
  find(edge: Edge): number {
    return this.#tree.find(this, edge);
  }

  /** Inserts a reference at `at`, which `find` has just returned for its key. Without memory, nothing changes. */
  insert(at: number, ref: KeyRef): void {
    if (this.length === this.refs.length) {
      const refs = new Uint32Array(this.length + STEP);
      refs.set(this.refs);
      this.refs = refs;
    }
    this.#tree.insert(this, at);
    this.refs.copyWithin(at + 1, at, this.length++);
    this.refs[at] = ref;
  }

  /** Removes the reference at `at`. */
  remove(at: number): void {
    this.#tree.remove(this, at);
    this.refs.copyWithin(at, at + 1, this.length--);
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
    this.#tree.reset();
  }

  /** The references from `from` up to `to`. */
  part(from: number, to: number): Chunk {
    const part = new Chunk(this.#index, this.refs.slice(from, to), from === 0 ? this.first : undefined);
    part.#tree.take(this.#tree, from, to);
    return part;
  }

  /** The references of this chunk and those of the next one. */
  joined(next: Chunk): Chunk {
    const refs = new Uint32Array(this.length + next.length);
    refs.set(this.refs.subarray(0, this.length));
    refs.set(next.refs.subarray(0, next.length), this.length);
    return new Chunk(this.#index, refs, this.first);
  }
}

/** A copy of an entry's key, as the arena has it. */
function keyOf(index: ReadIndex, ref: KeyRef): Uint8Array {
  const { bytes, start, length } = index.keyOf(ref);
  return bytes.slice(start - 2, start + length);
}
