/**
 * Copies records into a new segment, for compaction, recovery and repair. Sequence numbers stay. Checksums become those
 * of the new place. The marking of batches goes, as a copy takes effect as a whole, with the manifest.
 *
 * @module
 */
import { asFsync, asIo, syncError } from "../errors.ts";
import { writeAll } from "../platform/files.ts";
import type { RecordCursor } from "./cursor.ts";
import type { Log, NewSegment } from "./log.ts";
import {
  FLAG_MORE,
  KIND,
  type Kind,
  MARK_BYTES,
  placeSeed,
  type RecordBuffer,
  recordBuffer,
  restampRecord,
  stampRecord,
  writeHeader,
  writeMark,
} from "./record.ts";
import { type Segment, SEGMENT_HEADER_BYTES } from "./segment.ts";

/** Copies are written in pieces of this size. */
const PIECE_BYTES = 1024 * 1024;
/** While copying goes on, so many bytes of the copy are synced at a time. Little is left to sync at the end. */
const SYNC_BYTES = 8 * 1024 * 1024;

/** Fills a new segment with copies of records. */
export class SegmentCopier {
  /** The segment being filled. Its `endBytes` count what has been written. */
  readonly segment: Segment;
  readonly #log: Log;
  /** Whether segments go for the copy. */
  readonly #replaces: boolean;
  #buffer: RecordBuffer = recordBuffer(PIECE_BYTES);
  #length = 0;
  #syncedBytes = 0;
  #syncing: Promise<void> | undefined;
  #failure: unknown;

  /** Creates the segment, as `Log.createSegment` does; on a full disk it takes the reserve. */
  constructor(log: Log, options: NewSegment = {}) {
    this.#log = log;
    this.#replaces = options.inputs !== undefined;
    this.segment = log.reserve.lend(SEGMENT_HEADER_BYTES, () => log.createSegment(options), this.#replaces);
  }

  /**
   * Copies the record that the cursor stands on, whose value must be loaded; or its key alone, as a record of the kind
   * `as`, with a checksum of its own. Returns where the copy starts.
   */
  copy(cursor: RecordCursor, as?: Kind): number {
    const keepsValue = as === undefined;
    const kind = as ?? cursor.kind;
    const flags = cursor.flags & ~FLAG_MORE;
    const { keyLength, sequence } = cursor;
    const valueLength = keepsValue ? cursor.valueLength : 0;
    const length = cursor.keyStart + keyLength + valueLength;
    const at = this.#reserve(length);
    this.#buffer.bytes.set(cursor.bytes.subarray(cursor.at, cursor.at + length), at);
    writeHeader(this.#buffer.view, at, { kind, flags, keyLength, valueLength });
    if (keepsValue) restampRecord(this.#buffer, at, { from: cursor.seed, to: this.#seedAt(at) });
    else stampRecord(this.#buffer, at, { sequence, seed: this.#seedAt(at) });
    this.segment.cover(sequence);
    if (kind !== KIND.set) this.segment.add({ kind, sequence, length });
    return this.segment.endBytes + at;
  }

  /** Begins a sync if enough has been written and no sync is under way. Throws if one failed. */
  syncBehind(): void {
    this.#checkSyncs();
    if (this.#syncing !== undefined || this.segment.endBytes - this.#syncedBytes < SYNC_BYTES) return;
    this.#syncedBytes = this.segment.endBytes;
    this.#syncing = this.segment.handle.syncData()
      .catch((error) => this.#failure = error)
      .then(() => this.#syncing = undefined);
  }

  /** Writes what has been collected and makes it durable; resolves once it is. */
  async finish(): Promise<void> {
    this.#end();
    await this.#syncing;
    this.#checkSyncs();
    await asFsync(this.segment.name, () => this.segment.handle.syncData());
  }

  /** The kernel reports a failed write-back once, so a later sync would not hear of it. */
  #checkSyncs(): void {
    if (this.#failure !== undefined) throw syncError(this.segment.name, this.#failure);
  }

  /** Writes what has been collected and makes it durable, waiting in place. */
  finishNow(): void {
    this.#end();
    asFsync(this.segment.name, () => this.segment.handle.syncDataNow());
  }

  /**
   * Ends the segment with a mark on itself. If the manifest is lost, the mark tells a finished copy from one that was
   * cut off.
   */
  #end(): void {
    const at = this.#reserve(MARK_BYTES);
    writeMark(this.#buffer.view, at, { segment: this.segment.number, offset: this.segment.endBytes + at });
    stampRecord(this.#buffer, at, { sequence: this.#log.nextSequence++, seed: this.#seedAt(at) });
    this.segment.markBytes += MARK_BYTES;
    this.#flush();
  }

  #seedAt(at: number): number {
    return placeSeed(this.segment.salt, this.segment.endBytes + at);
  }

  /** Makes room for a record and takes it; returns where it starts in the buffer. */
  #reserve(length: number): number {
    if (this.#length > 0 && this.#length + length > PIECE_BYTES) this.#flush();
    if (length > this.#buffer.bytes.length) this.#buffer = recordBuffer(length);
    this.#length += length;
    return this.#length - length;
  }

  #flush(): void {
    const { handle, name, endBytes } = this.segment;
    const bytes = this.#buffer.bytes.subarray(0, this.#length);
    const write = () => this.#log.reserve.lend(bytes.length, () => writeAll(handle, bytes, endBytes), this.#replaces);
    asIo(`write ${name}`, write);
    this.segment.endBytes += this.#length;
    this.#length = 0;
  }
}
