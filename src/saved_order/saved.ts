/**
 * The order of the keys as it is saved in the image of the index, so that the first range of the next process needs no
 * sort. It is derived data, like the rest of the image.
 *
 * What the first range needs lies anywhere in the image: a hundred neighbouring keys are in some 80 of the 256 tables,
 * and loading those takes 20 ms for a million keys. So the section has a checksum for each page of 4 KiB of all that
 * lies before it. With that a single entry, and its key, can be read and believed without the rest of its table. A
 * second copy of the keys, in their order, would be faster to read, and would double the size of the image.
 *
 * The section lies behind the partitions. It begins with the references in order, 4 bytes each. The rest is read at
 * once: the CRC-32 of each page up to here (4 bytes each); for each chunk of 384 references, and for the end, where its
 * first key begins (4); and those first keys, each behind its length (2). With them a place is found by reading a
 * single chunk. The footer of the image records the numbers that this takes, and the checksum of the rest.
 *
 * @module
 */
import { PARTITIONS, type ReadIndex } from "../engine/index.ts";
import { ENTRY_FIELDS, ID_MASK, type KeyRef } from "../engine/partition.ts";
import { type Edge, isKeyBefore } from "../search/keys.ts";
import { type Order, orderIn } from "../order/order.ts";
import { Walk } from "../order/walk.ts";
import { crc32 } from "../platform/checksum.ts";
import { readInto } from "../platform/files.ts";
import type { FileHandle } from "../platform/types.ts";

const PAGE_BYTES = 4096;
/** References in a chunk of the section. A range reads one whole chunk to find where it begins. */
export const CHUNK_REFS = 384;
/** What a chunk counts for in slices: enough to look at the clock after each. */
const STEP_BYTES = 8192;

/** What the footer of an image records of the order. */
export interface OrderEntry {
  /** How many references there are. */
  refs: number;
  /** How many bytes the first keys of the chunks take. */
  keys: number;
  /** Checksum of everything behind the references. */
  checksum: number;
  /** Keys that have expired by this time may be missing. */
  now: number;
}

/** Where the parts of a table are in an image. */
export interface TableLayout {
  /** How many entries it has. */
  count: number;
  /** Where the entries begin. */
  entries: number;
  /** Where their times of expiry begin, if any expires. */
  times: number | undefined;
  /** Where the arena begins. */
  arena: number;
  /** Where the table ends. */
  end: number;
}

/** The saved order does not check out. */
export class OrderDamaged extends Error {}

/** Computes the checksums of the pages of a file, while it is written. */
export class PageSums {
  /** Those of the pages so far. The last one may not be full. */
  readonly sums: number[] = [];
  #filled = PAGE_BYTES;

  /** Takes the next bytes of the file. */
  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#filled === PAGE_BYTES) {
        this.sums.push(0);
        this.#filled = 0;
      }
      const end = Math.min(bytes.length, at + PAGE_BYTES - this.#filled);
      this.sums.push(crc32(bytes, this.sums.pop()!, at, end));
      this.#filled += end - at;
      at = end;
    }
  }
}

/** Writes the order of an index behind its tables. */
export class OrderSaver {
  /** The checksums of what has been written. */
  readonly pages: PageSums = new PageSums();
  readonly #order: Order;
  readonly #changed: Set<number>;
  /** Keys that had expired by this time when their table was written may be missing in the order. */
  #expiredBy = 0;

  /** Saves a whole order. Create it before the first table is written. */
  constructor(order: Order) {
    this.#order = order;
    this.#changed = order.changed = new Set();
  }

  /** A table has been written. From now on its entries must keep their numbers, and the order must have all of them. */
  onTable(number: number): void {
    this.#changed.delete(number);
    // The highest, as the clock floor may be lowered meanwhile.
    this.#expiredBy = Math.max(this.#expiredBy, this.#order.index.expired.now);
  }

