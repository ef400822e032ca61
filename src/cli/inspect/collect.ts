/**
 * Collects all that `inspect` shows of a log, in one pass. Beyond the index it takes a bounded amount of memory,
 * however many records there are.
 *
 * @module
 */

import {
  FLAG_EXPIRES,
  FLAG_STRING_KEY,
  type Found,
  Index,
  KIND,
  type LogSurvey,
  type Place,
  Replay,
  scan,
  type Segment,
  type SurveyedSegment,
} from "../../../mod.ts";
import { Cells } from "./cells.ts";
import { Sample, type SampledRecord } from "./sample.ts";
import { SupersededRecords } from "./superseded_records.ts";
import { type Span, Timeline } from "./timeline.ts";

/** What to collect. */
export interface CollectOptions {
  /** The most cells of all segments, about. */
  cells: number;
  /** The most cells of one segment. */
  cellsOfSegment: number;
  /** The most steps of the timeline. */
  steps: number;
  /** The most records in the sample. */
  records: number;
  /** Returns what to show of a value. Without it, no values are shown. */
  preview?: (found: Found) => string;
  /** The present time, in milliseconds since 1970. */
  nowMs: number;
  /** Called every few thousand records. */
  onProgress?: (progress: { doneBytes: number; totalBytes: number }) => void;
}

/** A segment and its content. */
export interface CollectedSegment extends SurveyedSegment {
  cells: Cells;
  records: number;
  /** Lowest and highest sequence number; 0 without records. */
  sequences: Span;
  /** Bytes that expired records would take as deletes. */
  graveBytes: number;
}

/** A damaged stretch or record. */
export interface Damage {
  segment: number;
  offset: number;
  length: number;
  reason: string;
}

/** Figures for each step of the timeline. */
export interface Series {
  /** Bytes of the records that were appended and are still in the log. */
  appended: Float64Array;
  /** Bytes of sets that went stale. */
  died: Float64Array;
  /** Change of the number of keys. */
  keys: Float64Array;
}

/** What was collected of a log. */
export interface Collected {
  segments: CollectedSegment[];
  timeline: Timeline;
  series: Series;
  sample: Sample;
  /** Sequence numbers of clears, rising. */
  clears: number[];
  damage: Damage[];
  damages: number;
  records: number;
  /** Number of keys, without expired ones. */
  keys: number;
  /** Number of expired keys. */
  expiredKeys: number;
  /** Number of sets by the length of the key: 0 bytes, 1, 2 to 3, 4 to 7, and so on. */
  keySizes: number[];
  /** Number of sets by the length of the value, likewise. */
  valueSizes: number[];
}

const MOST_DAMAGE = 200;
const PROGRESS_RECORDS = 4096;

/** Reads a log and collects what `inspect` shows of it. */
export function collect(survey: LogSurvey, options: CollectOptions): Collected {
  const collector = new Collector(survey, options);
  for (const segment of collector.inOrder()) collector.read(segment);
  return collector.finish();
}

class Collector {
  readonly #options: CollectOptions;
  readonly #collected: Collected;
  readonly #index = new Index();
  readonly #replay: Replay;
  readonly #superseded: SupersededRecords;
  readonly #totalBytes: number;
  #doneBytes = 0;
  /** The record that the replay works on. */
  #current = { sequence: 0, isTaken: false, keys: 0 };

