/**
 * What compaction reclaims. It drops what is stale, and tombstones as far as they may go; the rest is copied.
 *
 * @module
 */
import { droppableUpTo } from "../engine/droppable.ts";
import { MARK_BYTES } from "../engine/record.ts";
import { type Segment, SEGMENT_HEADER_BYTES } from "../engine/segment.ts";

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
