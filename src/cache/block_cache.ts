/**
 * The block cache: blocks of the log that were read, kept in memory. Written bytes of a log never change, so a block is
 * never updated. It only makes room for another one.
 *
 * Without the cache, most of the time of a `get` goes into a system call. Reading a whole block costs little more than
 * reading a record, since a block is a page of the operating system's own cache, and it brings the neighbours along.
 *
 * @module
 */
import type { RecordCache } from "../engine/interfaces.ts";
import { readInto } from "../platform/files.ts";
import { type RecordBuffer, recordBuffer } from "../engine/record.ts";
import type { Segment } from "../engine/segment.ts";

/** The table of a segment of which nothing is cached. */
const EMPTY_TABLE = new Uint32Array(0);

const BLOCK_BYTES = 4096;
/** Blocks are parts of larger arrays, since every array costs the garbage collector time. */
const BLOCKS_PER_SLAB = 256;
/** The first of these arrays begins with so many blocks, and doubles: many stores are opened for a few keys. */
const FIRST_BLOCKS = 16;
/**
 * Where the first block of a slab starts in its memory. Blocks start at a page in the file. Allocators place large memory
 * 16 bytes behind the start of a page, and a copy to up to 31 bytes behind the place in its page that it comes from takes
 * four times as long on some processors (AMD EPYC, measured: reading a block takes 3.5 to 4.2 instead of 1.8 to 2.6 µs).
 */
const SLAB_START_BYTES = 64;
/** A scan of everything reads so many blocks at once. */
const BLOCKS_PER_CHUNK = 16;
/** The processor loads memory in pieces of this size. */
const LINE_BYTES = 64;
/** So many records can be noted to be touched. */
const MAX_NOTED = 16;
/** After this many misses, the cache decides anew whether reading blocks pays off. */
const MISSES_PER_DECISION = 1024;
/** If reading blocks does not pay off, one miss in this many still reads its block, since demand may change. */
const MISSES_PER_SAMPLE = 16;
/** Longer records are not cached: reading one costs more than the system call, and a few would displace many blocks. */
const MAX_RECORD_BYTES = 1024;

/**
 * Caches blocks of segments, up to a number of bytes. The clock algorithm decides which block makes room (Corbató, "A
 * Paging Experiment with the Multics System", 1968): a hand goes round, and evicts the first block that was not used
 * since the hand passed it.
 *
 * If fewer than half of the reads find their block, most blocks are evicted before they are used again. Then reading a
 * whole block for each record is a loss (20 million keys in 256 MiB: 5.9 instead of 4.2 µs a `get`). In this case the
 * cached blocks stay, and only a sample of the missing ones is read.
 */
export class BlockCache implements RecordCache {
  /** Memory that holds the record that `load` has found. */
  bytes: Uint8Array = new Uint8Array(0);
  /** A view of `bytes`. */
  view: DataView = new DataView(this.bytes.buffer);
  /** Where in `bytes` the record starts. */
  at = 0;
  readonly #slabs: RecordBuffer[] = [];
  /** For each place of a block: its segment, its number in that segment, and whether it was used lately. */
  readonly #owners: Segment[] = [];
  #blocks: Uint32Array = new Uint32Array(0);
  #used: Uint8Array = new Uint8Array(0);
  /** How many blocks there may be. */
  #places: number;
  readonly #joined: RecordBuffer = recordBuffer(MAX_RECORD_BYTES);
  /** Where the noted records start. */
  readonly #notedBytes: Uint8Array[] = [];
  readonly #notedAt: Int32Array = new Int32Array(MAX_NOTED);
  #noted = 0;
  #hand = 0;
  #hits = 0;
  #misses = 0;
  /** Whether only a sample of the missing blocks is read. */
  #isSelective = false;

  /** An empty cache. */
  constructor(capacityBytes: number) {
    this.#places = Math.floor(capacityBytes / BLOCK_BYTES);
  }

