/**
 * How compaction reads: sealed segments from end to end, in slices, so that the event loop goes on in between.
 *
 * @module
 */
import { corrupt, type KvStoreError } from "../errors.ts";
import { RecordCursor } from "./cursor.ts";
import type { Segment } from "./segment.ts";
import { Slices } from "../platform/turn.ts";

/** A slice ends after so many bytes, if its time is not over before. */
const SLICE_BYTES = 2 * 1024 * 1024;

/** One reading of several segments: a slice may span them. */
export class Scan {
  readonly #onPause: (scannedBytes: number) => void;
  readonly #slices = new Slices();

  /** `onPause` hears how much was read since the last pause, and may throw to end the reading. */
  constructor(onPause: (scannedBytes: number) => void) {
    this.#onPause = onPause;
  }

  /** Shows each record of a segment to `visit`. Throws `CORRUPT` where one does not check out. */
  async read(segment: Segment, visit: (cursor: RecordCursor) => void): Promise<void> {
    const cursor = new RecordCursor(segment, segment.headerBytes, segment.endBytes);
    while (cursor.next()) {
      visit(cursor);
      if (!this.#slices.count(cursor.length, SLICE_BYTES)) continue;
      const { bytes } = this.#slices;
      await this.#slices.pause();
      this.#onPause(bytes);
    }
    if (cursor.reason !== undefined) throw damaged(segment, cursor.offset, cursor.reason);
  }
}

/** The error for damage in a segment, which compaction leaves alone from now on. */
export function damaged(segment: Segment, offset: number, reason: string): KvStoreError {
  segment.isDamaged = true;
  return corrupt(segment.name, offset, reason);
}
