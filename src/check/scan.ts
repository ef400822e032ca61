/**
 * The scan that verify, repair and the view of the log share: every record of a segment, and every stretch that is
 * none.
 *
 * @module
 */
import { RecordCursor } from "../engine/cursor.ts";
import type { Segment } from "../engine/segment.ts";
import { Slices } from "../platform/turn.ts";
import type { WorkOptions } from "../types.ts";

/**
 * One step of a scan. The object, and the cursor in it, are the same at every step.
 *
 * @experimental
 */
export interface Found {
  /** Stands on the record, unless this is damage. */
  cursor: RecordCursor;
  /** Where it starts. */
  offset: number;
  /** How long it is. */
  length: number;
  /** What does not check out: of a record its value, otherwise all of it. */
  reason: string | undefined;
  /** Whether header and key check out, so that the cursor stands on a record. */
  isRecord: boolean;
}

/**
 * Walks over `segment` from `start` to `end`. Behind a damaged header it looks for the next record that checks out
 * whole.
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

/** Progress is told after so many bytes at the latest. */
const SLICE_BYTES = 2 * 1024 * 1024;

/** The pace of long work: pauses now and then, tells how far it is, and ends when it is told to. */
export class Pace {
  readonly #options: WorkOptions;
  readonly #totalBytes: number;
  readonly #check: () => void;
  readonly #slices = new Slices();
  #doneBytes = 0;

  /** Work on so many bytes. `check` throws if the work is to end for other reasons than the caller's. */
  constructor(options: WorkOptions, totalBytes: number, check: () => void = () => {}) {
    options.signal?.throwIfAborted();
    // The caller's object is the caller's to change.
    this.#options = { ...options };
    this.#totalBytes = totalBytes;
    this.#check = check;
  }

  /** Counts bytes as done; true if it is time for a `pause`. */
  count(bytes: number): boolean {
    this.#doneBytes += bytes;
    return this.#slices.count(bytes, SLICE_BYTES);
  }

  /** Lets others have their turn. Throws the reason of an abort, and what `onProgress` throws. */
  async pause(): Promise<void> {
    await this.#slices.pause();
    this.#check();
    this.#options.signal?.throwIfAborted();
    this.#options.onProgress?.({ doneBytes: this.#doneBytes, totalBytes: Math.max(this.#totalBytes, this.#doneBytes) });
  }
}
