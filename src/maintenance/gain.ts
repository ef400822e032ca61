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
 * What rewriting segments together would give back.
 *
 * @experimental
 */
export interface Gain {
  /** The bytes that it would give back. */
  wonBytes: number;
  /** How large the output would be, in bytes. */
  outputBytes: number;
}

/** The gains of groups of these segments, which must not change meanwhile. Each takes the time of the group alone. */
export class Gains {
  /** The segments, beginning with the one because of which most tombstones have to stay. */
  readonly #all: Segment[];

  /** The segments are those of a whole log. */
  constructor(segments: Iterable<Segment>) {
    const limits = new Map(Array.from(segments, (segment) => [segment, droppableUpTo([segment], new Set())]));
    // Two that are infinite have no difference.
    this.#all = [...limits.keys()].sort((a, b) => limits.get(a)! - limits.get(b)! || 0);
  }

  /** The gain of rewriting some of them together. */
  of(inputs: Segment[]): Gain {
    const group = new Set(inputs);
    const first = this.#all.find((segment) => !group.has(segment));
    const droppable = droppableUpTo(first === undefined ? [] : [first], group);
    const keptBytes = inputs.reduce((sum, input) => sum + keptBytesOf(input, droppable), 0);
    const outputBytes = outputBytesOf(inputs.length, keptBytes);
    return { wonBytes: inputs.reduce((sum, { endBytes }) => sum + endBytes, 0) - outputBytes, outputBytes };
  }
}

/**
 * What rewriting some of these segments together would give back.
 *
 * @experimental
 */
export function gainOf(segments: Iterable<Segment>, inputs: Segment[]): Gain {
  return new Gains(segments).of(inputs);
}
