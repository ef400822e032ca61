/**
 * Which segments compaction takes: by what can be won, oldest first, and as many together as fit into one new segment.
 * No compaction is chosen that would not shrink the store; else a segment of tombstones that must stay would be
 * rewritten for ever.
 *
 * @module
 */
import { MARK_BYTES } from "./record.ts";
import { type Segment, SEGMENT_HEADER_BYTES } from "./segment.ts";

/** An audit begins when there are tombstones for such a share of the bytes that it reads. */
const TOMBSTONE_SHARE = 1 / 4;
/** So many bytes of tombstones are audited together: their keys take about as much memory … */
const AUDITED_BYTES = 64 * 1024 * 1024;
/** … or, in a large store, such a share of it, as each audit may have to read all of it. */
const AUDITED_SHARE = 1 / 64;
/** How many times the stale bytes may be kept in tombstones before they are audited again. */
const AUDITED_SLACK = 3;
/** Sizes of one tier of segments have the same logarithm to the base of 4 … */
const TIER_BITS = 2;
/** … and so many of one tier become one segment. */
const FULL_TIER = 8;

/**
 * When automatic compaction takes a segment.
 *
 * @experimental
 */
export interface Thresholds {
  /** Share of the segment that can be won. */
  staleRatio: number;
  /** Bytes that can be won in all. */
  minStaleBytes: number;
  /** Size of an output. */
  segmentBytes: number;
}

/**
 * Tombstones up to this sequence number are not needed any more once `inputs` are rewritten. A tombstone is needed as
 * long as a segment outside may hold an older record of its key. A segment cannot if it starts above the tombstone; nor
 * if it is the output of a compaction that dropped, with the tombstone known already, all that had been superseded
 * (`cleanAsOf`). Without the second rule, a compaction that goes through a store segment by segment would keep nearly
 * all tombstones.
 *
 * @experimental
 */
export function droppableUpTo(segments: Iterable<Segment>, inputs: ReadonlySet<Segment>): number {
  let limit = Infinity;
  for (const segment of segments) {
    if (!inputs.has(segment)) limit = Math.min(limit, Math.max(segment.lowestSequence - 1, segment.cleanAsOf));
  }
  return limit;
}

/**
 * Takes note, before the next record gets its sequence number, of the sealed segments all of whose sets are current. The
 * index, as it is now, has every record up to `asOf`, the last number given out; so none of them supersedes a set in such
 * a segment, and none ever will, as numbers are not given out twice. A write that is pending and rolled back later
 * changes nothing about that: what it would have superseded is not current now. Nor does an expiry: a set that has
 * expired is its own tombstone, and nothing has superseded it.
 *
 * @experimental
 */
export function noteClean(segments: Iterable<Segment>, asOf: number): void {
  for (const segment of segments) if (segment.sealed && segment.isWhollyLive) segment.cleanAsOf = asOf;
}

/**
 * Up to which sequence number no segment outside of `inputs` that compaction cannot read stands in a tombstone's way.
 */
export function unreadableUpTo(segments: Iterable<Segment>, inputs: ReadonlySet<Segment>): number {
  return droppableUpTo([...segments].filter((segment) => !segment.isCompactable), inputs);
}

/**
 * Segments outside of `inputs` that tell whether the tombstones in these are needed: those that may hold an older set of
 * some key, and those with so many tombstones that they are likely to hold a newer one.
 */
export function witnessesOf(segments: Iterable<Segment>, inputs: ReadonlySet<Segment>): Segment[] {
  let lowest = Infinity;
  let highest = 0;
  for (const { lowestSequence, highestSequence, highestTombstone, graveBytes } of inputs) {
    lowest = Math.min(lowest, lowestSequence);
    highest = Math.max(highest, graveBytes > 0 ? highestSequence : highestTombstone);
  }
  return [...segments].filter((segment) => {
    if (inputs.has(segment) || !segment.isCompactable) return false;
    const { lowestSequence, cleanAsOf, highestTombstone, tombstoneBytes, endBytes } = segment;
    if (Math.max(lowestSequence - 1, cleanAsOf) < highest) return true;
    return highestTombstone > lowest && tombstoneBytes >= endBytes * TOMBSTONE_SHARE;
  });
}

