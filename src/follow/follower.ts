/**
 * How far a reader has followed the writer.
 *
 * @module
 */
import type { SegmentHolder } from "../engine/interfaces.ts";

/** The state of a reader between two refreshes. */
export class Follower implements SegmentHolder {
  /** The index has everything up to this sequence number. */
  sequence: number;
  /** A refresh ended halfway: the index has a part of what the log has. */
  isTorn = false;

  /** A reader that has come so far. */
  constructor(sequence: number) {
    this.sequence = sequence;
  }

  /** An index that is behind its log may point into any segment. */
  needs(): boolean {
    return this.isTorn;
  }
}
