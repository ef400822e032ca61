/**
 * The keys of an index in order. Hash tables have no order, so an index gets one at the first range, and keeps it up to
 * date from then on. A store without ranges has none. While an order is made in small steps, each range gets one of
 * its own (`src/ordering/`).
 *
 * An order is a sorted list of chunks, each with up to 2,048 references to entries of the index, 4 bytes a reference.
 * That is a B+ tree (Comer, "The Ubiquitous B-Tree", 1979) with two levels. More levels would not pay: a million keys
 * have some seven hundred chunks, and a new chunk moves the pointers behind it only once in a thousand keys. Smaller
 * chunks would not either: the objects that each consists of take half a kilobyte. The keys stay in the arenas. A place
 * is found by a binary search among copies of the keys at which chunks begin, and a search within a chunk
 * (`src/search/`).
 *
 * Only new keys change an order. A deletion costs nothing here: the reference stays until a walk passes it and no view
 * can list the key any more (`Walk.remove`), or until the hash table drops the entry (`#renumber`). So a dead key is
 * passed only once, and a queue whose first key is deleted again and again leaves no trail.
 *
 * A walk remembers its last key and no position. When the order has changed, the walk finds its position anew. The
 * order may be ahead of the walk's view and have newer keys. But it has all keys of the view, since the entries of
 * deleted keys keep their numbers while views are open.
 *
 * @module
 */
import { Chunk } from "./chunk.ts";
import { PARTITIONS, type ReadIndex } from "../engine/index.ts";
import type { KeyOrder } from "../engine/interfaces.ts";
import { ENTRY_FIELDS, ID_MASK, type KeyRef, type Partition, refOf } from "../engine/partition.ts";
import { type Edge, isKeyBefore } from "../search/keys.ts";

/** The largest number of references in a chunk. Moving half of them costs less than finding the place. */
const MAX_REFS = 2048;
/** The size of chunks at first. The space left keeps the first new keys from splitting them all. */
const FIRST_REFS = 1536;
/** Neighbouring chunks are joined if they have no more references than this together. */
const FEW_REFS = 512;

/** The order of the keys of an index. Make it with `orderOf`. */
export class Order implements KeyOrder {
  /** The index that the references point into. */
  readonly index: ReadIndex;
  /** Changes whenever positions that were found before become invalid. */
  version = 0;
  /** While the order is saved: tables whose entries have got other numbers, or of which references were removed. */
  changed: Set<number> | undefined;
  /** The chunks in order. None is empty. */
  chunks: Chunk[] = [];
  /** While the order grows: the table and the entry to add next. */
  #nextTable: number = PARTITIONS;
  #nextId = 0;
  /** For each table one bit for each entry: whether the order had it from the start. */
  #known: (Uint8Array | undefined)[] = [];

  /** An order of the entries of `index` in `sorted`, which are in order. */
  constructor(index: ReadIndex, sorted: Uint32Array) {
    this.index = index;
    for (let from = 0; from < sorted.length; from += FIRST_REFS) this.append(sorted.slice(from, from + FIRST_REFS));
  }

  /** Appends references that are in order and follow all others. */
  append(refs: Uint32Array): void {
    const { chunks } = this;
    const last = chunks.at(-1);
    const chunk = new Chunk(this.index, refs);
    if (last === undefined || last.length + refs.length > FIRST_REFS) chunks.push(chunk);
    else chunks[chunks.length - 1] = last.joined(chunk);
  }

  /** Whether it has all keys of the index. */
  get isWhole(): boolean {
    return this.#nextTable === PARTITIONS;
  }

  /** Number of references. */
  get length(): number {
    return this.chunks.reduce((sum, { length }) => sum + length, 0);
  }

