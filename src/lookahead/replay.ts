/**
 * A replay that waits for the memory of many keys at the same time.
 *
 * @module
 */
import type { RecordCursor } from "../engine/cursor.ts";
import type { Index } from "../engine/index.ts";
import { Replay, type Replayed } from "../engine/replay.ts";
import type { Segment } from "../engine/segment.ts";
import { Lookahead } from "./records.ts";

/**
 * Reads what `known` does not cover of `segments`, each up to its end, into `index`, and accounts for its bytes. Reads
 * headers and keys, no values. Returns the highest sequence number met and the number of sets, deletes and clears that
 * were news. Throws `CORRUPT` at a header that does not check out.
 */
export function replay(
  index: Index,
  segments: ReadonlyMap<number, Segment>,
  known?: Replayed,
): { highest: number; records: number } {
  return new ReplayAhead(index, segments, known).run();
}

class ReplayAhead extends Replay {
  readonly #lookahead = new Lookahead();
  readonly #index: Index;

  constructor(index: Index, segments: ReadonlyMap<number, Segment>, known?: Replayed) {
    super(index, segments, known);
    this.#index = index;
  }

  /** Takes a record, after a look at those that follow it in the cursor's window. */
  override take(cursor: RecordCursor, segment: Segment, isUnknownSegment?: boolean): void {
    this.#lookahead.reach(this.#index, cursor, { at: cursor.at, length: cursor.length, end: cursor.bytes.length });
    super.take(cursor, segment, isUnknownSegment);
  }
}