/**
 * Bytes that rewriting these segments together would give back, and how large the output would be.
 *
 * @experimental
 */
export function gainOf(segments: Iterable<Segment>, inputs: Segment[]): { wonBytes: number; outputBytes: number } {
  return gainWith(inputs, droppableUpTo(segments, new Set(inputs)));
}

function gainWith(inputs: Segment[], droppable: number): { wonBytes: number; outputBytes: number } {
  let keptBytes = 0;
  let inputBytes = 0;
  for (const input of inputs) {
    inputBytes += input.endBytes;
    keptBytes += input.liveBytes - input.expiredBytes;
    keptBytes += input.highestTombstone <= droppable ? 0 : input.tombstoneBytes;
    // What has expired may have any of the segment's sequence numbers.
    keptBytes += input.highestSequence <= droppable ? 0 : input.graveBytes;
  }
  const outputBytes = outputBytesOf(inputs.length, keptBytes);
  return { wonBytes: inputBytes - outputBytes, outputBytes };
}

/** Size of the segment that so many inputs are rewritten as. */
export function outputBytesOf(inputs: number, keptBytes: number): number {
  return keptBytes === 0 ? 0 : keptBytes + SEGMENT_HEADER_BYTES + 4 * inputs + MARK_BYTES;
}

/**
 * The next group for a full compaction among `candidates`, oldest first: removes what it looked at. `undefined` at the
 * end.
 *
 * @experimental
 */
export function nextOfAll(all: Segment[], candidates: Segment[], segmentBytes: number): Segment[] | undefined {
  while (candidates.length > 0) {
    const inputs = gather(all, candidates, segmentBytes, (segment) => {
      const alone = gainOf(all, [segment]);
      // Nothing to win by itself, and too large to be worth copying for the sake of one file less.
      return alone.wonBytes > 0 || alone.outputBytes <= segmentBytes / 2;
    });
    if (inputs.length > 0 && gainOf(all, inputs).wonBytes > 0) return inputs;
  }
  return undefined;
}

/**
 * The next group for automatic compaction; `undefined` if too little can be won.
 *
 * @experimental
 */
export function nextOfStale(all: Segment[], thresholds: Thresholds): Segment[] | undefined {
  const { staleRatio, minStaleBytes, segmentBytes } = thresholds;
  const stale = all.filter((segment) => {
    const { wonBytes } = segment.isCompactable ? gainOf(all, [segment]) : { wonBytes: 0 };
    return wonBytes > 0 && wonBytes >= staleRatio * segment.endBytes;
  });
  const wonBytes = stale.reduce((sum, segment) => sum + gainOf(all, [segment]).wonBytes, 0);
  if (stale.length === 0 || wonBytes < minStaleBytes) return undefined;
  return gather(all, stale, segmentBytes, () => true);
}

/**
 * The segments whose tombstones are to be audited next, for automatic compaction: those that would be worth rewriting if
 * no tombstone in them were needed, and that have not been audited. `undefined` as long as there is too little to win for
 * the reading that it takes: that is proportional to the tombstones, then, and so to what was written.
 */
export function nextToAudit(all: Segment[], thresholds: Thresholds): Segment[] | undefined {
  const { staleRatio, minStaleBytes } = thresholds;
  forgetAudits(all, minStaleBytes);
  const inputs = auditable(all, (input, wonBytes) => wonBytes >= staleRatio * input.endBytes);
  const readBytes = sumOf(witnessesOf(all, new Set(inputs)), ({ endBytes }) => endBytes);
  const isDue = sumOf(inputs, tombstonesIn) >= Math.max(minStaleBytes, readBytes * TOMBSTONE_SHARE);
  return inputs.length > 0 && isDue ? inputs : undefined;
}

/** The segments whose tombstones are to be audited next, for a full compaction: wherever anything may be won. */
export function nextToAuditOfAll(all: Segment[]): Segment[] | undefined {
  const inputs = auditable(all, (_, wonBytes) => wonBytes > 0);
  return inputs.length > 0 ? inputs : undefined;
}

