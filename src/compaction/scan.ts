/**
 * How compaction reads: sealed segments from end to end, in slices, so that the event loop goes on in between.
 *
 * @module
 */
import { corrupt, type KvStoreError } from "../errors.ts";
import { RecordCursor } from "../log/cursor.ts";
import type { Segment } from "../log/segment.ts";
import { nextTurn } from "../platform/turn.ts";

/** A slice ends after so many bytes … */
const SLICE_BYTES = 512 * 1024;
/** … or so many records, whichever comes first: a millisecond or two. */
const SLICE_RECORDS = 2000;

/** One reading of several segments: a slice may span them. */
export class Scan {
  readonly #onPause: (scannedBytes: number) => void;
  #sliceBytes = 0;
  #sliceRecords = 0;

  /** `onPause` hears how much was read since the last pause, and may throw to end the reading. */
  constructor(onPause: (scannedBytes: number) => void) {
    this.#onPause = onPause;
  }

  /** Shows each record of a segment to `visit`. Throws `CORRUPT` where one does not check out. */
  async read(segment: Segment, visit: (cursor: RecordCursor) => void): Promise<void> {
    const cursor = new RecordCursor(segment, segment.headerBytes, segment.endBytes);
    while (cursor.next()) {
      visit(cursor);
      if (!this.#isSliceOver(cursor)) continue;
      await nextTurn();
      this.#onPause(SLICE_BYTES);
    }
    if (cursor.reason !== undefined) throw damaged(segment, cursor.offset, cursor.reason);
  }

  #isSliceOver(cursor: RecordCursor): boolean {
    this.#sliceBytes += cursor.length;
    this.#sliceRecords++;
    if (this.#sliceBytes < SLICE_BYTES && this.#sliceRecords < SLICE_RECORDS) return false;
    this.#sliceBytes = 0;
    this.#sliceRecords = 0;
    return true;
  }
}

/** The error for damage in a segment, which compaction leaves alone from now on. */
export function damaged(segment: Segment, offset: number, reason: string): KvStoreError {
  segment.isDamaged = true;
  return corrupt(segment.name, offset, reason);
}