  /** Memory held, in bytes. */
  get heldBytes(): number {
    return this.chunks.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** Whether it was loaded, so that little is missing. */
  get isLoaded(): boolean {
    return this.#known.length > 0;
  }

  /**
   * Makes this the order of its index, which then reports changes to it. `grow` has to complete it, unless it has all
   * keys. `known` has for each table one bit for each entry: whether it is there.
   */
  attach(known: Uint8Array[] | "all"): this {
    for (let table = 0; table < PARTITIONS; table++) this.follow(table, this.index.existing(table));
    if (known !== "all") {
      this.#known = known;
      this.#nextTable = 0;
    }
    this.index.order = this;
    return this;
  }

  /** Examines the next `count` entries, and adds those that are missing. */
  grow(count: number): void {
    for (; this.#nextTable < PARTITIONS; this.#nextTable++, this.#nextId = 0) {
      const end = this.index.existing(this.#nextTable)?.count ?? 0;
      const known = this.#known[this.#nextTable];
      for (; this.#nextId < end; this.#nextId++) {
        const eight = known?.[this.#nextId >>> 3] ?? 0;
        if ((eight >>> (this.#nextId & 7) & 1) !== 0) {
          if (eight === 0xff) this.#nextId |= 7;
          continue;
        }
        if (count-- === 0) return;
        const ref = refOf(this.#nextTable, this.#nextId);
        if (isListed(this.index, ref)) this.add(ref);
      }
    }
  }

  /** Subscribes to the renumbering of a table. */
  follow(number: number, partition: Partition | undefined): void {
    if (partition === undefined) return;
    partition.onDrop = (ids) => this.#change(() => this.#renumber(number, ids));
  }

  /** Adds an entry whose key is listed from now on, unless it is there already. */
  add(ref: KeyRef): void {
    this.#change(() => this.#insert(ref));
  }

  /** Makes a change. If there is no memory for it, this order is abandoned, and the next range makes a new one. */
  #change(change: () => void): void {
    try {
      change();
    } catch {
      if (this.index.order === this) this.index.order = undefined;
    }
  }

  /** Inserts a reference. If there is no memory for it, nothing changes, so walks can go on. */
  #insert(ref: KeyRef): void {
    const { chunks } = this;
    const edge = { ...this.index.keyOf(ref), isBehind: false };
    const number = this.chunkOf(edge);
    const chunk = chunks[number];
    const at = chunk?.find(edge) ?? 0;
    if (chunk === undefined) this.append(Uint32Array.of(ref));
    else if ((at < chunk.length ? chunk.refs[at] : chunks[number + 1]?.refs[0]) === ref) return;
    else if (chunk.length < MAX_REFS) chunk.insert(at, ref);
    else if (at === MAX_REFS) chunks.splice(number + 1, 0, new Chunk(this.index, Uint32Array.of(ref)));
    else {
      const half = MAX_REFS / 2;
      chunks.splice(number, 1, chunk.part(0, half), chunk.part(half, MAX_REFS));
      return this.#insert(ref);
    }
    this.version++;
  }

  /** Removes a reference. Returns false if its chunk is dropped or joined with a neighbour. */
  remove(number: number, at: number): boolean {
    const { chunks } = this;
    const chunk = chunks[number]!;
    const next = chunks[number + 1];
    this.changed?.add(chunk.refs[at]! >>> 24);
    chunk.remove(at);
    this.version++;
    if (chunk.length > 0 && chunk.length + (next?.length ?? MAX_REFS) > FEW_REFS) return true;
    if (chunk.length === 0) chunks.splice(number, 1);
    else chunks.splice(number, 2, chunk.joined(next!));
    return false;
  }

  /** The number of the last chunk that begins before an edge; 0 if none does. */
  chunkOf(edge: Edge): number {
    const { chunks } = this;
    let low = 0;
    let high = chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (isKeyBefore(chunks[middle]!.first, 0, edge)) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /**
   * Brings entries and keys that will be needed soon into the processor's cache. The processor loads them all at once,
   * instead of one after the other when each is needed. Scans take two thirds of the time with it, those of keys alone
   * half. Returns a sum of what it reads, so that the compiler cannot remove the reads.
   */
  prefetch(refs: Uint32Array, from: number, to: number): number {
    let sum = 0;
    for (let i = from; i < to; i++) {
      const ref = refs[i]!;
      const { entries, arena } = this.index.loaded(ref >>> 24)!;
      sum += arena[entries[(ref & ID_MASK) * ENTRY_FIELDS]!]!;
    }
    return sum;
  }

  /** Renumbers the entries of a table. `ids` has the new numbers, counted from 1; 0 for entries that are gone. */
  #renumber(table: number, ids: Uint32Array): void {
    for (const chunk of this.chunks) chunk.renumber(table, ids);
    this.chunks = joined(this.chunks);
    this.changed?.add(table);
    this.version++;
    this.#known[table] = undefined;
    if (table === this.#nextTable) this.#nextId = 0;
  }
}

/** The order of an index, if it has one. It may still be growing. */
export function orderIn(index: ReadIndex): Order | undefined {
  return index.order as Order | undefined;
}

/** Whether the index lists the key of an entry, or a view might: while there are views, any might. */
export function isListed(index: ReadIndex, ref: KeyRef): boolean {
  return index.holds > 0 || index.lists(ref);
}

/** Drops empty chunks, and joins small neighbours. */
function joined(chunks: Chunk[]): Chunk[] {
  const kept: Chunk[] = [];
  for (const chunk of chunks) {
    const last = kept.at(-1);
    if (chunk.length === 0) continue;
    if (last === undefined || last.length + chunk.length > FEW_REFS) {
      kept.push(chunk);
      continue;
    }
    kept[kept.length - 1] = last.joined(chunk);
  }
  return kept;
}
