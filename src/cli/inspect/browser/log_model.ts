/**
 * The log as the page works with it: records and cells, and their states at any moment of the history.
 *
 * @module
 */

import type { LogSummary, SegmentData } from "../log_summary.ts";
import { SegmentCells } from "./segment_cells.ts";

/** More versions than this do not make a better example. */
const MOST_OF_EXAMPLE = 4;

/** The states of bytes of the log. */
export const STATES = ["live", "expired", "stale", "tombstone", "mark", "damaged"] as const;
/** A state of bytes of the log. */
export type State = typeof STATES[number];

/** The numbers of the kinds of records in the format. */
export const KIND = { set: 1, delete: 2, clear: 3, mark: 4 } as const;

/** A moment of the history. The log then had all records up to a sequence number. */
export type Moment =
  | { type: "empty"; limit: number }
  | { type: "record"; limit: number; record: number }
  | { type: "step"; limit: number; step: number }
  | { type: "compacted"; limit: number; segment: number }
  | { type: "now"; limit: number }
  | { type: "copied"; limit: number }
  | { type: "removed"; limit: number };

/** A strip: a segment, or one that compaction would write. */
export interface Row {
  /** Position among the strips. */
  position: number;
  title: string;
  bytes: number;
  /** The segment; `undefined` for one that compaction would write. */
  segment: SegmentData | undefined;
  /** Its records, in the order of the file. */
  records: number[];
  /** Where each record starts. In a segment that compaction would write, records have new places. */
  offsets: number[];
  cells: SegmentCells | undefined;
  /** Damaged stretches. */
  damage: { offset: number; length: number }[];
  /** The inputs of a segment that compaction would write. */
  inputs: number[];
}

/** Answers all questions of the page about the log. */
export class LogModel {
  readonly data: LogSummary;
  readonly rows: Row[];
  readonly moments: Moment[];
  /** The present moment. */
  readonly now: number;
  /** Bytes of the longest strip. It takes the full width. */
  readonly longest: number;
  /** Records of each key, from the oldest to the newest. */
  readonly #versions: number[][];
  readonly #damaged: Set<number>;
  readonly #expiries: Map<number, number>;
  readonly #values: Map<number, string>;
  readonly #omitted: Map<number, number>;
  /** For each strip that compaction wrote, the moment at which it did. */
  readonly #compactedAt = new Map<number, number>();
  readonly #steps: number[] = [];

