/**
 * The cursor: walks over the records of a segment, in file order, through a window of memory. Replay, recovery,
 * compaction, verify and repair all read the log through it, so that they agree on what a record is.
 *
 * @module
 */
import { asIo } from "../errors.ts";
import { readInto } from "../platform/files.ts";
import {
  expiryOf,
  headerIsIntact,
  KIND,
  placeSeed,
  readHeader,
  RECORD_HEADER_BYTES,
  type RecordBuffer,
  recordBuffer,
  RecordHeader,
  recordIsIntact,
  valueIsIntact,
} from "./record.ts";
import { MAX_SEGMENT_BYTES, type Segment } from "./segment.ts";

/** Large enough that reading costs little, small enough to stay in the processor's cache. */
const WINDOW_BYTES = 256 * 1024;
/**
 * How many bytes the searches of a cursor may check for each byte of file. In a hostile file every offset can look like
 * the header of a long record. This bounds the cost to a few seconds a segment.
 */
const SEARCH_EFFORT = 64;

/**
 * What a cursor reads.
 *
 * @experimental
 */
export type Extent = Pick<Segment, "handle" | "name" | "salt">;

/**
 * Stands on one record at a time. The fields describe that record until the next call of `next` or `search`. The record
 * starts at `at` in `bytes`, which holds its header and key, and after `loadValue` or `checkValue` also its value.
 *
 * @experimental
 */
export class RecordCursor extends RecordHeader implements RecordBuffer {
  /** The window on the file. */
  bytes: Uint8Array;
  /** A view on the same bytes. */
  view: DataView;
  /** Where in the window the record starts. */
  at = 0;
  /** Where in the file the record starts. */
  offset: number;
  /** What is wrong at `offset`, if `next` returned `false` before the end. */
  reason: string | undefined;
  /** The places of records whose value will be checked too. To check it with the header takes two thirds of the time. */
  wanted: { has(offset: number): boolean } | undefined;
  /** Called before the window gets other bytes, or another array. */
  beforeReload: () => void = () => {};

  readonly #extent: Extent;
  readonly #endBytes: number;
  /** Bytes that searches may still compute checksums of. */
  #effort: number;
  /** Where the last record starts whose value was checked with its header. */
  #checkedOffset = -1;
  #windowStart = 0;
  #windowLength = 0;

  /**
   * A cursor before the record at `start` that stops at `end`, or where offsets end: a sparse file may claim to have a
   * terabyte.
   */
  constructor(extent: Extent, start: number, end: number) {
    super();
    end = Math.min(end, MAX_SEGMENT_BYTES);
    const windowBytes = Math.min(WINDOW_BYTES, Math.max(64, end - start));
    ({ bytes: this.bytes, view: this.view } = recordBuffer(windowBytes));
    this.#extent = extent;
    this.offset = start;
    this.#endBytes = end;
    this.#effort = SEARCH_EFFORT * Math.max(end - start, WINDOW_BYTES);
  }

  /** Moves to the next record and checks its header and key. False at the end, and at a bad record (see `reason`). */
  next(): boolean {
    this.offset += this.length;
    this.reason = undefined;
    this.at = this.offset - this.#windowStart;
    const left = this.#windowLength - this.at;
    // Nearly every record is in the window as a whole, and intact.
    const isHere = this.at >= 0 && left >= RECORD_HEADER_BYTES && readHeader(this.view, this.at, left, this);
    if (isHere && this.wanted?.has(this.offset) === true && recordIsIntact(this, this.at, this, this.seed)) {
      this.#checkedOffset = this.offset;
      return true;
    }
    return isHere && headerIsIntact(this, this.at, this, this.seed) || this.#nextByParts();
  }