  constructor(survey: LogSurvey, options: CollectOptions) {
    this.#options = options;
    const timeline = new Timeline(spansOf(survey), options.steps);
    this.#totalBytes = survey.segments.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
    // Also what is missing of a file has cells: a forged MANIFEST must not ask for more of them.
    const sizes = survey.segments.map(({ fileBytes, requiredBytes }) => Math.max(fileBytes, requiredBytes));
    const largest = sizes.reduce((most, size) => Math.max(most, size), 1);
    const cellBytes = Math.max(
      1,
      sizes.reduce((sum, size) => sum + size, 0) / options.cells,
      largest / options.cellsOfSegment,
    );
    const column = () => new Float64Array(timeline.steps);
    const newCells = (sizeBytes: number) => new Cells(sizeBytes, { cellBytes, steps: timeline.steps });
    // Nothing is counted in missing files. So those with as many cells share them: a manifest may list any number.
    const shared = new Map<number, Cells>();
    const sharedCells = (sizeBytes: number) => {
      const count = Math.ceil(sizeBytes / cellBytes);
      if (!shared.has(count)) shared.set(count, newCells(sizeBytes));
      return shared.get(count)!;
    };
    const segments = survey.segments.map((surveyed, i): CollectedSegment => ({
      ...surveyed,
      cells: surveyed.segment === undefined ? sharedCells(sizes[i]!) : newCells(sizes[i]!),
      records: 0,
      sequences: [0, 0],
      graveBytes: 0,
    }));
    this.#collected = {
      segments,
      timeline,
      series: { appended: column(), died: column(), keys: column() },
      sample: new Sample(options.records),
      clears: [],
      damage: [],
      damages: 0,
      records: 0,
      keys: 0,
      expiredKeys: 0,
      keySizes: [],
      valueSizes: [],
    };
    const open = survey.segments.flatMap(({ segment }) => segment ?? []);
    const byNumber = new Map(open.map((segment) => [segment.number, segment]));
    this.#superseded = new SupersededRecords(this.#collected, options.nowMs);
    this.#replay = new Replay(this.#index, byNumber, {
      sequence: 0,
      partitionSequence: () => 0,
      from: () => undefined,
      hasLost: false,
      beforeChange: (_key, place) => this.#noteSuperseded(place),
    });
  }

  /** Returns the segments by their first records. So the older of two versions of a key mostly comes first. */
  inOrder(): CollectedSegment[] {
    const firstOf = ({ segment }: CollectedSegment) => segment?.lowestSequence ?? 0;
    return [...this.#collected.segments].sort((a, b) => firstOf(a) - firstOf(b));
  }

  read(collected: CollectedSegment): void {
    const { segment, startBytes } = collected;
    if (segment === undefined) return;
    let untilProgress = PROGRESS_RECORDS;
    for (const found of scan(segment, startBytes, segment.endBytes)) {
      if (found.isRecord) this.#addRecord(found, collected, segment);
      if (found.reason !== undefined) this.#noteDamage(found, segment, collected.cells);
      this.#doneBytes += found.length;
      if (--untilProgress > 0) continue;
      untilProgress = PROGRESS_RECORDS;
      this.#options.onProgress?.({ doneBytes: this.#doneBytes, totalBytes: this.#totalBytes });
    }
  }

  finish(): Collected {
    const collected = this.#collected;
    // Only now does the replay announce what a clear has removed.
    this.#current = { sequence: collected.clears.at(-1) ?? 0, isTaken: false, keys: -1 };
    this.#replay.finish();
    collected.expiredKeys = this.#superseded.expired;
    collected.keys = this.#index.size - collected.expiredKeys;
    return collected;
  }

  #addRecord(found: Found, collected: CollectedSegment, segment: Segment): void {
    const { cursor, offset, length } = found;
    const { kind, sequence } = cursor;
    const { timeline, series, clears } = this.#collected;
    const isDamaged = found.reason !== undefined;
    collected.records++;
    this.#collected.records++;
    const [lowest, highest] = collected.sequences;
    collected.sequences = [lowest === 0 ? sequence : Math.min(lowest, sequence), Math.max(highest, sequence)];
    series.appended[timeline.stepOf(sequence)]! += length;
    collected.cells.cover(offset, length, timeline.at(sequence));
    if (kind === KIND.clear) {
      clears.push(sequence);
      clears.sort((a, b) => a - b);
    }
    this.#current = { sequence, isTaken: false, keys: kind === KIND.set ? 1 : -1 };
    this.#replay.take(cursor, segment);
    if (kind === KIND.set) this.#addSet(found, collected, isDamaged);
    else if (!isDamaged) collected.cells.add(kind === KIND.mark ? "mark" : "tombstone", offset, length);
    this.#sample(found, segment, isDamaged);
  }

  #addSet({ cursor, offset, length }: Found, { cells, segment }: CollectedSegment, isDamaged: boolean): void {
    const { keySizes, valueSizes } = this.#collected;
    count(keySizes, cursor.keyLength);
    count(valueSizes, cursor.valueLength);
    const place = { segment: segment!.number, offset, length };
    if (isDamaged) this.#superseded.markDamaged(place);
    else {
      cells.add("set", offset, length);
      if (this.#isExpired(cursor)) {
        cells.add("expired", offset, length);
        this.#superseded.noteExpired(place, cursor.keyLength);
      }
    }
    if (this.#current.isTaken) return;
    // A newer version came before this one, for instance in a segment that compaction wrote.
    const { sequence } = cursor;
    this.#index.find(cursor.bytes, cursor.at + cursor.keyStart, cursor.keyLength);
    const newer = this.#index.segment === 0 ? sequence : this.#superseded.sequenceAt(this.#index) ?? sequence;
    this.#superseded.add(place, { sequence, bySequence: newer });
  }

  /** Called before the replay changes the entry that points at a place. The record there becomes stale. */
  #noteSuperseded(place: Place): void {
    const { sequence, keys } = this.#current;
    const { timeline, series } = this.#collected;
    this.#current.isTaken = true;
    if (place.segment === 0) {
      if (keys > 0) series.keys[timeline.stepOf(sequence)]!++;
      return;
    }
    const by = this.#superseded.add(place, { bySequence: sequence });
    // A clear in between deleted the key, and a set brings it back.
    if (by !== sequence && keys > 0) series.keys[timeline.stepOf(sequence)]!++;
    if (by !== sequence || keys < 0) series.keys[timeline.stepOf(by)]!--;
  }

  #isExpired(cursor: Found["cursor"]): boolean {
    return (cursor.flags & FLAG_EXPIRES) !== 0 && expiryOf(cursor) <= this.#options.nowMs;
  }

  #sample(found: Found, segment: Segment, isDamaged: boolean): void {
    const { cursor, offset } = found;
    const hasKey = cursor.kind === KIND.set || cursor.kind === KIND.delete;
    const tag = hasKey ? "k" : `${cursor.kind} ${segment.number} ${offset}`;
    const isString = (cursor.flags & FLAG_STRING_KEY) !== 0;
    this.#collected.sample.offer(cursor.key, isString, () => this.#describe(found, segment, isDamaged), tag);
  }

  #describe(found: Found, segment: Segment, isDamaged: boolean): SampledRecord {
    const { cursor, offset, length } = found;
    const record: SampledRecord = {
      segment: segment.number,
      offset,
      length,
      sequence: cursor.sequence,
      kind: cursor.kind,
      flags: cursor.flags,
      keyBytes: cursor.keyLength,
      valueBytes: cursor.valueLength,
      isDamaged,
    };
    if ((cursor.flags & FLAG_EXPIRES) !== 0) record.expiresAt = expiryOf(cursor);
    if (cursor.kind === KIND.set && this.#options.preview !== undefined) record.preview = this.#options.preview(found);
    return record;
  }

  #noteDamage({ offset, length, reason }: Found, segment: Segment, cells: Cells): void {
    cells.add("damaged", offset, length);
    segment.isDamaged = true;
    const { damage } = this.#collected;
    this.#collected.damages++;
    if (damage.length < MOST_DAMAGE) damage.push({ segment: segment.number, offset, length, reason: reason! });
  }
}

