/**
 * Counts records that were superseded, and when. The replay tells which record replaced which. A clear between the two,
 * or that the record had expired, is looked up in the file; few records need that.
 *
 * @module
 */

import { FLAG_EXPIRES, type Place, type SurveyedSegment } from "../../../mod.ts";
import type { Cells } from "./cells.ts";
import type { Timeline } from "./timeline.ts";

/** What is known of the log, and where superseded records are counted. */
export interface LogAccounts {
  segments: (SurveyedSegment & { cells: Cells; graveBytes: number })[];
  timeline: Timeline;
  series: { died: Float64Array };
  /** Sequence numbers of clears, rising. */
  clears: number[];
}

/** The place of a record. */
export type RecordPlace = Pick<Place, "segment" | "offset">;

const HEADER_BYTES = 32;

/** Counts superseded records. */
export class SupersededRecords {
  /** Number of expired records that nothing has superseded. */
  expired = 0;
  readonly #log: LogAccounts;
  readonly #nowMs: number;
  readonly #byNumber: Map<number, LogAccounts["segments"][number]>;
  /** Places of records with a damaged value. They do not count as live, so they cannot become stale. */
  readonly #damaged = new Set<string>();
  readonly #header = new DataView(new ArrayBuffer(HEADER_BYTES));

  constructor(log: LogAccounts, nowMs: number) {
    this.#log = log;
    this.#nowMs = nowMs;
    this.#byNumber = new Map(log.segments.flatMap((one) => one.segment ? [[one.segment.number, one]] : []));
  }

  /** Notes that the value of a record is damaged. */
  markDamaged({ segment, offset }: RecordPlace): void {
    this.#damaged.add(`${segment} ${offset}`);
  }

  /** Notes that a record has expired. Compaction may have to keep its key, as a tombstone. */
  noteExpired({ segment }: RecordPlace, keyBytes: number): void {
    this.expired++;
    this.#byNumber.get(segment)!.graveBytes += HEADER_BYTES + keyBytes;
  }

  /**
   * Counts a record as superseded by `bySequence`, or by the first clear after it, and returns which. `sequence` is the
   * record's own number, if it is known.
   */
  add(
    place: RecordPlace & { length: number },
    { sequence, bySequence }: { sequence?: number; bySequence: number },
  ): number {
    const { clears, timeline, series } = this.#log;
    let by = bySequence;
    if (clears.length > 0) {
      const own = sequence ?? this.sequenceAt(place) ?? bySequence;
      by = clears.find((clear) => own < clear && clear < bySequence) ?? bySequence;
    }
    const found = this.#byNumber.get(place.segment);
    if (found === undefined || this.#damaged.has(`${place.segment} ${place.offset}`)) return by;
    const step = timeline.stepOf(by);
    found.cells.addSuperseded(place.offset, place.length, step);
    series.died[step]! += place.length;
    const hasExpired = found.cells.bytes.expired[found.cells.cellAt(place.offset)]! > 0;
    if (hasExpired && this.#isExpired(place)) {
      found.cells.add("expired", place.offset, place.length, -1);
      this.expired--;
      found.graveBytes -= HEADER_BYTES + this.#header.getUint16(10, true);
    }
    return by;
  }

  /** Reads the sequence number of the record at a place from the file. */
  sequenceAt(place: RecordPlace): number | undefined {
    if (!this.#read(place)) return undefined;
    return this.#header.getUint32(20, true) * 2 ** 32 + this.#header.getUint32(16, true);
  }

  #isExpired(place: RecordPlace): boolean {
    if (!this.#read(place) || (this.#header.getUint8(9) & FLAG_EXPIRES) === 0) return false;
    return Number(this.#header.getBigUint64(24, true)) <= this.#nowMs;
  }

  #read({ segment, offset }: RecordPlace): boolean {
    const handle = this.#byNumber.get(segment)?.segment?.handle;
    // These bytes include a time of expiry, which a record may lack. The file may end before it.
    return handle !== undefined && handle.read(new Uint8Array(this.#header.buffer), offset) >= HEADER_BYTES - 8;
  }
}
