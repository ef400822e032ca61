/**
 * The open watches of a store: wakes them when there may be new changes, and keeps segments for those that are behind.
 *
 * A watch reads the log itself, so a slow one costs others nothing, with one exception: compaction drops versions that
 * it has not seen. The replaced segments that have them are kept, as they are for views. But while a view is soon
 * closed, a watch may stand still for ever. So the bytes kept for it are limited. Beyond that it ends with `TRIMMED`.
 *
 * @module
 */
import type { Log } from "../engine/log.ts";
import type { Segment } from "../engine/segment.ts";
import type { Timer } from "../platform/types.ts";
import type { SegmentHolder } from "../store/segment_holder.ts";

/** The size of the replaced segments kept for the slowest watch is limited to this many times `segmentBytes`. */
const KEPT_SEGMENTS = 4;

/** An open watch. */
export interface Watching {
  /** The watch has passed all changes up to this sequence number. */
  readonly position: number;
  /** Called when there may be new changes, or with the error of a check for them. */
  wake(failure?: unknown): void;
  /** Called when versions that it has not seen are gone. */
  trim(historyFloor: number): void;
}

/** The open watches of a store. */
export class Watches implements SegmentHolder {
  /** In a reader: the highest sequence number known to be durable at the last check. */
  durableSequence = 0;
  /** In a reader: the timer of the next check. */
  timer: Timer | undefined;
  readonly #open: Set<Watching> = new Set();
  readonly #keptBytes: number;

  /** No watches are open yet. Segments have `segmentBytes`. */
  constructor(segmentBytes: number) {
    this.#keptBytes = KEPT_SEGMENTS * segmentBytes;
  }

  /** Whether no watch is open. */
  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** Adds a watch. */
  add(watching: Watching): void {
    this.#open.add(watching);
  }

  /** Removes a watch. A reader without watches stops checking for changes. */
  remove(watching: Watching): void {
    this.#open.delete(watching);
    if (this.isEmpty) this.#stopChecking();
  }

  /** Wakes all watches: there may be new changes, or a check for them has failed. */
  wake(failure?: unknown): void {
    for (const watching of this.#open) watching.wake(failure);
  }

  /** Ends the watches below `historyFloor`, since the log lacks changes up to there. */
  trim(historyFloor: number): void {
    for (const watching of this.#open) if (watching.position < historyFloor) watching.trim(historyFloor);
  }

  /** Ends the watches for which too many bytes would have to be kept. */
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
   * Whether a watch needs a retired segment. A watch at the history floor or above needs none, since the listed
   * segments have every later version.
   */
  needs({ highestSequence }: Segment, { historyFloor }: Log): boolean {
    for (const { position } of this.#open) {
      if (position < historyFloor && position < highestSequence) return true;
    }
    return false;
  }

  /** Wakes all watches, so that they see that the store is closed, and drops them. */
  close(): void {
    this.#stopChecking();
    this.wake();
    this.#open.clear();
  }

  #stopChecking(): void {
    this.timer?.stop();
    this.timer = undefined;
  }
}