/** Returns the time of expiry of a record that has one. */
export function expiryOf({ view, at, keyStart }: Found["cursor"]): number {
  return Number(view.getBigUint64(at + keyStart - 8, true));
}

/** Returns the range of sequence numbers of each segment. The manifest does not have it for the active segment. */
function spansOf({ manifest, segments }: LogSurvey): Span[] {
  return manifest.segments.map(({ sealedBytes, lowestSequence, highestSequence }, i) => {
    const { segment, startBytes } = segments[i]!;
    let span: Span = [lowestSequence, highestSequence];
    if (segment !== undefined && (sealedBytes === 0 || lowestSequence === 0)) {
      let [lowest, highest] = [Infinity, 0];
      for (const { cursor, isRecord } of scan(segment, startBytes, segment.endBytes)) {
        if (!isRecord) continue;
        lowest = Math.min(lowest, cursor.sequence);
        highest = Math.max(highest, cursor.sequence);
      }
      span = [lowest, highest];
    }
    if (segment !== undefined && span[0] <= span[1]) segment.cover(span[0]);
    return span;
  });
}

function count(sizes: number[], bytes: number): void {
  const bucket = 32 - Math.clz32(bytes);
  while (sizes.length <= bucket) sizes.push(0);
  sizes[bucket]!++;
}