  /** Moves as `next` does: reads what is missing, and finds out what is wrong. */
  #nextByParts(): boolean {
    this.length = 0;
    const left = this.#endBytes - this.offset;
    if (left <= 0) return false;
    let isThere = false;
    try {
      this.reason = this.#readHere(left);
      isThere = this.reason === undefined;
    } finally {
      // Also if reading throws: then the cursor stands on no record, and the next call tries again here.
      if (!isThere) this.length = 0;
    }
    return isThere;
  }

  /** Brings the value into the window. False if the file ends before it does. */
  loadValue(): boolean {
    return this.#load(this.length);
  }

  /** Whether the value is there, and its checksum is right. */
  checkValue(): boolean {
    if (this.#checkedOffset === this.offset) return true;
    return this.loadValue() && valueIsIntact(this, this.at, this, this.seed);
  }

  /** The seed of the checksums at this place. */
  get seed(): number {
    return placeSeed(this.#extent.salt, this.offset);
  }

  /** When the record expires, in milliseconds since 1970; 0: never. */
  get expiresAt(): number {
    return expiryOf(this.view, this.at, this.flags);
  }

  /** The key: a view that the next move overwrites. */
  get key(): Uint8Array {
    const start = this.at + this.keyStart;
    return this.bytes.subarray(start, start + this.keyLength);
  }

  /** The value, loaded before: a view that the next move overwrites. */
  get value(): Uint8Array {
    return this.bytes.subarray(this.at + this.keyStart + this.keyLength, this.at + this.length);
  }

  /**
   * Moves to the next record from `from` on whose header, key and value are intact, wherever it starts. Salvage goes on
   * this way after a damaged header, and recovery finds durable marks after a hole. False if there is no such record.
   */
  search(from: number, options: { marksOnly: boolean }): boolean {
    for (this.offset = from; this.offset + RECORD_HEADER_BYTES <= this.#endBytes && this.#effort > 0; this.offset++) {
      if (!this.#load(RECORD_HEADER_BYTES)) break;
      this.#skip(options.marksOnly ? KIND.mark : KIND.set);
      if (!readHeader(this.view, this.at, this.#endBytes - this.offset, this)) continue;
      if (options.marksOnly && this.kind !== KIND.mark) continue;
      this.#effort -= this.keyStart + this.keyLength;
      if (!this.#load(this.keyStart + this.keyLength) || !headerIsIntact(this, this.at, this, this.seed)) continue;
      this.#effort -= this.valueLength;
      if (this.checkValue()) return true;
    }
    this.length = 0;
    return false;
  }

  /** Skips places in the window whose byte for the kind is not between `lowest` and the highest kind. */
  #skip(lowest: number): void {
    const { bytes } = this;
    const last = this.#windowLength - RECORD_HEADER_BYTES;
    let at = this.at;
    while (at < last && (bytes[at + 8]! < lowest || bytes[at + 8]! > KIND.mark)) at++;
    this.offset += at - this.at;
    this.at = at;
  }

  #readHere(left: number): string | undefined {
    if (left < RECORD_HEADER_BYTES || !this.#load(RECORD_HEADER_BYTES)) return "the file ends within a record's header";
    if (!readHeader(this.view, this.at, left, this)) return "no record header";
    if (!this.#load(this.keyStart + this.keyLength)) return "the file ends within a record's key";
    if (headerIsIntact(this, this.at, this, this.seed)) return undefined;
    // Searches are often followed by a failing move, so it counts as one of their places.
    this.#effort -= this.keyStart + this.keyLength;
    return "checksum of a record's header and key";
  }

  /** Makes the window hold `length` bytes from `offset` on. */
  #load(length: number): boolean {
    this.at = this.offset - this.#windowStart;
    if (this.at >= 0 && this.at + length <= this.#windowLength) return true;
    this.beforeReload();
    if (length > this.bytes.length) {
      // The length may be forged. Memory is allocated only if the file is that long.
      if (this.offset + length > this.#extent.handle.size()) return false;
      ({ bytes: this.bytes, view: this.view } = recordBuffer(length));
    }
    const { handle, name } = this.#extent;
    const target = this.bytes.subarray(0, this.#endBytes - this.offset);
    // If reading throws, nobody knows what the window holds.
    this.#windowLength = 0;
    this.#windowLength = asIo(`read ${name} at byte ${this.offset}`, () => readInto(handle, target, this.offset));
    this.#windowStart = this.offset;
    this.at = 0;
    return length <= this.#windowLength;
  }
}
