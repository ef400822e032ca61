/**
 * Replay: builds the index from the log, or brings an index up to date that an image or an earlier replay has built up
 * to some sequence number.
 *
 * Segments are read in the order of their numbers, which need not be the order of the records: compaction copies old
 * records into new segments. So sequence numbers decide, and every entry keeps its own while the replay lasts.
 *
 * @module
 */
import { corrupt } from "../errors.ts";
import { hashKey } from "../hash.ts";
import { type Index, type KeyBytes, PARTITIONS, type Place } from "./index.ts";
import { ENTRY_FIELDS, formOf, type KeyRef, lengthOf, type Partition, refOf } from "./partition.ts";
import { RecordCursor } from "./cursor.ts";
import { FLAG_STRING_KEY, KIND } from "./record.ts";
import type { Segment } from "./segment.ts";

/**
 * What an index already holds when a replay starts.
 *
 * @experimental
 */
export interface Replayed {
  /** The segments that `from` knows have their bytes counted up to this sequence number. */
  sequence: number;
  /** The sequence number up to which a partition is up to date: `sequence` or a lower one. */
  partitionSequence: (partition: number) => number;
  /** The offset at which to go on in a segment; `undefined` for a segment that is not known. */
  from: (segment: Segment) => number | undefined;
  /** Whether known segments are gone: then entries that still point there belong to keys that were deleted. */
  hasLost: boolean;
  /** Hears of every entry before it changes. `place` is valid during the call only. */
  beforeChange?: (key: KeyBytes, place: Place) => void;
}

const NOTHING: Replayed = { sequence: 0, partitionSequence: () => 0, from: () => undefined, hasLost: false };

/**
 * A replay that takes one record at a time. It also serves callers that read the log for other reasons.
 *
 * @experimental
 */
export class Replay {
  readonly #index: Index;
  readonly #segments: ReadonlyMap<number, Segment>;
  readonly #known: Replayed;
  #cleared = 0;
  #highest = 0;
  #records = 0;

  /** A replay into `index` of records that lie in `segments`. */
  constructor(index: Index, segments: ReadonlyMap<number, Segment>, known: Replayed = NOTHING) {
    this.#index = index;
    this.#segments = segments;
    this.#known = known;
  }

