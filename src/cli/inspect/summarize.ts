/**
 * Makes the summary for a page from what was collected. Its size is bounded, whatever the size of the store.
 *
 * @module
 */

import { KIND, type LogSurvey, readSegmentHeader } from "../../../mod.ts";
import { keyText, toBase64 } from "../text/notation.ts";
import { VERSION } from "../version.ts";
import { type Cells, COUNTED } from "./cells.ts";
import type { Collected, CollectedSegment } from "./collect.ts";
import { forecastCompaction } from "./compaction_forecast.ts";
import type { BytesByState, CellData, KeyData, LogSummary, RecordData, SegmentData } from "./log_summary.ts";
import type { SampledKey, SampledRecord } from "./sample.ts";

/** The most segments on a page: of more, the oldest and the newest. */
const MOST_SEGMENTS = 400;
/** The most inputs listed for a segment. */
const MOST_INPUTS = 100;
/** The most characters of a key. */
const KEY_CHARACTERS = 120;

/** What a page says about itself. */
export interface SummaryOptions {
  directory: string;
  nowMs: number;
  hasValues: boolean;
}

/** Makes the summary of a log. */
export function summarize(survey: LogSurvey, collected: Collected, options: SummaryOptions): LogSummary {
  const { segments, timeline, series, sample, damage } = collected;
  const shown = segments.filter((_, i) => i < MOST_SEGMENTS / 2 || i >= segments.length - MOST_SEGMENTS / 2);
  const segmentData = segments.map((one) => segmentOf(one));
  const bytes = sumOf(segmentData.map((one) => one.bytes));
  const { recordData, keyData } = recordsOf(collected, shown);
  return {
    directory: options.directory,
    madeMs: options.nowMs,
    version: VERSION,
    isClean: survey.manifest.clean,
    isManifestDamaged: survey.problems.some(({ file }) => file === "MANIFEST"),
    hasValues: options.hasValues,
    keys: collected.keys,
    expiredKeys: collected.expiredKeys,
    records: collected.records,
    bytes,
    diskBytes: segments.reduce((sum, { fileBytes }) => sum + fileBytes, 0),
    segments: segmentData.flatMap((data, i) => {
      if (!shown.includes(segments[i]!)) return [];
      return [sample.isPartial ? { ...data, cells: cellsOf(segments[i]!.cells, timeline.steps) } : data];
    }),
    omittedSegments: segments.length - shown.length,
    steps: timeline.lastOfEach(),
    series: { appended: [...series.appended], died: [...series.died], keys: [...series.keys] },
    age: ageOf(collected),
    sizes: { keys: collected.keySizes, values: collected.valueSizes },
    clears: collected.clears.slice(-1000),
    damage: damage.concat(survey.problems.map(({ offset, length, reason, file }) => {
      return { segment: 0, offset, length, reason: `${file}: ${reason}` };
    })),
    damages: collected.damages + survey.problems.length,
    isSample: sample.isPartial,
    recordData,
    keyData,
    compaction: forecastCompaction(survey, segments),
  };
}

/** Summarizes a segment, without its cells. */
export function segmentOf(collected: CollectedSegment): SegmentData {
  const { segment, name, fileBytes, requiredBytes, startBytes, records, sequences } = collected;
  const { inputs, number } = headerOf(collected);
  return {
    number,
    name,
    fileBytes,
    endBytes: segment?.endBytes ?? requiredBytes,
    headerBytes: startBytes,
    isSealed: collected.isComplete,
    isMissing: segment === undefined,
    inputs: inputs.slice(0, MOST_INPUTS),
    compactedAfter: inputs.length > 0 ? segment?.currentAsOf ?? 0 : 0,
    lowestSequence: sequences[0],
    highestSequence: sequences[1],
    records,
    bytes: bytesOf(collected),
  };
}

function headerOf({ segment, name }: CollectedSegment): { inputs: number[]; number: number } {
  const number = Number(name.slice(0, -".seg".length));
  if (segment === undefined) return { inputs: [], number };
  try {
    return { inputs: readSegmentHeader(segment.handle, name).inputs, number };
  } catch {
    return { inputs: [], number };
  }
}

function bytesOf({ cells, segment, fileBytes }: CollectedSegment): BytesByState {
  const sum = (column: Float64Array) => column.reduce((total, bytes) => total + bytes, 0);
  const { set, tombstone, mark, expired, damaged } = cells.bytes;
  let live = 0;
  for (let cell = 0; cell < cells.count; cell++) live += cells.liveBytes(cell);
  return {
    live,
    stale: sum(set) - sum(expired) - live,
    tombstone: sum(tombstone),
    expired: sum(expired),
    damaged: sum(damaged),
    mark: sum(mark),
    unused: Math.max(0, fileBytes - (segment?.endBytes ?? fileBytes)),
  };
}

function sumOf(all: BytesByState[]): BytesByState {
  const total: BytesByState = { live: 0, stale: 0, tombstone: 0, expired: 0, damaged: 0, mark: 0, unused: 0 };
  for (const bytes of all) {
    for (const state of Object.keys(total) as (keyof BytesByState)[]) total[state] += bytes[state];
  }
  return total;
}

