/**
 * The segment: one file of the log. A header names the store and the segment. Records follow, one after the other.
 *
 * | at | bytes | field |
 * |---:|---:|---|
 * | 0 | 8 | `KVSEGMNT` |
 * | 8 | 4 | format version |
 * | 12 | 4 | segment number: the one in the file's name |
 * | 16 | 16 | store id |
 * | 32 | 4 | salt of the records' checksums |
 * | 36 | 4 | number of inputs n: segments that compaction rewrote into this one |
 * | 40 | 4 n | their numbers |
 * | 40 + 4 n | 4 | CRC-32 of everything before |
 *
 * @module
 */
import { ENCODER } from "../platform/text.ts";
import { startsWith } from "../bytes.ts";
import { asIo, corrupt, KvStoreError } from "../errors.ts";
import { crc32 } from "../platform/checksum.ts";
import { readUpTo } from "../platform/files.ts";
import type { FileHandle } from "../platform/types.ts";
import { KIND, type RecordHeader } from "./record.ts";

export type { FileHandle };

/** Version of the files' format that this code writes. */
export const FORMAT_VERSION = 1;
/** Bytes of a segment header without inputs. */
export const SEGMENT_HEADER_BYTES = 44;
/** Bytes of a store id. */
export const STORE_ID_BYTES = 16;
/** No segment reaches this size, since offsets are 32-bit fields. */
export const MAX_SEGMENT_BYTES: number = 2 ** 32 - 1;

const MAGIC = ENCODER.encode("KVSEGMNT");
/** More inputs than any compaction has. It bounds the memory that a hostile header can ask for. */
const MAX_INPUTS = 1 << 20;

/**
 * What a segment's header says.
 *
 * @experimental
 */
export interface SegmentHeader {
  /** Segment number. */
  number: number;
  /** The store it belongs to. */
  storeId: Uint8Array;
  /** Salt of its records' checksums. */
  salt: number;
  /** Segments that were compacted into this one. */
  inputs: number[];
}

/**
 * The file name of a segment.
 *
 * @experimental
 */
export function segmentName(number: number): string {
  return `${String(number).padStart(8, "0")}.seg`;
}

/** The segment number in a file name, or `undefined` if it is not one of a segment. */
export function segmentNumberOf(name: string): number | undefined {
  const number = /^\d{8,10}\.seg$/.test(name) ? Number(name.slice(0, -4)) : 0;
  return number > 0 && number < 2 ** 32 && segmentName(number) === name ? number : undefined;
}

/** The bytes of a segment header. */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES + 4 * header.inputs.length);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC, 0);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, header.number, true);
  bytes.set(header.storeId, 16);
  view.setUint32(32, header.salt, true);
  view.setUint32(36, header.inputs.length, true);
  header.inputs.forEach((input, i) => view.setUint32(40 + 4 * i, input, true));
  const end = bytes.length - 4;
  view.setUint32(end, crc32(bytes.subarray(0, end)), true);
  return bytes;
}

/**
 * Reads and checks the header of an open segment. Throws `CORRUPT` or `FORMAT`.
 *
 * @experimental
 */
export function readSegmentHeader(handle: FileHandle, name: string): SegmentHeader {
  const read = (lengthBytes: number) => asIo(`read ${name}`, () => readUpTo(handle, lengthBytes, 0));
  const fixed = read(SEGMENT_HEADER_BYTES);
  const isHeader = fixed.length === SEGMENT_HEADER_BYTES && startsWith(fixed, MAGIC);
  if (!isHeader) throw corrupt(name, 0, "no segment header");
  const count = new DataView(fixed.buffer).getUint32(36, true);
  const bytes = count === 0 || count > MAX_INPUTS ? fixed : read(SEGMENT_HEADER_BYTES + 4 * count);
  const view = new DataView(bytes.buffer);
  const end = bytes.length - 4;
  if (end !== 40 + 4 * count || crc32(bytes.subarray(0, end)) !== view.getUint32(end, true)) {
    throw corrupt(name, 0, "checksum of the segment header");
  }
  const version = view.getUint32(8, true);
  if (version !== FORMAT_VERSION) {
    throw new KvStoreError("FORMAT", `${name} has format version ${version}; this version reads ${FORMAT_VERSION}`);
  }
  const number = view.getUint32(12, true);
  const inputs = Array.from({ length: count }, (_, i) => view.getUint32(40 + 4 * i, true));
  // Otherwise two segments could each claim to replace the other.
  if (inputs.some((input) => input >= number)) throw corrupt(name, 40, "an input that is not older than its output");
  return { number, storeId: bytes.slice(16, 32), salt: view.getUint32(32, true), inputs };
}

