/**
 * What compaction may leave out, and what it wins by that. Which segments are worth it, src/maintenance/ decides.
 *
 * @module
 */
import { MARK_BYTES } from "./record.ts";
import { type Segment, SEGMENT_HEADER_BYTES } from "./segment.ts";

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
 * Notes which sealed segments hold only current sets (`cleanAsOf`). Call it before the next record gets its sequence
 * number. `asOf` is the last number given out. The index knows every record up to it, so none of them supersedes a set in
 * such a segment. None ever will, as numbers are not given out twice. Two things do not change that. A pending write may
 * be rolled back later, but what it would have superseded is not current now. A set may expire, but then it is its own
 * tombstone, and nothing has superseded it.
 *
 * @experimental
 */
export function noteClean(segments: Iterable<Segment>, asOf: number): void {
  for (const segment of segments) if (segment.sealed && segment.isWhollyLive) segment.cleanAsOf = asOf;
}

/** Bytes of a segment that compaction copies if tombstones up to the sequence number `droppable` may go. */
export function keptBytesOf(segment: Segment, droppable: number): number {
  let keptBytes = segment.liveBytes - segment.expiredBytes;
  if (segment.highestTombstone > droppable) keptBytes += segment.tombstoneBytes;
  // What has expired may have any of the segment's sequence numbers.
  if (segment.highestSequence > droppable) keptBytes += segment.graveBytes;
  return keptBytes;
}

/** Size of the segment that so many inputs are rewritten as. */
export function outputBytesOf(inputs: number, keptBytes: number): number {
  return keptBytes === 0 ? 0 : keptBytes + SEGMENT_HEADER_BYTES + 4 * inputs + MARK_BYTES;
}

/**
 * Bytes that rewriting these segments together would give back, and how large the output would be.
 *
 * @experimental
 */
export function gainOf(segments: Iterable<Segment>, inputs: Segment[]): { wonBytes: number; outputBytes: number } {
  const droppable = droppableUpTo(segments, new Set(inputs));
  const keptBytes = inputs.reduce((sum, input) => sum + keptBytesOf(input, droppable), 0);
  const outputBytes = outputBytesOf(inputs.length, keptBytes);
  return { wonBytes: inputs.reduce((sum, { endBytes }) => sum + endBytes, 0) - outputBytes, outputBytes };
}
