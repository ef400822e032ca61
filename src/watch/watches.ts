/**
 * The watches on a store: who is told when there is something new, and what is kept for those that are behind.
 *
 * A watch reads the log itself, so that a slow one costs nobody anything, but for one thing: compaction drops versions
 * that it has not seen yet. The segments that had them are kept, as they are for views; but a view is read and closed,
 * and a watch may stand still for ever. So this has a limit, and a watch beyond it ends with `TRIMMED`.
 *
 * @module
 */
import type { SegmentHolder } from "../engine/interfaces.ts";
import type { Log } from "../engine/log.ts";
import type { Segment } from "../engine/segment.ts";
import type { Timer } from "../platform/types.ts";

/** So many segments' worth of replaced segments may be kept for the slowest watch. */
const KEPT_SEGMENTS = 4;

/** An open watch. */
export interface Watching {
  /** All changes up to this sequence number are behind. */
  readonly position: number;
  /** There may be something new; or the look for it has failed with this. */
  wake(failure?: unknown): void;
  /** Versions that it has not seen are gone. */
  trim(historyFloor: number): void;
}

/** The open watches. */
export class Watches implements SegmentHolder {
  /** For readers: what was known to be durable when they looked last. */
  durableSequence = 0;
  /** For readers: the next look. */
  timer: Timer | undefined;
  readonly #open: Set<Watching> = new Set();
  readonly #keptBytes: number;

  /** No watches yet, on a store with segments of that size. */
  constructor(segmentBytes: number) {
    this.#keptBytes = KEPT_SEGMENTS * segmentBytes;
  }

  /** Whether there is none. */
  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** Takes a watch in. */
  add(watching: Watching): void {
    this.#open.add(watching);
  }

  /** Forgets a watch. Without any, nobody looks. */
  remove(watching: Watching): void {
    this.#open.delete(watching);
    if (this.isEmpty) this.#stopLooking();
  }

  /** Tells all of them that there may be something new, or that it could not be found out. */
  wake(failure?: unknown): void {
    for (const watching of this.#open) watching.wake(failure);
  }

  /** Ends those that have not come to `historyFloor`: nobody knows all that was dropped up to there. */
  trim(historyFloor: number): void {
    for (const watching of this.#open) if (watching.position < historyFloor) watching.trim(historyFloor);
  }

  /** Ends those for which too much would have to be kept. */
  beforeSweep({ retired, historyFloor }: Log): void {
    for (const watching of this.#open) {
      if (watching.position >= historyFloor) continue;
      let bytes = 0;
      for (const segment of retired.values()) {
        if (segment.highestSequence > watching.position) bytes += segment.endBytes;
      }
      if (bytes > this.#keptBytes) watching.trim(historyFloor);
    }
  }

  /**
   * Whether a watch needs a segment that was replaced. One that stands at the history floor or above needs none: every
   * version to come is in the segments that are listed.
   */
  needs({ highestSequence }: Segment, { historyFloor }: Log): boolean {
    for (const { position } of this.#open) {
      if (position < historyFloor && position < highestSequence) return true;
    }
    return false;
  }

  /** Lets them see that the store is closed, and keeps nothing for them any more. */
  close(): void {
    this.#stopLooking();
    this.wake();
    this.#open.clear();
  }

  #stopLooking(): void {
    this.timer?.stop();
    this.timer = undefined;
  }
}