/**
 * The bytes of a segment's records, counted by kind: live, expired, tombstones, marks.
 *
 * @experimental
 */
export class ByteCounts {
  /** Bytes of records that the index points at, whether they have expired or not. */
  liveBytes = 0;
  /** Bytes of live records that have expired, as of the last count. */
  expiredBytes = 0;
  /** What would be left of the expired records if compaction kept each of them as a tombstone. */
  graveBytes = 0;
  /** Bytes of tombstones (deletes and clears). */
  tombstoneBytes = 0;
  /** Highest sequence number of a tombstone; 0 without one. */
  highestTombstone = 0;
  /** Bytes of durable marks. */
  markBytes = 0;

  /** Counts a record. A set counts as live. */
  add({ kind, sequence, length }: Pick<RecordHeader, "kind" | "sequence" | "length">): void {
    if (kind === KIND.set) this.liveBytes += length;
    else if (kind === KIND.mark) this.markBytes += length;
    else {
      this.tombstoneBytes += length;
      if (sequence > this.highestTombstone) this.highestTombstone = sequence;
    }
  }

  /** Takes back the bytes of a record that was counted. */
  drop({ kind, length }: Pick<RecordHeader, "kind" | "length">): void {
    this.add({ kind, sequence: 0, length: -length });
  }

  /** Forgets everything that was counted. */
  reset(): void {
    Object.assign(this, new ByteCounts());
  }
}

/**
 * One segment of an open store: its file, its extent, and its bytes by kind.
 *
 * @experimental
 */
export class Segment extends ByteCounts {
  /** Segment number; the file's name follows from it. */
  readonly number: number;
  /** Salt of the records' checksums. */
  readonly salt: number;
  /** Where the first record starts. */
  readonly headerBytes: number;
  /** The open file. */
  readonly handle: FileHandle;
  /** End of the records: the sealed length, or for the active segment what has been written. */
  endBytes: number;
  /** The end of the last record that must be synced. Marks after it are synced with the next record. */
  dataEnd: number;
  /** The offset that the last mark in the segment names, or the manifest. */
  markedBytes: number;
  /** Whether nothing is appended any more. Only the log sets this, and a reader that refreshes. */
  sealed: boolean;
  /** Lowest sequence number in the segment; `Infinity` while it has no record. */
  lowestSequence: number = Infinity;
  /** Highest sequence number in the segment; 0 while it has no record. */
  highestSequence = 0;
  /** No record up to this sequence number has superseded a set in the segment. Compaction relies on it. */
  currentAsOf = 0;
  /** Whether damage was found in the segment. Compaction leaves it alone then, as it could not copy all of it. */
  isDamaged = false;
  /** What a cache of records keeps about the segment. The engine does not look at it. */
  cached: unknown;

  /** A segment whose header has been written or checked. */
  constructor(header: SegmentHeader, handle: FileHandle, extent: { endBytes: number; sealed: boolean }) {
    super();
    this.number = header.number;
    this.salt = header.salt;
    this.headerBytes = SEGMENT_HEADER_BYTES + 4 * header.inputs.length;
    this.handle = handle;
    this.endBytes = extent.endBytes;
    this.dataEnd = this.markedBytes = Math.max(extent.endBytes, this.headerBytes);
    this.sealed = extent.sealed;
  }

  /** The file's name. */
  get name(): string {
    return segmentName(this.number);
  }

  /**
   * Bytes that belong neither to a live record nor to a tombstone: superseded records, durable marks, and the part of
   * expired records by which they are longer than a tombstone.
   */
  get staleBytes(): number {
    const { endBytes, headerBytes, liveBytes, tombstoneBytes, expiredBytes, graveBytes } = this;
    return endBytes - headerBytes - liveBytes - tombstoneBytes + expiredBytes - graveBytes;
  }

  /** Whether the segment holds nothing but marks. */
  get isVoid(): boolean {
    return this.endBytes - this.headerBytes === this.markBytes;
  }

  /** Whether no set in the segment has been superseded. */
  get isWhollyLive(): boolean {
    const { endBytes, headerBytes, liveBytes, tombstoneBytes, markBytes } = this;
    return endBytes - headerBytes - liveBytes - tombstoneBytes - markBytes === 0;
  }

  /** Whether compaction may rewrite the segment. */
  get isCompactable(): boolean {
    return this.sealed && !this.isDamaged;
  }

  /** Widens the range of sequence numbers by that of a record. */
  cover(sequence: number): void {
    if (sequence < this.lowestSequence) this.lowestSequence = sequence;
    if (sequence > this.highestSequence) this.highestSequence = sequence;
  }
}