  /**
   * Finds a record, reading its block if necessary. Returns false for a long record, and for one whose block is not yet
   * written to its end. Those have to be read from the file.
   */
  load(segment: Segment, offset: number, length: number): boolean {
    if (length > MAX_RECORD_BYTES) return false;
    const block = Math.floor(offset / BLOCK_BYTES);
    const start = offset - block * BLOCK_BYTES;
    if (!this.#find(segment, block, start)) return false;
    const bytesInBlock = BLOCK_BYTES - start;
    return length <= bytesInBlock || this.#join(segment, block + 1, bytesInBlock, length - bytesInBlock);
  }

  /** Whether the cache has room for at least one block. */
  get isOn(): boolean {
    return this.#places > 0;
  }

  /** Whether a record, or at least its start, is in memory. */
  has(segment: Segment, offset: number, length: number): boolean {
    return length <= MAX_RECORD_BYTES && (tableOf(segment)[Math.floor(offset / BLOCK_BYTES)] ?? 0) > 0;
  }

  /**
   * Reads the chunk that a record starts in, without what is in memory of it, while there is room. For scans that read
   * everything: in a log whose records lie in another order they would read each block by itself.
   */
  readChunk(segment: Segment, offset: number, length: number): void {
    if (length > MAX_RECORD_BYTES || this.has(segment, offset, length)) return;
    const table = tableOf(segment);
    let from = Math.floor(offset / BLOCK_BYTES);
    const begin = from - from % BLOCKS_PER_CHUNK;
    const end = Math.min(begin + BLOCKS_PER_CHUNK, Math.floor(segment.endBytes / BLOCK_BYTES));
    let to = from;
    while (from > begin && !(table[from - 1]! > 0)) from--;
    while (to < end && !(table[to]! > 0)) to++;
    const place = this.#owners.length;
    const room = Math.min(BLOCKS_PER_SLAB - place % BLOCKS_PER_SLAB, this.#places - place);
    if (to > from && to - from <= room) this.#read(segment, from, place, to - from);
  }

  /** Notes that a record will be read soon, if its start is in memory. At most `MAX_NOTED` between calls of `touch`. */
  note(segment: Segment, offset: number): void {
    const block = Math.floor(offset / BLOCK_BYTES);
    const place = (tableOf(segment)[block] ?? 0) - 1;
    // There is no slab once the cache is closed.
    const slab = place < 0 ? undefined : this.#slabs[Math.floor(place / BLOCKS_PER_SLAB)];
    if (slab === undefined || this.#noted === MAX_NOTED) return;
    this.#notedBytes[this.#noted] = slab.bytes;
    this.#notedAt[this.#noted++] = (place % BLOCKS_PER_SLAB) * BLOCK_BYTES + offset - block * BLOCK_BYTES;
  }

  /**
   * Brings the first bytes of the noted records into the processor's cache: headers, keys and short values. This loop
   * does nothing else, so that the processor gets ahead in it and waits for many records at the same time. Returns a sum
   * of what it reads, so that the compiler cannot remove the reads.
   */
  touch(): number {
    let sum = 0;
    for (let i = 0; i < this.#noted; i++) {
      const bytes = this.#notedBytes[i]!;
      const at = this.#notedAt[i]!;
      const last = bytes.length - 1;
      sum += bytes[at]! + bytes[Math.min(at + LINE_BYTES, last)]! + bytes[Math.min(at + 2 * LINE_BYTES, last)]!;
    }
    this.#noted = 0;
    return sum;
  }

  /** Frees all memory. Nothing is cached afterwards. */
  close(): void {
    this.#places = 0;
    this.#blocks = new Uint32Array(0);
    this.#used = new Uint8Array(0);
    this.#slabs.length = 0;
    this.#notedBytes.length = 0;
    this.#owners.length = 0;
  }

  /** Drops the blocks that hold a record. */
  drop(segment: Segment, offset: number, length: number): void {
    const last = Math.floor((offset + length - 1) / BLOCK_BYTES);
    const table = tableOf(segment);
    for (let block = Math.floor(offset / BLOCK_BYTES); block <= last; block++) {
      if (block < table.length) table[block] = 0;
    }
  }

  /** Points `bytes`, `view` and `at` at a byte of a block. Returns false if the block is not in memory. */
  #find(segment: Segment, block: number, start: number): boolean {
    if ((block + 1) * BLOCK_BYTES > segment.endBytes) return false;
    // Places are counted from 1, so that 0 is none. Beyond the table's end it is undefined.
    let place = (tableOf(segment)[block] ?? 0) - 1;
    if (place >= 0) this.#hits++;
    else place = this.#miss(segment, block) - 1;
    if (place < 0) return false;
    this.#used[place] = 1;
    const slab = this.#slabs[Math.floor(place / BLOCKS_PER_SLAB)]!;
    this.bytes = slab.bytes;
    this.view = slab.view;
    this.at = (place % BLOCKS_PER_SLAB) * BLOCK_BYTES + start;
    return true;
  }

  /** Joins the two parts of a record that continues in the next block. */
  #join(segment: Segment, block: number, headBytes: number, tailBytes: number): boolean {
    this.#joined.bytes.set(this.bytes.subarray(this.at, this.at + headBytes));
    if (!this.#find(segment, block, 0)) return false;
    this.#joined.bytes.set(this.bytes.subarray(this.at, this.at + tailBytes), headBytes);
    this.bytes = this.#joined.bytes;
    this.view = this.#joined.view;
    this.at = 0;
    return true;
  }

  /** Reads a missing block if that is likely to pay off. Returns its place, or 0. */
  #miss(segment: Segment, block: number): number {
    if (++this.#misses === MISSES_PER_DECISION) {
      this.#isSelective = this.#owners.length === this.#places && this.#hits < MISSES_PER_DECISION;
      this.#hits = 0;
      this.#misses = 0;
    }
    if (!this.isOn || (this.#isSelective && this.#misses % MISSES_PER_SAMPLE !== 0)) return 0;
    return this.#read(segment, block, this.#owners.length < this.#places ? this.#owners.length : this.#evict(), 1);
  }

  /** Reads `count` blocks to a place and those after it, in one slab. Returns that place, or 0 if the read failed. */
  #read(segment: Segment, block: number, place: number, count: number): number {
    try {
      const slab = this.#slabFor(place, count);
      const start = (place % BLOCKS_PER_SLAB) * BLOCK_BYTES;
      const target = slab.bytes.subarray(start, start + count * BLOCK_BYTES);
      if (readInto(segment.handle, target, block * BLOCK_BYTES) < target.length) return 0;
      if (block + count > tableOf(segment).length) growTable(segment);
    } catch {
      // No memory, or an unreadable neighbour. The record is then read alone, and throws its own error.
      return 0;
    }
    for (let i = 0; i < count; i++) {
      tableOf(segment)[block + i] = place + i + 1;
      this.#owners[place + i] = segment;
      this.#blocks[place + i] = block + i;
    }
    return place + 1;
  }

  /** Evicts a block that was not used lately, and returns its place. */
  #evict(): number {
    while (this.#used[this.#hand] === 1) {
      this.#used[this.#hand] = 0;
      this.#hand = (this.#hand + 1) % this.#places;
    }
    const place = this.#hand;
    const cached = tableOf(this.#owners[place]!);
    const block = this.#blocks[place]!;
    // The block may be at another place by now: after a `drop`, or if the read of its successor here failed.
    if (cached[block] === place + 1) cached[block] = 0;
    this.#hand = (this.#hand + 1) % this.#places;
    return place;
  }

  /** The memory of a place and those after it. */
  #slabFor(place: number, count: number): RecordBuffer {
    const number = Math.floor(place / BLOCKS_PER_SLAB);
    const slab = this.#slabs[number];
    const needed = place % BLOCKS_PER_SLAB + count;
    if (slab !== undefined && needed * BLOCK_BYTES <= slab.bytes.length) return slab;
    let blocks = number === 0 ? FIRST_BLOCKS : BLOCKS_PER_SLAB;
    while (blocks < needed) blocks *= 2;
    const { buffer } = new Uint8Array(SLAB_START_BYTES + blocks * BLOCK_BYTES);
    const larger = { bytes: new Uint8Array(buffer, SLAB_START_BYTES), view: new DataView(buffer, SLAB_START_BYTES) };
    if (slab !== undefined) larger.bytes.set(slab.bytes);
    this.#growTables(number * BLOCKS_PER_SLAB + blocks);
    return this.#slabs[number] = larger;
  }

  /** Makes room for what is noted of so many places. */
  #growTables(places: number): void {
    if (places <= this.#used.length) return;
    const blocks = new Uint32Array(Math.max(places, 2 * this.#used.length));
    const used = new Uint8Array(blocks.length);
    blocks.set(this.#blocks);
    used.set(this.#used);
    this.#blocks = blocks;
    this.#used = used;
  }
}

/** For each block of a segment its place in the cache, counted from 1; 0: none. The segment keeps the table. */
function tableOf({ cached }: Segment): Uint32Array {
  return cached as Uint32Array | undefined ?? EMPTY_TABLE;
}

/** Grows a segment's table of cached blocks to the segment's length; to twice that while the segment itself grows. */
function growTable(segment: Segment): void {
  const blocks = Math.ceil(segment.endBytes / BLOCK_BYTES);
  const table = new Uint32Array(segment.sealed ? blocks : 2 * blocks);
  table.set(tableOf(segment));
  segment.cached = table;
}
