/**
 * The block cache: pieces of the log that were read, kept in memory. What a log has written never changes, so nothing
 * here ever has to be brought up to date: blocks only make room for others.
 *
 * A `get` without it is a system call; most of its time is that. With it the neighbours of a record come along for
 * little: a block is a page of the operating system's own cache, which is what it reads in any case.
 *
 * @module
 */
import type { RecordCache } from "../engine/interfaces.ts";
import { readInto } from "../platform/files.ts";
import { type RecordBuffer, recordBuffer } from "../engine/record.ts";
import type { Segment } from "../engine/segment.ts";

const BLOCK_BYTES = 4096;
/** Blocks are cut from larger pieces of memory: each array of its own costs the garbage collector. */
const BLOCKS_PER_SLAB = 256;
/** After so many misses it is asked again whether reading blocks pays off. */
const MISSES_PER_LOOK = 1024;
/** If it does not, one in so many misses still brings its block in, as what is in demand may change. */
const SAMPLE = 16;
/** Of longer records a get costs more than the system call, and a few of them would displace many blocks. */
const MAX_RECORD_BYTES = 1024;

/**
 * Blocks of segments, up to so many bytes. Which one goes when there is no more room is found by the clock algorithm
 * (Corbató, "A Paging Experiment with the Multics System", 1968): a hand goes round and takes the first block that was
 * not used since it came by last.
 *
 * Where less than half of the reads find their block, most blocks are thrown out before they are used a second time, and
 * reading a whole one for each record only costs (20 million keys in 256 MiB: 5.9 instead of 4.2 µs a `get`). Then what
 * is here stays, and only a sample of the others comes in.
 */
export class BlockCache implements RecordCache {
  /** Memory that holds the record that `load` was asked for … */
  bytes: Uint8Array = new Uint8Array(0);
  /** … a view on it … */
  view: DataView = new DataView(this.bytes.buffer);
  /** … and where in it the record starts. */
  at = 0;
  readonly #slabs: RecordBuffer[] = [];
  /** Per place for a block: whose block is there, its number in that segment, and whether it was used lately. */
  readonly #owners: Segment[] = [];
  #blocks: Uint32Array;
  #used: Uint8Array;
  readonly #joined: RecordBuffer = recordBuffer(MAX_RECORD_BYTES);
  #hand = 0;
  #hits = 0;
  #misses = 0;
  /** Whether only a sample of the blocks that are missing is read. */
  #isSelective = false;

  /** An empty cache. */
  constructor(capacityBytes: number) {
    const places = Math.floor(capacityBytes / BLOCK_BYTES);
    this.#blocks = new Uint32Array(places);
    this.#used = new Uint8Array(places);
  }

  /**
   * Finds a record, reading its block if need be. False for a long one, and for one whose block is not written to its end
   * yet: those are read from the file.
   */
  load(segment: Segment, offset: number, length: number): boolean {
    if (length > MAX_RECORD_BYTES) return false;
    const block = Math.floor(offset / BLOCK_BYTES);
    const start = offset - block * BLOCK_BYTES;
    if (!this.#find(segment, block, start)) return false;
    const left = BLOCK_BYTES - start;
    return length <= left || this.#join(segment, block + 1, left, length - left);
  }

  /** Whether there is room for any block at all. */
  get isOn(): boolean {
    return this.#used.length > 0;
  }

  /** Whether finding a record, or at least its start, reads nothing. */
  has(segment: Segment, offset: number, length: number): boolean {
    return length <= MAX_RECORD_BYTES && (segment.cached[Math.floor(offset / BLOCK_BYTES)] ?? 0) > 0;
  }

  /** Forgets everything, and keeps nothing any more. */
  close(): void {
    this.#blocks = new Uint32Array(0);
    this.#used = new Uint8Array(0);
    this.#slabs.length = 0;
    this.#owners.length = 0;
  }

  /** Forgets the blocks that a record is in. */
  drop(segment: Segment, offset: number, length: number): void {
    const last = Math.floor((offset + length - 1) / BLOCK_BYTES);
    for (let block = Math.floor(offset / BLOCK_BYTES); block <= last; block++) {
      if (block < segment.cached.length) segment.cached[block] = 0;
    }
  }

  /** Makes the fields stand on a byte of a block. */
  #find(segment: Segment, block: number, start: number): boolean {
    if ((block + 1) * BLOCK_BYTES > segment.endBytes) return false;
    // Places are counted from 1, so that 0 is none. Beyond the table's end it is undefined.
    let place = (segment.cached[block] ?? 0) - 1;
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

  /** Puts a record together whose last bytes are in the next block. */
  #join(segment: Segment, block: number, head: number, rest: number): boolean {
    this.#joined.bytes.set(this.bytes.subarray(this.at, this.at + head));
    if (!this.#find(segment, block, 0)) return false;
    this.#joined.bytes.set(this.bytes.subarray(this.at, this.at + rest), head);
    this.bytes = this.#joined.bytes;
    this.view = this.#joined.view;
    this.at = 0;
    return true;
  }

  /** Reads a block, if that is likely to pay off; returns its place, or 0. */
  #miss(segment: Segment, block: number): number {
    if (++this.#misses === MISSES_PER_LOOK) {
      this.#isSelective = this.#owners.length === this.#used.length && this.#hits < MISSES_PER_LOOK;
      this.#hits = 0;
      this.#misses = 0;
    }
    return this.#isSelective && this.#misses % SAMPLE !== 0 ? 0 : this.#read(segment, block);
  }

  /** Reads a block; returns its place, or 0 if there is none for it. */
  #read(segment: Segment, block: number): number {
    if (!this.isOn) return 0;
    const place = this.#owners.length < this.#used.length ? this.#owners.length : this.#evict();
    try {
      const slab = this.#slabs[Math.floor(place / BLOCKS_PER_SLAB)] ?? this.#addSlab();
      const start = (place % BLOCKS_PER_SLAB) * BLOCK_BYTES;
      const got = readInto(segment.handle, slab.bytes.subarray(start, start + BLOCK_BYTES), block * BLOCK_BYTES);
      if (got < BLOCK_BYTES) return 0;
      if (block >= segment.cached.length) growTable(segment);
    } catch {
      // No memory; or a neighbour that cannot be read: the record is tried alone, and has an error of its own to throw.
      return 0;
    }
    segment.cached[block] = place + 1;
    this.#owners[place] = segment;
    this.#blocks[place] = block;
    return place + 1;
  }

  /** Frees the place of a block that was not used lately. */
  #evict(): number {
    while (this.#used[this.#hand] === 1) {
      this.#used[this.#hand] = 0;
      this.#hand = (this.#hand + 1) % this.#used.length;
    }
    const place = this.#hand;
    const { cached } = this.#owners[place]!;
    const block = this.#blocks[place]!;
    // The block may be elsewhere by now, if it was dropped, or what was to come into this place could not be read.
    if (cached[block] === place + 1) cached[block] = 0;
    this.#hand = (this.#hand + 1) % this.#used.length;
    return place;
  }

  #addSlab(): RecordBuffer {
    const slab = recordBuffer(BLOCKS_PER_SLAB * BLOCK_BYTES);
    this.#slabs.push(slab);
    return slab;
  }
}

/** Makes a segment's table of cached blocks as long as the segment is, or, while it grows, twice as long. */
function growTable(segment: Segment): void {
  const blocks = Math.ceil(segment.endBytes / BLOCK_BYTES);
  const table = new Uint32Array(segment.sealed ? blocks : 2 * blocks);
  table.set(segment.cached);
  segment.cached = table;
}
