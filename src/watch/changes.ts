/**
 * The log in the order in which it was written: hands out sets, deletes and clears by rising sequence number, each once,
 * whatever segments they lie in by now.
 *
 * Above the history floor the log has every version, and the records of each segment stand in the order of their
 * sequence numbers: those that were written there anyhow, copies because compaction sees to it (`Compaction.#take`). The
 * ranges of two segments may overlap, since compaction puts records of several into one. So this is a merge, with one
 * cursor for each segment whose range has begun: most of the time a single one.
 *
 * All it keeps is a sequence number, and per segment how far it has read there. What is durable is read from the files
 * when it is asked for; nothing is queued, however far behind the reader is.
 *
 * @module
 */
import { corrupt } from "../errors.ts";
import { Slices } from "../platform/turn.ts";
import { RecordCursor } from "../engine/cursor.ts";
import type { Log } from "../engine/log.ts";
import { KIND } from "../engine/record.ts";
import type { Segment } from "../engine/segment.ts";

/** A segment that has, or may have, changes still to come. */
interface Source {
  segment: Segment;
  cursor: RecordCursor;
}

/** Walks over the changes of a log that are durable. */
export class ChangeCursor {
  /** All changes up to this sequence number are behind; that of the present one, if it stands on one. */
  position: number;
  /** Where to read on, by segment number: whatever lies before is behind. */
  #offsets = new Map<number, number>();
  /** The segments whose ranges have begun … */
  readonly #open: Source[] = [];
  /** … and those that come later, the lowest range first. */
  #later: Segment[] = [];
  #current: Source | undefined;
  /** The position before the present change. */
  #before = 0;
  /** Says when to give way: who is told to `pause` pauses these. */
  readonly slices: Slices = new Slices();

  /** A cursor before the first change whose sequence number is above `position`. */
  constructor(position: number) {
    this.position = position;
  }

  /** The record of the change that it stands on. */
  get record(): RecordCursor {
    return this.#current!.cursor;
  }

  /** The segment that this record is in. */
  get segment(): Segment {
    return this.#current!.segment;
  }

  /**
   * Moves to the next change: `"change"`. `"end"` if there is none that is durable yet; `"pause"` if others should have
   * their turn first. The log may be another each time, as long as it has every version above `position`: in its segments,
   * or in those that it keeps though they were replaced.
   *
   * @throws {KvStoreError} `CORRUPT` where a header does not check out: what follows in that segment cannot be told
   */
  step(log: Log): "change" | "pause" | "end" {
    this.#current = undefined;
    try {
      return this.#move(log);
    } catch (error) {
      // The next step is to try all of them again, and not to go on without the one that could not be read.
      this.rest();
      throw error;
    }
  }

  /** Goes back before the present change, whose value could not be read: the next step comes to it again. */
  back(): void {
    this.position = this.#before;
    this.rest();
  }

  /** Gives up the memory that reading takes, but not the place. */
  rest(): void {
    for (const source of this.#open.splice(0)) this.#leave(source);
    this.#later = [];
    this.#current = undefined;
  }

  #move(log: Log): "change" | "pause" | "end" {
    for (;;) {
      // Compaction, or a refresh, may have given up a file that we stand in.
      if (this.#open.some(({ segment }) => log.segment(segment.number) !== segment)) this.rest();
      if (this.#open.length + this.#later.length === 0 && !this.#plan(log)) return "end";
      const lowest = this.#lowest();
      if (lowest === "pause") return "pause";
      const next = this.#later[0];
      if (next !== undefined && !(lowest !== undefined && lowest.cursor.sequence < next.lowestSequence)) {
        this.#later.shift();
        if (log.segment(next.number) === next) this.#begin(next, log);
        else this.rest();
        continue;
      }
      if (lowest === undefined) continue;
      this.#current = lowest;
      this.#before = this.position;
      this.position = lowest.cursor.sequence;
      return "change";
    }
  }

  /** Finds the segments that have something to come. False if none does. */
  #plan(log: Log): boolean {
    const offsets = new Map<number, number>();
    const take = (segment: Segment) => {
      const offset = this.#offsets.get(segment.number);
      if (offset !== undefined) offsets.set(segment.number, offset);
      const isBehind = segment.sealed && segment.highestSequence <= this.position;
      if (!isBehind && (offset ?? segment.headerBytes) < log.durableEnd(segment)) this.#later.push(segment);
    };
    for (const segment of log.segments.values()) take(segment);
    // Below the floor some versions are only where compaction found them.
    if (this.position < log.historyFloor) { for (const segment of log.retired.values()) take(segment); }
    this.#offsets = offsets;
    this.#later.sort((a, b) => a.lowestSequence < b.lowestSequence ? -1 : 1);
    return this.#later.length > 0;
  }

  #begin(segment: Segment, log: Log): void {
    const from = this.#offsets.get(segment.number) ?? segment.headerBytes;
    this.#open.push({ segment, cursor: new RecordCursor(segment, from, log.durableEnd(segment)) });
  }

  /** Moves every open segment to its next change; returns the one whose change comes first. */
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
      // At the end it has no length.
      if (cursor.length === 0) this.#leave(this.#open.splice(i, 1)[0]!);
      else if (lowest === undefined || isBefore(source, lowest)) lowest = source;
    }
    return lowest;
  }

  #leave({ segment, cursor }: Source): void {
    const isBehind = cursor.sequence <= this.position;
    this.#offsets.set(segment.number, cursor.offset + (isBehind ? cursor.length : 0));
  }
}

/** Of what is here twice, the older segment has the original: a copy may be the mere tombstone of what has expired. */
function isBefore(one: Source, other: Source): boolean {
  const difference = one.cursor.sequence - other.cursor.sequence;
  return difference === 0 ? one.segment.number < other.segment.number : difference < 0;
}
