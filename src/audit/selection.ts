/**
 * Which segments are audited together, when, and what an audit has to read.
 *
 * @module
 */
import { droppableUpTo } from "../engine/droppable.ts";
import type { Segment } from "../engine/segment.ts";
import { keptBytesOf, outputBytesOf } from "../maintenance/gain.ts";
import type { Thresholds } from "../maintenance/groups.ts";

/** An audit begins when there are tombstones for such a share of the bytes that it reads. */
const TOMBSTONE_SHARE = 1 / 4;
/** So many bytes of tombstones are audited together: their keys take about as much memory. */
const AUDITED_BYTES = 64 * 1024 * 1024;
/** In a large store it is such a share of the log, as each audit may have to read all of it. */
const AUDITED_SHARE = 1 / 64;
/** How many times the stale bytes may be kept in tombstones before they are audited again. */
const AUDITED_SLACK = 3;

/** Segments whose tombstones have been found to be needed, or too few to be worth a copy without them. */
export const AUDITED: WeakSet<Segment> = new WeakSet();

/**
 * Up to which sequence number tombstones can be judged: no segment outside of `inputs` that compaction cannot read
 * stands in their way.
 */
export function judgeableUpTo(segments: Iterable<Segment>, inputs: ReadonlySet<Segment>): number {
  return droppableUpTo([...segments].filter((segment) => !segment.isCompactable), inputs);
}

/**
 * Segments outside of `inputs` that tell whether the tombstones in these are needed: those that may hold an older set
 * of some key, and those with so many tombstones that they are likely to hold a newer one.
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
    const { lowestSequence, currentAsOf, highestTombstone, tombstoneBytes, endBytes } = segment;
    if (Math.max(lowestSequence - 1, currentAsOf) < highest) return true;
    return highestTombstone > lowest && tombstoneBytes >= endBytes * TOMBSTONE_SHARE;
  });
}

/**
 * The segments whose tombstones are audited next, for automatic compaction: those that would be worth rewriting if no
 * tombstone in them were needed, and that have not been audited. `undefined` as long as there is too little to win for
 * the bytes that have to be read. So reading is in proportion to the tombstones, and to what was written.
 */
export function nextToAudit(
  all: Segment[],
  { staleRatio, minStaleBytes }: Omit<Thresholds, "segmentBytes">,
): Segment[] | undefined {
  forgetAudits(all, minStaleBytes);
  const inputs = auditable(all, (input, wonBytes) => wonBytes >= staleRatio * input.endBytes);
  const readBytes = sumOf(witnessesOf(all, new Set(inputs)), ({ endBytes }) => endBytes);
  const isDue = sumOf(inputs, tombstonesIn) >= Math.max(minStaleBytes, readBytes * TOMBSTONE_SHARE);
  return inputs.length > 0 && isDue ? inputs : undefined;
}

/** The segments whose tombstones are audited next, for a full compaction: wherever anything may be won. */
export function nextToAuditOfAll(all: Segment[]): Segment[] | undefined {
  const inputs = auditable(all, (_, wonBytes) => wonBytes > 0);
  return inputs.length > 0 ? inputs : undefined;
}

/** Segments with tombstones that have not been audited, as many as are audited together. */
function auditable(all: Segment[], isWorth: (input: Segment, wonBytes: number) => boolean): Segment[] {
  const limit = Math.max(AUDITED_BYTES, sumOf(all, ({ endBytes }) => endBytes) * AUDITED_SHARE);
  const judgedUpTo = judgeableUpTo(all, new Set());
  const inputs: Segment[] = [];
  let bytes = 0;
  for (const segment of all) {
    if (!segment.isCompactable || AUDITED.has(segment) || tombstonesIn(segment) === 0) continue;
    if (!isWorth(segment, segment.endBytes - outputBytesOf(1, keptBytesOf(segment, judgedUpTo)))) continue;
    bytes += tombstonesIn(segment);
    if (inputs.length > 0 && bytes > limit) break;
    inputs.push(segment);
  }
  return inputs;
}

/**
 * The tombstones that an audit found to be needed take no more than what was stale then. Once they clearly take more,
 * compaction has removed what they were needed for, or newer tombstones have come for the same keys.
 */
function forgetAudits(all: Segment[], minStaleBytes: number): void {
  const sealed = all.filter(({ isCompactable }) => isCompactable);
  const audited = sealed.filter((segment) => AUDITED.has(segment));
  const staleBytes = sumOf(sealed, (segment) => segment.staleBytes);
  const leastBytes = Math.max(minStaleBytes, sumOf(sealed, ({ endBytes }) => endBytes) * TOMBSTONE_SHARE);
  if (sumOf(audited, tombstonesIn) < AUDITED_SLACK * staleBytes + leastBytes) return;
  for (const segment of audited) AUDITED.delete(segment);
}

/**
 * Takes segments in groups, in their order, each of which fits into one new segment if so many bytes of each are kept.
 */
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

function tombstonesIn({ tombstoneBytes, graveBytes }: Segment): number {
  return tombstoneBytes + graveBytes;
}

function sumOf(segments: Segment[], of: (segment: Segment) => number): number {
  return segments.reduce((sum, segment) => sum + of(segment), 0);
}
