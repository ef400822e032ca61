/**
 * Reads the log in the order in which it was written: returns each set, delete and clear once, by rising sequence
 * number, whichever segment it is in by now.
 *
 * Above the history floor the log has every version, and the records of each segment are in the order of their sequence
 * numbers; compaction keeps to that. The ranges of two segments may overlap, since compaction puts records of several
 * segments into one. So this is a merge, with one cursor for each segment whose range has begun: usually one.
 *
 * It keeps a sequence number, and for each segment how far it has read. Durable records are read from the files when a
 * change is asked for. Nothing is queued, however far behind the caller is.
 *
 * @module
 */
import { corrupt } from "../errors.ts";
import { Slices } from "../platform/turn.ts";
import { RecordCursor } from "../engine/cursor.ts";
import type { Log } from "../engine/log.ts";
import { KIND } from "../engine/record.ts";
import type { Segment } from "../engine/segment.ts";
import { durableEnd } from "../follow/durable.ts";

/** A segment that may have further changes, and a cursor in it. */
interface Source {
  segment: Segment;
  cursor: RecordCursor;
}

/** Walks over the durable changes of a log. */
export class ChangeCursor {
  /** Sequence number of the present change, or of the last one if it is not at a change. */
  position: number;
  /** For each segment number the offset at which to read on. */
  #offsets = new Map<number, number>();
  /** The segments whose ranges of sequence numbers have begun. */
  readonly #open: Source[] = [];
  /** The segments whose ranges begin later, the lowest range first. */
  #later: Segment[] = [];
  #current: Source | undefined;
  /** The position before the present change. */
  #before = 0;
  /** Tells when to pause. After a step that returned `"pause"`, await its `pause`. */
  readonly slices: Slices = new Slices();

  /** Starts before the first change with a sequence number above `position`. */
  constructor(position: number) {
    this.position = position;
  }

  /** The record of the present change. */
  get record(): RecordCursor {
    return this.#current!.cursor;
  }

  /** The segment of the present change. */
  get segment(): Segment {
    return this.#current!.segment;
  }

  /**
   * Moves to the next change: `"change"`. Returns `"end"` if none is durable yet, and `"pause"` if the event loop
   * should get a turn first. `log` may differ from call to call, as long as its listed and retired segments have every
   * version above `position`.
   *
   * @throws {KvStoreError} `CORRUPT` if a header does not check out: what follows in its segment cannot be found
   */
  step(log: Log): "change" | "pause" | "end" {
    this.#current = undefined;
    try {
      return this.#move(log);
    } catch (error) {
      // Start over at the next step, so that it does not skip the segment that could not be read.
      this.closeCursors();
      throw error;
    }
  }

  /** Steps back before the present change, whose value could not be read. The next step returns it again. */
  stepBack(): void {
    this.position = this.#before;
    this.closeCursors();
  }

  /** Closes all cursors to free their memory. The position stays. */
  closeCursors(): void {
    for (const source of this.#open.splice(0)) this.#saveOffset(source);
    this.#later = [];
    this.#current = undefined;
  }

  #move(log: Log): "change" | "pause" | "end" {
    for (;;) {
      // Compaction or a refresh may have dropped a file that a cursor is in.
      if (this.#open.some(({ segment }) => log.segment(segment.number) !== segment)) this.closeCursors();
      if (this.#open.length + this.#later.length === 0 && !this.#plan(log)) return "end";
      const lowest = this.#lowest();
      if (lowest === "pause") return "pause";
      const next = this.#later[0];
      if (next !== undefined && !(lowest !== undefined && lowest.cursor.sequence < next.lowestSequence)) {
        this.#later.shift();
        if (log.segment(next.number) === next) this.#openCursor(next, log);
        else this.closeCursors();
        continue;
      }
      if (lowest === undefined) continue;
      this.#current = lowest;
      this.#before = this.position;
      this.position = lowest.cursor.sequence;
      return "change";
    }
  }

  /** Finds the segments with further changes. Returns false if there are none. */
  #plan(log: Log): boolean {
    const offsets = new Map<number, number>();
    const addIfUnread = (segment: Segment) => {
      const offset = this.#offsets.get(segment.number);
      if (offset !== undefined) offsets.set(segment.number, offset);
      const isBehind = segment.sealed && segment.highestSequence <= this.position;
      if (!isBehind && (offset ?? segment.headerBytes) < durableEnd(log, segment)) this.#later.push(segment);
    };
    for (const segment of log.segments.values()) addIfUnread(segment);
    // Below the history floor some versions are only in segments that compaction has replaced.
    if (this.position < log.historyFloor) { for (const segment of log.retired.values()) addIfUnread(segment); }
    this.#offsets = offsets;
    this.#later.sort((a, b) => a.lowestSequence < b.lowestSequence ? -1 : 1);
    return this.#later.length > 0;
  }

  #openCursor(segment: Segment, log: Log): void {
    const from = this.#offsets.get(segment.number) ?? segment.headerBytes;
    this.#open.push({ segment, cursor: new RecordCursor(segment, from, durableEnd(log, segment)) });
  }

  /** Moves the cursor of every open segment to its next change. Returns the one with the lowest sequence number. */
  #lowest(): Source | undefined | "pause" {
    let lowest: Source | undefined;
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const source = this.#open[i]!;
      const { cursor, segment } = source;
      while (cursor.kind === KIND.mark || cursor.sequence <= this.position) {
        if (this.slices.count(cursor.length)) return "pause";
        if (cursor.next()) continue;
        if (cursor.reason !== undefined) throw corrupt(segment.name, cursor.offset, cursor.reason);
        break;
      }
      // At its end a cursor has no length.
      if (cursor.length === 0) this.#saveOffset(this.#open.splice(i, 1)[0]!);
      else if (lowest === undefined || isBefore(source, lowest)) lowest = source;
    }
    return lowest;
  }

  #saveOffset({ segment, cursor }: Source): void {
    const isBehind = cursor.sequence <= this.position;
    this.#offsets.set(segment.number, cursor.offset + (isBehind ? cursor.length : 0));
  }
}

/**
 * Of two copies of a record the older segment has the original: the newer may be a mere tombstone, once it has expired.
 */
function isBefore(one: Source, other: Source): boolean {
  const difference = one.cursor.sequence - other.cursor.sequence;
  return difference === 0 ? one.segment.number < other.segment.number : difference < 0;
}
