/**
 * Copies records into a new segment, for compaction, recovery and repair. Sequence numbers stay. Checksums become those
 * of the new place. The marking of batches goes, as a copy takes effect as a whole, with the manifest.
 *
 * @module
 */
import { WriteBehind } from "../platform/write_behind.ts";
import type { RecordCursor } from "./cursor.ts";
import type { Log } from "./log.ts";
import {
  FLAG_MORE,
  KIND,
  MARK_BYTES,
  moveRecord,
  placeSeed,
  type RecordBuffer,
  recordBuffer,
  stampRecord,
  writeHeader,
  writeMark,
} from "./record.ts";
import { type Segment, SEGMENT_HEADER_BYTES } from "./segment.ts";

/** Fills a new segment with copies of records. */
export class SegmentCopier {
  /** The segment being filled. Its `endBytes` count what has been written. */
  readonly segment: Segment;
  /** What writes its file. */
  readonly file: WriteBehind;
  readonly #log: Log;
  /** Where the records that are copied are read. */
  #cursor: RecordCursor | undefined;
  /** The records in the cursor's window between these places lie one behind the other, and are copied together. */
  #runStart = 0;
  #runEnd = 0;

  /** Creates the segment, as `Log.createSegment` does; on a full disk it takes the reserve. */
  constructor(log: Log, inputs: number[] = []) {
    const replaces = inputs.length > 0;
    this.#log = log;
    this.segment = log.reserve.lend(SEGMENT_HEADER_BYTES, () => log.createSegment(inputs), replaces);
    this.file = new WriteBehind(this.segment, (bytes, write) => log.reserve.lend(bytes, write, replaces));
  }

  /**
   * Copies the record that the cursor stands on, whose value must be loaded. Returns where the copy starts. The record
   * in the window gets the checksums of the copy: the cursor can only go on.
   */
  copy(cursor: RecordCursor): number {
    const { at, kind, sequence, length } = cursor;
    if (this.#cursor !== cursor || this.#runEnd !== at) {
      this.#endRun();
      if (this.#cursor !== cursor) cursor.beforeReload = () => this.#endRun();
      this.#cursor = cursor;
      this.#runStart = at;
    }
    this.#runEnd = at + length;
    const target = this.file.endBytes + at - this.#runStart;
    moveRecord(cursor.view, at, cursor, cursor.seed ^ placeSeed(this.segment.salt, target));
    this.segment.cover(sequence);
    if (kind !== KIND.set) this.segment.add(cursor);
    return target;
  }

  /** Copies the key alone of the record that the cursor stands on, as a tombstone. */
  bury(cursor: RecordCursor): void {
    const { at, flags, keyLength, sequence } = cursor;
    const length = cursor.keyStart + keyLength;
    const grave = recordBuffer(length);
    grave.bytes.set(cursor.bytes.subarray(at, at + length));
    writeHeader(grave.view, 0, { kind: KIND.delete, flags: flags & ~FLAG_MORE, keyLength, valueLength: 0 });
    this.#append(grave, sequence);
    this.segment.cover(sequence);
    this.segment.add({ kind: KIND.delete, sequence, length });
  }

  /**
   * Ends the segment with a mark on itself, and returns its file to be finished. If the manifest is lost, the mark tells
   * a finished copy from one that was cut off.
   */
  end(): WriteBehind {
    this.#endRun();
    const mark = recordBuffer(MARK_BYTES);
    writeMark(mark.view, 0, { segment: this.segment.number, offset: this.file.endBytes });
    this.#append(mark, this.#log.nextSequence++);
    this.segment.markBytes += MARK_BYTES;
    return this.file;
  }

  #append(record: RecordBuffer, sequence: number): void {
    this.#endRun();
    stampRecord(record, 0, { sequence, seed: placeSeed(this.segment.salt, this.file.endBytes) });
    this.file.append(record.bytes);
  }

  #endRun(): void {
    if (this.#runEnd > this.#runStart) this.file.append(this.#cursor!.bytes.subarray(this.#runStart, this.#runEnd));
    this.#runStart = this.#runEnd;
  }
}
