/**
 * Which segments are compacted together: by what can be won, oldest first, and as many as fit into one new segment.
 * Compaction takes nothing that would not shrink the store. Otherwise it would rewrite a segment of tombstones that must
 * stay again and again. Only small segments are merged without that, to have fewer files.
 *
 * @module
 */
import type { Segment } from "../engine/segment.ts";
import { Gains } from "./gain.ts";

/** Sizes of one tier of segments have the same logarithm to the base of 4. */
const TIER_BITS = 2;
/** So many segments of one tier become one segment. */
const FULL_TIER = 8;
/** At most so many segments are compacted together, however small they are: choosing them blocks the event loop. */
const MAX_INPUTS = 1024;

/**
 * When automatic compaction takes a segment.
 *
 * @experimental
 */
export interface Thresholds {
  /** The least share of the segment that compaction must reclaim. */
  staleRatio: number;
  /** The least number of bytes that compaction must reclaim in all. */
  minStaleBytes: number;
  /** Size of an output. */
  segmentBytes: number;
}

/**
 * The next group for automatic compaction; `undefined` if too little can be reclaimed.
 *
 * @experimental
 */
export function nextOfStale(all: Segment[], thresholds: Thresholds): Segment[] | undefined {
  const gains = new Gains(all);
  const stale: Segment[] = [];
  let staleBytes = 0;
  for (const segment of all) {
    const { wonBytes } = segment.isCompactable ? gains.of([segment]) : { wonBytes: 0 };
    if (wonBytes <= 0 || wonBytes < thresholds.staleRatio * segment.endBytes) continue;
    stale.push(segment);
    staleBytes += wonBytes;
  }
  if (stale.length === 0 || staleBytes < thresholds.minStaleBytes) return undefined;
  return groupOf(gains, stale, thresholds.segmentBytes);
}

/**
 * Takes the next group for a full compaction from `candidates`, which are sorted oldest first, with the segments that it
 * passes over. `undefined` if no group is left.
 *
 * @experimental
 */
export function nextOfAll(all: Segment[], candidates: Segment[], segmentBytes: number): Segment[] | undefined {
  const gains = new Gains(all);
  while (candidates.length > 0) {
    const inputs = groupOf(gains, worthCopying(gains, candidates, segmentBytes), segmentBytes);
    candidates.splice(0, Math.max(1, inputs.length));
    if (inputs.length > 0 && gains.of(inputs).wonBytes > 0) return inputs;
  }
  return undefined;
}

/** The candidates before the first one that wins nothing by itself and is too large to be copied for one file less. */
function* worthCopying(gains: Gains, candidates: Segment[], segmentBytes: number): Generator<Segment> {
  for (const segment of candidates) {
    const alone = gains.of([segment]);
    if (alone.wonBytes <= 0 && alone.outputBytes > segmentBytes / 2) return;
    yield segment;
  }
}

/**
 * The next group of small segments that are merged, though little of them is stale. They are sorted into tiers, each four
 * times the size of the one below, and a full tier becomes one segment of a higher one. So each tier never has more than
 * a few, and a record is copied at most once for each tier (size-tiered compaction, as in Bigtable's descendants).
 */
export function nextToMerge(all: Segment[], segmentBytes: number): Segment[] | undefined {
  const tiers = new Map<number, Segment[]>();
  for (const segment of all) {
    if (!segment.isCompactable || segment.endBytes >= segmentBytes / 2) continue;
    const tier = Math.floor(Math.log2(segment.endBytes) / TIER_BITS);
    const members = tiers.get(tier) ?? [];
    tiers.set(tier, members);
    members.push(segment);
  }
  const lowest = [...tiers.keys()].sort((a, b) => a - b).find((tier) => tiers.get(tier)!.length >= FULL_TIER);
  return lowest === undefined ? undefined : groupOf(new Gains(all), tiers.get(lowest)!, segmentBytes);
}

/** Sorts segments: oldest records first. */
export function oldestFirst(segments: Iterable<Segment>): Segment[] {
  return [...segments].sort((a, b) => a.lowestSequence - b.lowestSequence || a.number - b.number);
}

/**
 * Sorts candidates for a full disk: first those of which nothing is kept, then those whose copy takes least, as each
 * gives back what the next may need. If outputs are limited to 0 bytes, a group is then several of the former, or one
 * segment.
 */
export function smallestFirst(all: Segment[], candidates: Segment[]): Segment[] {
  const gains = new Gains(all);
  const outputs = new Map(candidates.map((segment) => [segment, gains.of([segment]).outputBytes]));
  return candidates.sort((a, b) => outputs.get(a)! - outputs.get(b)!);
}

/** The first of the candidates that fit into one new segment together: at least one, if there is one. */
function groupOf(gains: Gains, candidates: Iterable<Segment>, segmentBytes: number): Segment[] {
  const inputs: Segment[] = [];
  for (const next of candidates) {
    if (inputs.length > 0 && gains.of([...inputs, next]).outputBytes > segmentBytes) break;
    inputs.push(next);
    if (inputs.length === MAX_INPUTS) break;
  }
  return inputs;
}