/** Segments with tombstones that have not been audited, as many as are audited together. */
function auditable(all: Segment[], isWorth: (input: Segment, wonBytes: number) => boolean): Segment[] {
  const limit = Math.max(AUDITED_BYTES, sumOf(all, ({ endBytes }) => endBytes) * AUDITED_SHARE);
  const judgedUpTo = unreadableUpTo(all, new Set());
  const inputs: Segment[] = [];
  let bytes = 0;
  for (const segment of all) {
    if (!segment.isCompactable || segment.isAudited || tombstonesIn(segment) === 0) continue;
    if (!isWorth(segment, gainWith([segment], judgedUpTo).wonBytes)) continue;
    bytes += tombstonesIn(segment);
    if (inputs.length > 0 && bytes > limit) break;
    inputs.push(segment);
  }
  return inputs;
}

/**
 * What an audit found to be needed is no more than what was stale; once it clearly is more, compaction has removed what
 * it was needed for, or newer tombstones have come for the same keys.
 */
function forgetAudits(all: Segment[], minStaleBytes: number): void {
  const sealed = all.filter(({ isCompactable }) => isCompactable);
  const audited = sealed.filter(({ isAudited }) => isAudited);
  const staleBytes = sumOf(sealed, (segment) => segment.staleBytes);
  const leastBytes = Math.max(minStaleBytes, sumOf(sealed, ({ endBytes }) => endBytes) * TOMBSTONE_SHARE);
  if (sumOf(audited, tombstonesIn) < AUDITED_SLACK * staleBytes + leastBytes) return;
  for (const segment of audited) segment.isAudited = false;
}

function tombstonesIn({ tombstoneBytes, graveBytes }: Segment): number {
  return tombstoneBytes + graveBytes;
}

function sumOf(segments: Segment[], of: (segment: Segment) => number): number {
  return segments.reduce((sum, segment) => sum + of(segment), 0);
}

/**
 * The next group of small segments that are merged, though little of them is stale: they are sorted into tiers, each four
 * times the size of the one below, and a tier that is full becomes one segment of a higher one. So there are never more
 * than a few in each, and a record is copied once a tier at most (size-tiered compaction, as in Bigtable's descendants).
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
  return lowest === undefined ? undefined : gather(all, tiers.get(lowest)!, segmentBytes, () => true);
}

/** Takes segments in groups, in their order, each of which fits into one new segment if so many bytes of each are kept. */
export function groupsOf(
  inputs: Segment[],
  keptBytes: number[],
  segmentBytes: number,
): { inputs: Segment[]; keptBytes: number }[] {
  const groups: { inputs: Segment[]; keptBytes: number }[] = [];
  for (const [i, input] of inputs.entries()) {
    const last = groups.at(-1);
    const bytes = (last?.keptBytes ?? 0) + keptBytes[i]!;
    if (last !== undefined && outputBytesOf(last.inputs.length + 1, bytes) <= segmentBytes) {
      last.inputs.push(input);
      last.keptBytes = bytes;
    } else groups.push({ inputs: [input], keptBytes: keptBytes[i]! });
  }
  return groups;
}

/**
 * Segments in the order for a full disk: first those of which nothing is kept, then those whose copy takes least, as each
 * gives back what the next may need. With outputs limited to 0 bytes, groups are then of the former, or of one segment.
 *
 * @experimental
 */
export function smallestFirst(all: Segment[], candidates: Segment[]): Segment[] {
  const outputs = new Map(candidates.map((segment) => [segment, gainOf(all, [segment]).outputBytes]));
  return candidates.sort((a, b) => outputs.get(a)! - outputs.get(b)!);
}

/** Takes segments from the front as long as they are wanted and fit together; one that is not wanted ends a group. */
function gather(
  all: Segment[],
  candidates: Segment[],
  limitBytes: number,
  isWanted: (one: Segment) => boolean,
): Segment[] {
  const inputs: Segment[] = [];
  for (let next = candidates[0]; next !== undefined; next = candidates[0]) {
    const wanted = isWanted(next);
    if (inputs.length > 0 && (!wanted || gainOf(all, [...inputs, next]).outputBytes > limitBytes)) break;
    candidates.shift();
    if (wanted) inputs.push(next);
  }
  return inputs;
}
