/**
 * The scan of a segment: a walk over its records that goes on after damage. Verify, repair, backup and the tools that
 * show a log read segments this way.
 *
 * @module
 */
import { RecordCursor } from "../engine/cursor.ts";
import type { Segment } from "../engine/segment.ts";
import { Slices } from "../platform/turn.ts";
import type { WorkOptions } from "../types.ts";

/**
 * One step of a scan: a record, or a stretch of bytes that holds none. A scan yields one object, and one cursor, over
 * and over: copy what you keep.
 *
 * @experimental
 */
export interface Found {
  /** Stands on the record, if `isRecord`. */
  cursor: RecordCursor;
  /** Where the record or stretch starts in the file. */
  offset: number;
  /** Its length in bytes. */
  length: number;
  /** What is damaged: the value of a record, or the whole stretch. `undefined` for an intact record. */
  reason: string | undefined;
  /** Whether header and key are intact, so that the cursor stands on a record. */
  isRecord: boolean;
}

/**
 * Walks over `segment` from byte `start` to byte `end`. After a damaged header it goes on at the next record that is
 * intact as a whole.
 *
 * @experimental
 */
export function* scan(segment: Segment, start: number, end: number): Generator<Found> {
  const cursor = new RecordCursor(segment, start, end);
  const found: Found = { cursor, offset: start, length: 0, reason: undefined, isRecord: true };
  for (;;) {
    if (!cursor.next()) {
      if (cursor.reason === undefined) return;
      found.offset = cursor.offset;
      found.reason = cursor.reason;
      found.isRecord = false;
      const isThere = cursor.search(cursor.offset + 1, { marksOnly: false });
      found.length = (isThere ? cursor.offset : end) - found.offset;
      yield found;
      if (!isThere) return;
    }
    found.offset = cursor.offset;
    found.length = cursor.length;
    found.reason = cursor.checkValue() ? undefined : "checksum of a value";
    if (!cursor.loadValue()) found.reason = "the file ends within a record's value";
    found.isRecord = true;
    yield found;
  }
}

/**
 * Slices of long work on `totalBytes` bytes. Each pause calls `check`, which throws to stop the work, then throws the
 * signal's reason if that is aborted, then reports progress.
 */
export function slicesFor(options: WorkOptions, totalBytes: number, check: () => void = () => {}): Slices {
  options.signal?.throwIfAborted();
  // Callers may change their object while the work goes on.
  const given = { ...options };
  let doneBytes = 0;
  return new Slices((bytes) => {
    doneBytes += bytes;
    check();
    given.signal?.throwIfAborted();
    given.onProgress?.({ doneBytes, totalBytes: Math.max(totalBytes, doneBytes) });
  });
}