function cellsOf(cells: Cells, steps: number): CellData {
  const { count, cellBytes } = cells;
  const shares = new Uint8Array(count * COUNTED.length);
  const died = new Uint8Array(count * steps);
  const times = new DataView(new ArrayBuffer(count * 4));
  for (let cell = 0; cell < count; cell++) {
    COUNTED.forEach((what, i) => shares[cell * COUNTED.length + i] = shareOf(cells.bytes[what][cell]!, cellBytes));
    cells.diedBy(cell).forEach((bytes, step) => died[cell * steps + step] = shareOf(bytes, cellBytes));
    if (cells.records[cell] === 0 && cells.ended[cell] === 0) continue;
    times.setUint16(cell * 4, Math.floor(Math.min(cells.begun[cell]!, 255) * 256), true);
    times.setUint16(cell * 4 + 2, Math.floor(Math.min(cells.ended[cell]!, 255) * 256), true);
  }
  return {
    cellBytes,
    count,
    shares: toBase64(shares),
    died: toBase64(died),
    times: toBase64(new Uint8Array(times.buffer)),
    records: [...cells.records],
  };
}

/** Returns a share in 255ths. A share above 0 is never rounded to 0. */
function shareOf(bytes: number, cellBytes: number): number {
  return bytes <= 0 ? 0 : Math.min(255, Math.max(1, Math.round((255 * bytes) / cellBytes)));
}

/** Sums bytes by the step in which they were written. Spreads the records of a cell evenly over the cell's time. */
function ageOf({ segments, timeline }: Collected): { live: number[]; stale: number[] } {
  const live = new Array(timeline.steps).fill(0);
  const stale = new Array(timeline.steps).fill(0);
  for (const { cells } of segments) {
    for (let cell = 0; cell < cells.count; cell++) {
      const begun = Math.min(cells.begun[cell]!, cells.ended[cell]!);
      const time = Math.max(1e-9, cells.ended[cell]! - begun);
      const liveBytes = cells.liveBytes(cell);
      const staleBytes = cells.bytes.set[cell]! - liveBytes;
      for (let step = Math.floor(begun); step < Math.min(timeline.steps, begun + time); step++) {
        const share = (Math.min(step + 1, begun + time) - Math.max(step, begun)) / time;
        live[step] += share * liveBytes;
        stale[step] += share * staleBytes;
      }
    }
  }
  return { live: live.map(Math.round), stale: stale.map(Math.round) };
}

function recordsOf({ sample, clears }: Collected, shown: CollectedSegment[]) {
  const positions = new Map(shown.flatMap(({ segment }, i) => segment === undefined ? [] : [[segment.number, i]]));
  const keyData: KeyData = { text: [], bytes: [], omitted: [] };
  const all: { record: SampledRecord; key: number; died: number }[] = [];
  for (const key of sample.keys.values()) {
    const died = deathsOf(key, clears);
    const hasKey = key.records[0]!.kind === KIND.set || key.records[0]!.kind === KIND.delete;
    const number = hasKey ? keyData.text.length : -1;
    if (hasKey) {
      keyData.text.push(shortened(key));
      keyData.bytes.push(key.bytes);
      if (key.omitted > 0) keyData.omitted.push([number, key.omitted]);
    }
    key.records.forEach((record, i) => all.push({ record, key: number, died: died[i]! }));
  }
  const drawn = all.filter(({ record }) => positions.has(record.segment));
  drawn.sort((a, b) => a.record.segment - b.record.segment || a.record.offset - b.record.offset);
  const field = (value: (one: typeof drawn[number]) => number) => drawn.map(value);
  const recordData: RecordData = {
    segment: field(({ record }) => positions.get(record.segment)!),
    offset: field(({ record }) => record.offset),
    length: field(({ record }) => record.length),
    sequence: field(({ record }) => record.sequence),
    kind: field(({ record }) => record.kind),
    flags: field(({ record }) => record.flags),
    key: field(({ key }) => key),
    valueBytes: field(({ record }) => record.valueBytes),
    died: field(({ died }) => died),
    damaged: drawn.flatMap(({ record }, i) => record.isDamaged ? [i] : []),
    expiries: drawn.flatMap(({ record }, i) => record.expiresAt === undefined ? [] : [[i, record.expiresAt]]),
    values: drawn.flatMap(({ record }, i) => record.preview === undefined ? [] : [[i, record.preview]]),
  };
  return { recordData, keyData };
}

/** Sorts the records of a key and returns what sequence number superseded each; 0 for the newest. */
function deathsOf(key: SampledKey, clears: number[]): number[] {
  const { records } = key;
  records.sort((a, b) => a.sequence - b.sequence);
  return records.map(({ sequence, kind }, i) => {
    if (kind !== KIND.set && kind !== KIND.delete) return 0;
    const next = records[i + 1]?.sequence ?? Infinity;
    const clear = clears.find((one) => one > sequence) ?? Infinity;
    const died = Math.min(next, clear);
    return died === Infinity ? 0 : died;
  });
}

function shortened({ head, isString, bytes }: SampledKey): string {
  // `stream` leaves out a character that is cut in two.
  const text = isString ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(head, { stream: true }) : head;
  const all = keyText(text);
  const characters = [...all.slice(0, 2 * KEY_CHARACTERS)];
  const isWhole = bytes === head.length && characters.length <= KEY_CHARACTERS && all.length <= 2 * KEY_CHARACTERS;
  return isWhole ? all : `${characters.slice(0, KEY_CHARACTERS).join("")}…`;
}