  constructor(data: LogSummary) {
    this.data = data;
    const { recordData } = data;
    this.#damaged = new Set(recordData.damaged);
    this.#expiries = new Map(recordData.expiries);
    this.#values = new Map(recordData.values);
    this.#omitted = new Map(data.keyData.omitted);
    this.#versions = data.keyData.text.map(() => []);
    recordData.key.forEach((key, record) => this.#versions[key]?.push(record));
    for (const records of this.#versions) records.sort((a, b) => recordData.sequence[a]! - recordData.sequence[b]!);
    const records: number[][] = data.segments.map(() => []);
    recordData.segment.forEach((segment, record) => records[segment]!.push(record));
    this.rows = [...data.segments.map((segment, i) => this.#rowOf(segment, i, records[i]!)), ...this.#futureRows()];
    this.longest = Math.max(1, ...this.rows.map((row) => row.bytes));
    this.moments = momentsOf(data);
    let step = -1;
    this.moments.forEach((moment, i) => {
      if (moment.type === "step") step = moment.step;
      if (moment.type === "compacted") this.#compactedAt.set(moment.segment, i);
      this.#steps.push(step);
    });
    this.now = this.moments.findIndex(({ type }) => type === "now");
  }

  /** Returns the state of a record at the moment when everything up to a sequence number is written. */
  stateOf(record: number, limit: number): State {
    const { kind, died } = this.data.recordData;
    if (this.#damaged.has(record)) return "damaged";
    if (kind[record] === KIND.mark) return "mark";
    if (kind[record] !== KIND.set) return "tombstone";
    if (died[record]! > 0 && died[record]! <= limit) return "stale";
    const expiresAt = this.#expiries.get(record);
    return expiresAt !== undefined && expiresAt <= this.data.madeMs ? "expired" : "live";
  }

  /** Returns the versions of a key, from the oldest to the newest. */
  versionsOf(key: number): readonly number[] {
    return this.#versions[key] ?? [];
  }

  /** Returns the records of the sample in a cell that were there at a moment, in the order of the file. */
  sampledIn(row: Row, cell: number, moment: number): number[] {
    const { cellBytes } = row.cells!;
    const { limit } = this.moments[moment]!;
    return row.records.filter((record, i) => {
      const isIn = Math.floor(row.offsets[i]! / cellBytes) === cell;
      return isIn && this.data.recordData.sequence[record]! <= limit && this.data.recordData.key[record]! >= 0;
    });
  }

  /** Returns the key to show first: one that is there, with several versions. */
  example(): number | undefined {
    let best: number | undefined;
    const rank = (key: number) => Math.min(this.versionsOf(key).length, MOST_OF_EXAMPLE);
    this.#versions.forEach((_, key) => {
      if (this.indexEntry(key, Infinity) === undefined) return;
      if (best === undefined || rank(key) > rank(best)) best = key;
    });
    return best;
  }

  /** Returns the number of versions of a key that are in the log but not in the page. */
  omittedOf(key: number): number {
    return this.#omitted.get(key) ?? 0;
  }

  /** Returns the record that the index points at for a key, if the key has an entry. */
  indexEntry(key: number, limit: number): number | undefined {
    const newest = this.versionsOf(key).findLast((record) => this.data.recordData.sequence[record]! <= limit);
    return newest !== undefined && isCurrent(this.stateOf(newest, limit)) ? newest : undefined;
  }

  /** Returns when a record expires, in milliseconds since 1970. */
  expiryOf(record: number): number | undefined {
    return this.#expiries.get(record);
  }

  /** Returns the beginning of a record's value, if values are shown. */
  valueOf(record: number): string | undefined {
    return this.#values.get(record);
  }

  /** Returns the key of a record as text. */
  keyOf(record: number): string | undefined {
    const key = this.data.recordData.key[record]!;
    return key < 0 ? undefined : this.data.keyData.text[key];
  }

  /** Whether a strip is there at a moment. */
  isThere(row: Row, moment: number): boolean {
    const { type } = this.moments[moment]!;
    if (row.segment === undefined) return type === "copied" || type === "removed";
    return type !== "removed" || !this.data.compaction.some(({ inputs }) => inputs.includes(row.segment!.number));
  }

  /**
   * Returns where a record lies at a moment: in its segment, or after a compaction in a new one; `undefined` if it is
   * gone by then. With a sample, the offset in a new segment is unknown.
   */
  placeOf(record: number, moment: number): { row: Row; offset: number | undefined } | undefined {
    const row = this.rows[this.data.recordData.segment[record]!]!;
    if (this.isThere(row, moment)) return { row, offset: this.data.recordData.offset[record]! };
    const { number } = row.segment!;
    const future = this.rows.find(({ segment, inputs }) => segment === undefined && inputs.includes(number));
    if (future === undefined || this.stateOf(record, Infinity) !== "live") return undefined;
    const at = future.records.indexOf(record);
    return { row: future, offset: at < 0 ? undefined : future.offsets[at]! };
  }

  /** Whether compaction had not written a segment yet, so that its records were elsewhere. */
  isGhost(row: Row, moment: number): boolean {
    return moment < (this.#compactedAt.get(row.position) ?? 0);
  }

  /** Returns the last step that had ended by a moment, if history goes in steps; -1 before the first. */
  stepAt(moment: number): number {
    return this.#steps[moment]!;
  }

  #rowOf(segment: SegmentData, position: number, records: number[]): Row {
    const { recordData, steps } = this.data;
    return {
      position,
      title: `Segment ${segment.number}`,
      bytes: Math.max(segment.fileBytes, segment.endBytes),
      segment,
      records,
      offsets: records.map((record) => recordData.offset[record]!),
      cells: segment.cells && new SegmentCells(segment.cells, steps.length),
      damage: this.data.damage.filter((one) => one.segment === segment.number),
      inputs: [],
    };
  }

  /** The strips of the segments that compaction would write. */
  #futureRows(): Row[] {
    const { compaction, segments, recordData, isSample } = this.data;
    return compaction.filter(({ outputBytes }) => outputBytes > 0).map(({ inputs, outputBytes }, i) => {
      const wanted = new Set(segments.flatMap(({ number }, position) => inputs.includes(number) ? [position] : []));
      const live = isSample ? [] : recordData.segment.flatMap((segment, record) => {
        return wanted.has(segment) && this.stateOf(record, Infinity) === "live" ? [record] : [];
      });
      let at = 44 + 4 * inputs.length;
      const offsets = live.map((record) => (at += recordData.length[record]!) - recordData.length[record]!);
      const title = compaction.length > 1 ? `New segment ${i + 1}` : "New segment";
      const position = segments.length + i;
      const nothing = { segment: undefined, cells: undefined, damage: [] };
      return { ...nothing, position, title, bytes: outputBytes, records: live, offsets, inputs };
    });
  }
}

/** Whether the index points at records in a state. */
export function isCurrent(state: State): boolean {
  return state === "live" || state === "expired" || state === "damaged";
}

/** Lists the moments: the empty log, each record or step, compactions in between, now, and a compaction to come. */
function momentsOf(data: LogSummary): Moment[] {
  const moments: Moment[] = [{ type: "empty", limit: 0 }];
  const { recordData, steps, isSample, compaction } = data;
  if (isSample) steps.forEach((limit, step) => moments.push({ type: "step", limit, step }));
  else moments.push(...recordMoments(recordData));
  // A past compaction comes after the last record that was there when it began.
  data.segments.forEach(({ compactedAfter }, segment) => {
    if (compactedAfter === 0) return;
    const before = moments.findLastIndex(({ limit }) => limit <= compactedAfter);
    moments.splice(before + 1, 0, { type: "compacted", limit: moments[before]!.limit, segment });
  });
  const limit = Number.MAX_SAFE_INTEGER;
  moments.push({ type: "now", limit });
  if (compaction.length > 0) moments.push({ type: "copied", limit }, { type: "removed", limit });
  return moments;
}

/** Makes a moment for each record. A mark belongs to the moment of the record before it. */
function recordMoments({ sequence, kind }: LogSummary["recordData"]): Moment[] {
  const order = sequence.map((_, record) => record).sort((a, b) => sequence[a]! - sequence[b]!);
  const moments: Moment[] = [];
  for (const record of order) {
    const last = moments.at(-1);
    if (kind[record] === KIND.mark && last !== undefined) last.limit = sequence[record]!;
    else moments.push({ type: "record", limit: sequence[record]!, record });
  }
  return moments;
}
