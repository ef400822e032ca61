/**
 * The keys in order. A hash table has none, so an index gets this beside it at the first range; from then on it is kept
 * up to date. A store that nobody scans has none of it.
 *
 * While it is being made, in small steps (`grow`), ranges get an order of what they ask for alone (`select.ts`).
 *
 * It is a sorted list of chunks: up to 512 references of 4 bytes each, to entries of the index, and one array with all
 * chunks. That is a B+ tree (Comer, "The Ubiquitous B-Tree", 1979) of two levels. More levels would not pay: a million
 * keys have some three thousand chunks, and a new one moves the pointers behind it once in 256 keys. Keys stay in the
 * arenas where they are: finding a place compares some twenty of them, which is most of the two microseconds that a new
 * key costs.
 *
 * Only a new key changes the order. That of a deleted or expired one stays until somebody walks over it whom nothing
 * keeps from taking it out, no view that may list it (`Walk.remove`), or until the hash table drops its entry
 * (`renumber`). So a deletion costs nothing here, and a dead key is stepped over once: a queue whose first key is
 * deleted again and again leaves no trail.
 *
 * Whoever walks remembers the last key, not a place: when the order has changed meanwhile, the walk finds its place
 * anew. The order that is walked may be ahead of what the walker is to see, as it has keys that came later; and it has
 * all that he may see, as entries of deleted keys keep their numbers while views are open.
 *
 * @module
 */
import type { KeyBytes, KeyOrder, ReadIndex } from "../engine/index.ts";
import { PARTITIONS } from "../engine/index.ts";
import { ENTRY_FIELDS, ID_MASK, type KeyRef, type Partition, refOf } from "../engine/partition.ts";
import { sortRefs } from "./sort.ts";

/** References in a chunk at most: moving half of so many costs less than finding the place. */
const MAX_REFS = 512;
/** As full are chunks at the beginning, so that the first new keys do not split them all. */
const FIRST_REFS = 384;
/** Neighbours that together are no larger become one. */
const FEW_REFS = 128;
/** Chunks grow by so many references: what is allocated and not used would be a third of it all. */
const STEP_REFS = 32;

/** A place between keys: before or behind one that is equal to the bytes, if there is one. */
export interface Edge extends KeyBytes {
  /** Behind it. */
  isBehind: boolean;
}

interface Chunk {
  refs: Uint32Array;
  length: number;
}

/** The order of the keys of an index; make it with `orderOf`. */
export class Order implements KeyOrder {
  /** Whose keys these are. */
  readonly index: ReadIndex;
  /** Whenever this changes, places that somebody found are no longer right. */
  version = 0;
  /** The chunks. None is empty. */
  chunks: Chunk[] = [];
  /** While it is being made: the entry to take in next. */
  #nextTable: number = PARTITIONS;
  #nextId = 0;

  /** An order of those entries of `index`, which are sorted. */
  constructor(index: ReadIndex, sorted: Uint32Array) {
    this.index = index;
    for (let from = 0; from < sorted.length; from += FIRST_REFS) {
      const refs = sorted.slice(from, from + FIRST_REFS);
      this.chunks.push({ refs, length: refs.length });
    }
  }

  /** Whether it has all keys. */
  get isWhole(): boolean {
    return this.#nextTable === PARTITIONS;
  }

  /** Number of references. */
  get length(): number {
    return this.chunks.reduce((sum, { length }) => sum + length, 0);
  }

  /** Memory held, in bytes. */
  get heldBytes(): number {
    return this.chunks.reduce((sum, { refs }) => sum + refs.byteLength, 0);
  }

  /** Becomes the order of its index, and hears of what changes. Unless it is whole, `grow` has to complete it. */
  attach(isWhole: boolean): this {
    for (let table = 0; table < PARTITIONS; table++) this.follow(table, this.index.existing(table));
    if (!isWhole) this.#nextTable = 0;
    this.index.order = this;
    return this;
  }

  /** Looks at so many entries, and takes in those that it has not. */
  grow(count: number): void {
    for (; this.#nextTable < PARTITIONS; this.#nextTable++, this.#nextId = 0) {
      const end = this.index.existing(this.#nextTable)?.count ?? 0;
      for (; this.#nextId < end; this.#nextId++) {
        if (count-- === 0) return;
        const ref = refOf(this.#nextTable, this.#nextId);
        if (isListed(this.index, ref)) this.add(ref);
      }
    }
  }

  /** Hears of a table's entries getting other numbers. */
  follow(number: number, partition: Partition | undefined): void {
    if (partition === undefined) return;
    partition.onDrop = (ids) => {
      try {
        this.#renumber(number, ids);
      } catch {
        this.#giveUp();
      }
    };
  }

  /** Takes in an entry whose key is listed from now on; one that is there already stays. */
  add(ref: KeyRef): void {
    try {
      this.#insert(ref);
    } catch {
      this.#giveUp();
    }
  }

  /** There is no memory for a change: the next range makes another order. */
  #giveUp(): void {
    if (this.index.order === this) this.index.order = undefined;
  }

  /** If there is no memory for it, nothing has changed: walks that are under way go on. */
  #insert(ref: KeyRef): void {
    const { chunks } = this;
    const [number, at] = this.find({ ...this.index.keyOf(ref), isBehind: false });
    const chunk = chunks[number];
    if (chunk === undefined) chunks.push({ refs: Uint32Array.of(ref), length: 1 });
    else if ((at < chunk.length ? chunk.refs[at] : chunks[number + 1]?.refs[0]) === ref) return;
    else if (chunk.length < MAX_REFS) insert(chunk, at, ref);
    else if (at === MAX_REFS) chunks.splice(number + 1, 0, { refs: Uint32Array.of(ref), length: 1 });
    else {
      const half = MAX_REFS / 2;
      const upper = { refs: chunk.refs.slice(half), length: half };
      const lower = { refs: chunk.refs.slice(0, half), length: half };
      insert(at <= half ? lower : upper, at <= half ? at : at - half, ref);
      chunks.splice(number, 1, lower, upper);
    }
    this.version++;
  }

