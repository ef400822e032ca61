/**
 * How far a reader has followed the writer.
 *
 * @module
 */
import type { SegmentHolder } from "../store/segment_holder.ts";

/** The state of a reader between two refreshes. */
export class Follower implements SegmentHolder {
  /** The index has everything up to this sequence number. */
  sequence: number;
  /** Whether a refresh failed halfway: then the index has only a part of the new records. */
  isTorn = false;
  /** Keys that were to expire up to this time, and expired before it came, have lost their places in the index. */
  goneUntil = 0;

  /** A reader whose index has everything up to `sequence`. */
  constructor(sequence: number) {
    this.sequence = sequence;
  }

  /** An index that is only half refreshed may point into any segment. */
  needs(): boolean {
    return this.isTorn;
  }
}