  /**
   * Appends the section, with references to the first `counts` entries of each table. Yields after each chunk.
   * Returns what the footer records; `undefined` if the order does not fit the tables any more.
   */
  *write(counts: number[], append: (bytes: Uint8Array) => void): Generator<number, OrderEntry | undefined> {
    const { index } = this.#order;
    const walk = new Walk(this.#order, { low: undefined, high: undefined, reverse: false });
    const keys: Uint8Array[] = [];
    const starts = [0];
    const refs = new Uint32Array(CHUNK_REFS);
    let length = 0;
    let written = 0;
    for (let ref = walk.next();; ref = walk.next()) {
      if (length === CHUNK_REFS || (ref === undefined && length > 0)) {
        append(new Uint8Array(refs.buffer, 0, 4 * length));
        written += length;
        yield STEP_BYTES;
        length = 0;
      }
      if (ref === undefined) break;
      if ((ref & ID_MASK) >= counts[ref >>> 24]!) continue;
      if (length === 0) {
        keys.push(withLength(index, ref));
        starts.push(starts.at(-1)! + keys.at(-1)!.length);
      }
      refs[length++] = ref;
    }
    const numbers = Uint32Array.from([...this.pages.sums, ...starts]);
    const rest = new Uint8Array(numbers.byteLength + starts.at(-1)!);
    rest.set(new Uint8Array(numbers.buffer));
    keys.forEach((key, i) => rest.set(key, numbers.byteLength + starts[i]!));
    append(rest);
    if (this.#changed.size > 0 || orderIn(index) !== this.#order) return undefined;
    return { refs: written, keys: starts.at(-1)!, checksum: crc32(rest), now: this.#expiredBy };
  }

  /** Ends the saving. */
  end(): void {
    this.#order.changed = undefined;
  }
}

/** A key behind its length in two bytes, as in an arena. */
function withLength(index: ReadIndex, ref: KeyRef): Uint8Array {
  const { bytes, start, length } = index.keyOf(ref);
  return bytes.slice(start - 2, start + length);
}

/** The file of an image, as a saved order needs it. */
export interface SavedIn {
  /** The file. */
  handle: FileHandle;
  /** Where the tables end. */
  end: number;
  /** Where the parts of a table are. */
  layout(number: number): TableLayout;
  /** Whether the places of entries are within the records of the log. */
  arePlaces(entries: Uint32Array): boolean;
}

/** So many pages are allocated at a time. */
const SLAB_PAGES = 64;

/** An entry in the file. */
export interface SavedEntry {
  /** The key, behind its length. */
  key: Uint8Array;
  /** The entry's fields, as in a table. Valid until the next call. */
  fields: Uint32Array;
  /** When it expires, or 0. */
  expiresAt: number;
}

/** An order in the file of an image, which is read piece by piece. Throws `OrderDamaged` at what does not check out. */
export class SavedOrder {
  /** What the footer records of it. */
  readonly entry: OrderEntry;
  readonly #image: SavedIn;
  /** Pages that were read and checked. */
  #pages: Map<number, Uint8Array> = new Map();
  /** Pages are cut from this: a buffer of its own for each takes longer than to read it. */
  #slab: Uint8Array = new Uint8Array(0);
  readonly #fields = new Uint32Array(ENTRY_FIELDS);
  #rest: { sums: Uint32Array; starts: Uint32Array; keys: Uint8Array } | undefined;

  /** The order behind the tables of an image. */
  constructor(image: SavedIn, entry: OrderEntry) {
    this.#image = image;
    this.entry = entry;
  }

  /** How many chunks there are. All but the last have `CHUNK_REFS` references. */
  get chunks(): number {
    return Math.ceil(this.entry.refs / CHUNK_REFS);
  }

  /** How many entries the tables have in the file. */
  get entries(): number {
    let entries = 0;
    for (let table = 0; table < PARTITIONS; table++) entries += this.countOf(table);
    return entries;
  }

  /** How many entries a table has in the file. */
  countOf(table: number): number {
    return this.#image.layout(table).count;
  }

  /** The references from `from` up to `to`. */
  refs(from: number, to: number): Uint32Array {
    return words(this.#bytes(this.#image.end + 4 * from, 4 * (to - from)));
  }

  /** The first key of a chunk. */
  firstKey(number: number): Edge {
    const { starts, keys } = this.#readRest();
    return {
      bytes: keys,
      start: starts[number]! + 2,
      length: starts[number + 1]! - starts[number]! - 2,
      isBehind: false,
    };
  }

  /** The last chunk that begins before an edge, or the first one. */
  chunkBefore(edge: Edge): number {
    const { starts, keys } = this.#readRest();
    let low = 0;
    let high = this.chunks - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (isKeyBefore(keys, starts[middle]!, edge)) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** An entry of a table in the file. */
  entryOf(ref: KeyRef): SavedEntry {
    const { count, entries, times, arena, end } = this.#image.layout(ref >>> 24);
    const id = ref & ID_MASK;
    if (id >= count) throw new OrderDamaged("a reference to no entry");
    const fields = this.#fields;
    new Uint8Array(fields.buffer).set(this.#bytes(entries + 4 * ENTRY_FIELDS * id, 4 * ENTRY_FIELDS));
    const at = arena + fields[0]!;
    const lengths = this.#bytes(at, 2);
    const length = 2 + (lengths[0]! | (lengths[1]! << 8));
    if (at + length > end || !this.#image.arePlaces(fields)) throw new OrderDamaged("an entry");
    const time = times === undefined ? undefined : new Float64Array(words(this.#bytes(times + 8 * id, 8)).buffer);
    return { key: this.#bytes(at, length), fields, expiresAt: time?.[0] ?? 0 };
  }

  /** Forgets the pages that were read. */
  forgetPages(): void {
    this.#pages = new Map();
  }

  /** Reads what lies behind the references. */
  #readRest(): { sums: Uint32Array; starts: Uint32Array; keys: Uint8Array } {
    if (this.#rest !== undefined) return this.#rest;
    const { chunks, entry } = this;
    const start = this.#image.end + 4 * entry.refs;
    const pages = Math.ceil(start / PAGE_BYTES);
    const bytes = new Uint8Array(4 * (pages + chunks + 1) + entry.keys);
    const got = readInto(this.#image.handle, bytes, start);
    if (got < bytes.length || crc32(bytes) !== entry.checksum) throw new OrderDamaged("checksum of the order");
    const sums = new Uint32Array(bytes.buffer, 0, pages);
    const starts = new Uint32Array(bytes.buffer, 4 * pages, chunks + 1);
    const keys = bytes.subarray(4 * (pages + chunks + 1));
    let last: Edge | undefined;
    for (let i = 0; i < chunks; i++) {
      const start = starts[i]! + 2;
      const length = keys[start - 2]! | (keys[start - 1]! << 8);
      const isRight = start + length === starts[i + 1] && start + length <= keys.length;
      if (!isRight || (last !== undefined && isKeyBefore(keys, start - 2, last))) throw new OrderDamaged("first keys");
      last = { bytes: keys, start, length, isBehind: true };
    }
    return this.#rest = { sums, starts, keys };
  }

  /** Bytes of pages that check out. Valid until `forgetPages`. */
  #bytes(start: number, length: number): Uint8Array {
    // What is empty may lie after the last page.
    if (length === 0) return new Uint8Array(0);
    const number = Math.floor(start / PAGE_BYTES);
    const at = start - number * PAGE_BYTES;
    const page = this.#page(number);
    if (at + length <= page.length) return page.subarray(at, at + length);
    if (page.length < PAGE_BYTES) throw new OrderDamaged("the file ends");
    const bytes = new Uint8Array(length);
    bytes.set(page.subarray(at));
    for (let done = page.length - at; done < length; done += PAGE_BYTES) {
      const next = this.#page(Math.floor((start + done) / PAGE_BYTES));
      bytes.set(next.subarray(0, length - done), done);
    }
    return bytes;
  }

  #page(number: number): Uint8Array {
    const known = this.#pages.get(number);
    if (known !== undefined) return known;
    const { sums } = this.#readRest();
    const end = this.#image.end + 4 * this.entry.refs;
    if (this.#slab.length === 0) this.#slab = new Uint8Array(SLAB_PAGES * PAGE_BYTES);
    const page = this.#slab.subarray(0, Math.max(0, Math.min(PAGE_BYTES, end - number * PAGE_BYTES)));
    this.#slab = this.#slab.subarray(PAGE_BYTES);
    const got = readInto(this.#image.handle, page, number * PAGE_BYTES);
    if (got < page.length || crc32(page) !== sums[number]) throw new OrderDamaged("checksum of a page");
    this.#pages.set(number, page);
    return page;
  }
}

/** Numbers of 32 bits in bytes that need not be aligned. */
function words(bytes: Uint8Array): Uint32Array<ArrayBuffer> {
  return new Uint32Array(bytes.slice().buffer);
}