  /** Takes a reference out. False if its chunk is not where it was any more. */
  remove(number: number, at: number): boolean {
    const chunk = this.chunks[number]!;
    chunk.refs.copyWithin(at, at + 1, chunk.length--);
    this.version++;
    const next = this.chunks[number + 1];
    if (chunk.length > 0 && chunk.length + (next?.length ?? MAX_REFS) > FEW_REFS) return true;
    this.chunks.splice(number, 2, ...joined([chunk, ...(next === undefined ? [] : [next])]));
    return false;
  }

  /** Where an edge is: the number of a chunk, and how many of its references are before the edge. */
  find(edge: Edge): [chunk: number, at: number] {
    let low = 0;
    let high = this.chunks.length - 1;
    // The last chunk that begins before the edge.
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.isBefore(this.chunks[middle]!.refs[0]!, edge)) low = middle;
      else high = middle - 1;
    }
    return [low, this.chunks.length === 0 ? 0 : this.findIn(low, edge)];
  }

  /** How many references of a chunk are before an edge. */
  findIn(number: number, edge: Edge): number {
    const { refs, length } = this.chunks[number]!;
    let low = 0;
    let high = length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.isBefore(refs[middle]!, edge)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether an entry's key is before an edge. */
  isBefore(ref: KeyRef, edge: Edge): boolean {
    const { entries, arena } = this.index.loaded(ref >>> 24)!;
    return isKeyBefore(arena, entries[(ref & ID_MASK) * ENTRY_FIELDS]!, edge);
  }

  /**
   * Looks at entries and keys that will be needed soon: the processor waits for all of them at once, where it would wait
   * for one after the other when they are needed. It makes scans half as fast again, and those of keys alone twice as
   * fast. Returns what keeps the looks from being left out.
   */
  touch(refs: Uint32Array, from: number, to: number): number {
    let sum = 0;
    for (let i = from; i < to; i++) {
      const ref = refs[i]!;
      const { entries, arena } = this.index.loaded(ref >>> 24)!;
      sum += arena[entries[(ref & ID_MASK) * ENTRY_FIELDS]!]!;
    }
    return sum;
  }

  /** Entries of a table have other numbers (counted from 1), or are gone (0). */
  #renumber(table: number, ids: Uint32Array): void {
    for (const chunk of this.chunks) {
      const { refs, length } = chunk;
      let kept = 0;
      for (let i = 0; i < length; i++) {
        const ref = refs[i]!;
        const id = ref >>> 24 === table ? ids[ref & ID_MASK]! : -1;
        if (id !== 0) refs[kept++] = id < 0 ? ref : refOf(table, id - 1);
      }
      chunk.length = kept;
    }
    this.chunks = joined(this.chunks);
    this.version++;
    if (table === this.#nextTable) this.#nextId = 0;
  }
}

/** The order that an index has by now; it may still be growing. */
export function orderIn(index: ReadIndex): Order | undefined {
  return index.order as Order | undefined;
}

/** The order of an index's keys, made at once if there is none. Reads all tables: that may fail. */
export function orderOf(index: ReadIndex): Order {
  const order = orderIn(index);
  if (order?.isWhole) return order;
  return new Order(index, sortRefs(refsOf(index), index)).attach(true);
}

/** Whether the key at a place of an arena is before an edge. */
export function isKeyBefore(arena: Uint8Array, at: number, { bytes, start, length, isBehind }: Edge): boolean {
  const ownLength = arena[at]! | (arena[at + 1]! << 8);
  const common = Math.min(ownLength, length);
  for (let i = 0; i < common; i++) {
    const difference = arena[at + 2 + i]! - bytes[start + i]!;
    if (difference !== 0) return difference < 0;
  }
  return ownLength < length || (isBehind && ownLength === length);
}

/** Whether the present or, for all that is known here, a view lists the key of an entry. */
function isListed(index: ReadIndex, ref: KeyRef): boolean {
  return index.holds > 0 || index.lists(ref);
}

/** References to all entries of an index; those of deleted and expired keys only where a view may list them. */
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

function insert(chunk: Chunk, at: number, ref: KeyRef): void {
  if (chunk.length === chunk.refs.length) {
    const refs = new Uint32Array(Math.min(MAX_REFS, chunk.length + STEP_REFS));
    refs.set(chunk.refs);
    chunk.refs = refs;
  }
  chunk.refs.copyWithin(at + 1, at, chunk.length++);
  chunk.refs[at] = ref;
}

/** Chunks without the empty ones, and with small neighbours as one. */
function joined(chunks: Chunk[]): Chunk[] {
  const kept: Chunk[] = [];
  for (const chunk of chunks) {
    const last = kept.at(-1);
    if (chunk.length === 0) continue;
    if (last === undefined || last.length + chunk.length > FEW_REFS) {
      kept.push(chunk);
      continue;
    }
    const refs = new Uint32Array(last.length + chunk.length);
    refs.set(last.refs.subarray(0, last.length));
    refs.set(chunk.refs.subarray(0, chunk.length), last.length);
    kept[kept.length - 1] = { refs, length: refs.length };
  }
  return kept;
}
