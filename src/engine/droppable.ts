/**
 * Which tombstones compaction may leave out. Which segments are worth compacting, src/maintenance/ decides.
 *
 * @module
 */
import type { Segment } from "./segment.ts";

/**
 * Tombstones up to this sequence number are not needed any more once `inputs` are rewritten. A tombstone is needed as
 * long as a segment outside may hold an older record of its key. A segment cannot if it starts above the tombstone; nor
 * if it is the output of a compaction that dropped, with the tombstone known already, all that had been superseded
 * (`currentAsOf`). Without the second rule, a compaction that goes through a store segment by segment would keep nearly
 * all tombstones.
 *
 * @experimental
 */
export function droppableUpTo(segments: Iterable<Segment>, inputs: ReadonlySet<Segment>): number {
  let limit = Infinity;
  for (const segment of segments) {
    if (!inputs.has(segment)) limit = Math.min(limit, Math.max(segment.lowestSequence - 1, segment.currentAsOf));
  }
  return limit;
}

/**
 * Notes which sealed segments hold only current sets (`currentAsOf`). Call it before the next record gets its sequence
 * number. `asOf` is the last number given out. The index knows every record up to it, so none of them supersedes a set in
 * such a segment. None ever will, as numbers are not given out twice. Two things do not change that. A pending write may
 * be rolled back later, but what it would have superseded is not current now. A set may expire, but then it is its own
 * tombstone, and nothing has superseded it.
 *
 * @experimental
 */
export function noteCurrent(segments: Iterable<Segment>, asOf: number): void {
  for (const segment of segments) if (segment.sealed && segment.isWhollyLive) segment.currentAsOf = asOf;
}
