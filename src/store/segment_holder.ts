/**
 * Which segments stay after compaction has replaced them.
 *
 * @module
 */
import type { Log } from "../engine/log.ts";
import type { Segment } from "../engine/segment.ts";

/** May need segments that compaction has replaced: `Views`, `Watches` and `Follower` do. */
export interface SegmentHolder {
  /** A segment was replaced just now. */
  onRetired?(segment: Segment): void;
  /** Retired segments are about to be given up: the moment to do without some. */
  beforeSweep?(log: Log): void;
  /** Whether a retired segment has to stay. */
  needs(segment: Segment, log: Log): boolean;
}
