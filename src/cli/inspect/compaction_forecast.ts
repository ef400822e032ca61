/**
 * Forecasts what `kvstore compact` would reclaim, with the library's own choice of segments, simulated on their
 * figures.
 *
 * @module
 */

import { gainOf, type LogSurvey, nextOfAll, noteCurrent, Segment } from "../../../mod.ts";
import type { CollectedSegment } from "./collect.ts";

/** A group of segments that compaction would rewrite together. */
export interface ForecastRewrite {
  /** Numbers of the segments that would be rewritten. */
  inputs: number[];
  /** Size of the segment that would replace them; 0 if none would be needed. */
  outputBytes: number;
  /** Bytes that would be reclaimed. */
  wonBytes: number;
}

/** The library's default size of segments. */
const SEGMENT_BYTES = 64 * 1024 * 1024;
/** The active segment takes part if more than this can be reclaimed: headers of two segments, and a mark. */
const LEAST_OF_ACTIVE_BYTES = 120;

/** Returns the groups that a full compaction would rewrite, one after the other. */
export function forecastCompaction(survey: LogSurvey, collected: CollectedSegment[]): ForecastRewrite[] {
  let all = collected.flatMap((one) => one.segment === undefined ? [] : [accountOf(one)]);
  const candidates = all.filter((segment) => segment.isCompactable);
  const gains: ForecastRewrite[] = [];
  // A store does not record its size of segments. Several complete segments show it.
  const complete = collected.filter(({ isComplete, segment }) => isComplete && isOriginal(segment));
  const largest = complete.reduce((most, { segment }) => Math.max(most, segment?.endBytes ?? 0), 0);
  const segmentBytes = complete.length > 1 ? largest : SEGMENT_BYTES;
  noteCurrent(all, survey.manifest.nextSequence - 1);
  let number = survey.manifest.nextSegment;
  for (;;) {
    const inputs = nextOfAll(all, candidates, segmentBytes);
    if (inputs === undefined) return gains;
    const { wonBytes, outputBytes } = gainOf(all, inputs);
    gains.push({ inputs: inputs.map((input) => input.number), outputBytes, wonBytes });
    const rewritten = new Set(inputs);
    all = all.filter((segment) => !rewritten.has(segment));
    if (outputBytes > 0) all.push(outputOf(inputs, number++, { outputBytes, asOf: survey.manifest.nextSequence - 1 }));
  }
}

/** Whether the store wrote a segment, not compaction. Such segments have the full size. */
function isOriginal(segment: Segment | undefined): boolean {
  return segment === undefined || segment.headerBytes === 44;
}

/** Makes a stand-in for a segment with the figures that were collected. */
function accountOf({ segment, cells, sequences, graveBytes, isComplete }: CollectedSegment): Segment {
  const { number, salt, handle, endBytes, headerBytes, currentAsOf, isDamaged } = segment!;
  const inputs = new Array((headerBytes - 44) / 4).fill(0);
  const account = new Segment({ number, storeId: new Uint8Array(16), salt, inputs }, handle, {
    endBytes,
    sealed: true,
  });
  for (let cell = 0; cell < cells.count; cell++) account.liveBytes += cells.liveBytes(cell);
  account.tombstoneBytes = segment!.tombstoneBytes;
  account.highestTombstone = segment!.highestTombstone;
  account.markBytes = segment!.markBytes;
  account.graveBytes = graveBytes;
  account.currentAsOf = currentAsOf;
  account.isDamaged = isDamaged;
  if (sequences[0] > 0) sequences.forEach((sequence) => account.cover(sequence));
  const winnable = account.staleBytes + account.tombstoneBytes + account.graveBytes;
  account.sealed = isComplete || winnable > LEAST_OF_ACTIVE_BYTES;
  return account;
}

function outputOf(inputs: Segment[], number: number, { outputBytes, asOf }: { outputBytes: number; asOf: number }) {
  const { salt, handle } = inputs[0]!;
  const header = { number, storeId: new Uint8Array(16), salt, inputs: inputs.map((input) => input.number) };
  const output = new Segment(header, handle, { endBytes: outputBytes, sealed: true });
  output.liveBytes = inputs.reduce((sum, input) => sum + input.liveBytes, 0);
  output.tombstoneBytes = Math.max(0, outputBytes - output.headerBytes - 32 - output.liveBytes);
  output.highestTombstone = Math.max(...inputs.map((input) => input.highestTombstone));
  output.currentAsOf = asOf;
  for (const { lowestSequence, highestSequence } of inputs) {
    output.cover(lowestSequence);
    output.cover(highestSequence);
  }
  return output;
}