  /** Reads what is not known of all segments, and ends the replay. */
  run(): { highest: number; records: number } {
    for (const segment of [...this.#segments.values()].sort((a, b) => a.number - b.number)) {
      for (const _ of this.records(segment));
    }
    return this.finish();
  }

  /**
   * Reads what is not known of a segment record by record: headers and keys, no values. Gives the length of each. Throws
   * `CORRUPT` at a header that does not check out.
   */
  *records(segment: Segment): Generator<number> {
    const from = this.#known.from(segment);
    const { name, endBytes } = segment;
    const cursor = new RecordCursor(segment, from ?? segment.headerBytes, endBytes);
    while (cursor.next()) {
      this.take(cursor, segment, from === undefined);
      yield cursor.length;
    }
    if (cursor.reason !== undefined) throw corrupt(name, cursor.offset, cursor.reason);
    if (cursor.offset !== endBytes) throw corrupt(name, cursor.offset, `no record ends at ${endBytes}`);
  }

  /** Takes the record that the cursor stands on. */
  take(cursor: RecordCursor, segment: Segment, isUnknownSegment = true): void {
    const { sequence, kind } = cursor;
    const isNews = sequence > this.#known.sequence;
    const isUncounted = isUnknownSegment || isNews;
    if (sequence > this.#highest) this.#highest = sequence;
    if (isUncounted) segment.cover(sequence);
    if (isUncounted && kind !== KIND.set) segment.add(cursor);
    if (kind === KIND.mark) return;
    if (isNews) this.#records++;
    if (kind === KIND.clear) this.#cleared = Math.max(this.#cleared, sequence);
    else this.#apply(cursor, segment, isUncounted, isUnknownSegment);
  }

  /** Takes a set or a delete, if it is newer than what the index has of that key. */
  #apply(cursor: RecordCursor, segment: Segment, isUncounted: boolean, isUnknownSegment: boolean): void {
    const start = cursor.at + cursor.keyStart;
    const hash = hashKey(cursor.bytes, start, cursor.keyLength, this.#index.seed);
    const partition = this.#index.partition(hash >>> 24);
    partition.trackSequences(true);
    let id = partition.find(hash, cursor.bytes, start, cursor.keyLength);
    const isOld = cursor.sequence <= this.#known.partitionSequence(hash >>> 24);
    if (id < 0 && isOld) return;
    if (id < 0) id = partition.add(hash, cursor.bytes, start, cursor.keyLength, true);
    const at = id * ENTRY_FIELDS;
    const former = partition.entries[at + 1]!;
    const isSet = cursor.kind === KIND.set;
    const taken = partition.sequences![id]!;
    if (cursor.sequence <= taken) return;
    // The index has taken an old record before, or one that replaced it. All that may be new is its place, if
    // compaction or recovery has copied it to a segment that the index does not know: the index points at segment 3,
    // say, which is gone, and the record is in segment 12 now. Of several copied records of a key the one with the
    // highest number counts, even if it is a delete by now, as the set has expired.
    const mayHaveMoved = isUnknownSegment && (taken !== 0 || (former !== 0 && !this.#segments.has(former)));
    if (isOld && !mayHaveMoved) return;
    partition.sequences![id] = cursor.sequence;
    const source = isOld || cursor.sequence > this.#known.sequence ? this.#segments.get(former) : undefined;
    if (source !== undefined) source.liveBytes -= lengthOf(partition.entries[at + 3]!);
    const ref = refOf(hash >>> 24, id);
    this.#announce(ref);
    if (isSet && isUncounted) segment.add(cursor);
    const form = formOf(cursor.length, (cursor.flags & FLAG_STRING_KEY) !== 0);
    const expiresAt = isSet ? cursor.expiresAt : 0;
    if (expiresAt !== 0) partition.reserveExpiry();
    this.#index.point(ref, isSet ? segment.number : 0, cursor.offset, form, expiresAt);
  }

  /**
   * Ends the replay. Only after this does the index match the log. Returns the highest sequence number met and the
   * number of sets, deletes and clears that were news.
   */
  finish(): { highest: number; records: number } {
    const isCleared = this.#cleared > this.#known.sequence;
    const isSwept = isCleared || this.#known.hasLost;
    if (isSwept) this.#index.changeable();
    // Live bytes are counted anew. A record that is gone with its segment may have superseded another one after the
    // table was saved, and before the counts were: the replay has subtracted the other one a second time.
    for (const segment of isSwept ? this.#segments.values() : []) segment.liveBytes = 0;
    for (let number = 0; number < PARTITIONS; number++) {
      // A partition that was not read from the image has met no record.
      const partition = this.#index.loaded(number);
      if (partition === undefined) continue;
      if (isSwept) this.#sweep(number, partition, isCleared);
      partition.trackSequences(false);
      if (partition.isSparse && this.#index.holds === 0) partition.dropDeleted();
    }
    return { highest: this.#highest, records: this.#records };
  }

  /** Takes out what a later clear removed, and what still points at segments that are gone. Counts the rest. */
  #sweep(table: number, partition: Partition, isCleared: boolean): void {
    for (let id = 0; id < partition.count; id++) {
      const at = id * ENTRY_FIELDS;
      const number = partition.entries[at + 1]!;
      if (number === 0) continue;
      const segment = this.#segments.get(number);
      if (segment !== undefined && !(isCleared && (partition.sequences?.[id] ?? 0) < this.#cleared)) {
        segment.liveBytes += lengthOf(partition.entries[at + 3]!);
        continue;
      }
      const ref = refOf(table, id);
      this.#announce(ref);
      this.#index.point(ref, 0, 0, 0, 0);
      this.#records++;
    }
  }

  #announce(ref: KeyRef): void {
    if (this.#known.beforeChange === undefined) return;
    this.#index.look(ref);
    this.#known.beforeChange(this.#index.keyOf(ref), this.#index);
  }
}
