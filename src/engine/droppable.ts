/**
 * Which tombstones compaction may leave out. Which segments are worth compacting, src/maintenance/ decides.
 *
 * @module
 */
import type { Segment } from "./segment.ts";

/**
 * The sequence number up to which tombstones are no longer needed once `inputs` are rewritten. A tombstone is needed as
 * long as it may hide an older set of its key in a segment outside the inputs. It hides nothing in a segment that
 * starts above it. Nor does it in a segment that is current as of it (`currentAsOf`): no set there was superseded by
 * that time. Without the second rule, a compaction that goes through a store segment by segment would keep nearly all
 * tombstones.
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
 * number. `asOf` is the last number given out. The index knows every record up to it, so none of them supersedes a set
 * in such a segment. None ever will, as numbers are not given out twice. Two things do not change that. A pending write
 * may be rolled back later, but what it would have superseded is not current now. A set may expire, but then it is its
 * own tombstone, and nothing has superseded it.
 *
 * @experimental
 */
export function noteCurrent(segments: Iterable<Segment>, asOf: number): void {
  for (const segment of segments) if (segment.sealed && segment.isWhollyLive) segment.currentAsOf = asOf;
}
