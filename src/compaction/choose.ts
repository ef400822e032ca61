/**
 * Which segments compaction takes: by what can be won, oldest first, and as many together as fit into one new segment.
 * No compaction is chosen that would not shrink the store; else a segment of tombstones that must stay would be
 * rewritten for ever.
 *
 * @module
 */
import { MARK_BYTES } from "../log/record.ts";
import { type Segment, SEGMENT_HEADER_BYTES } from "../log/segment.ts";

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
 * Bytes that rewriting these segments together would give back, and how large the output would be.
 *
 * @experimental
 */
export function gainOf(segments: Iterable<Segment>, inputs: Segment[]): { wonBytes: number; outputBytes: number } {
  const droppable = droppableUpTo(segments, new Set(inputs));
  let keptBytes = 0;
  let inputBytes = 0;
  for (const input of inputs) {
    inputBytes += input.endBytes;
    keptBytes += input.liveBytes - input.expiredBytes;
    keptBytes += input.highestTombstone <= droppable ? 0 : input.tombstoneBytes;
    // What has expired may have any of the segment's sequence numbers.
    keptBytes += input.highestSequence <= droppable ? 0 : input.graveBytes;
  }
  const overhead = SEGMENT_HEADER_BYTES + 4 * inputs.length + MARK_BYTES;
  const outputBytes = keptBytes === 0 ? 0 : keptBytes + overhead;
  return { wonBytes: inputBytes - outputBytes, outputBytes };
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
