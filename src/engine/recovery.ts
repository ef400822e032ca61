/**
 * Recovery: where the log ends after a crash. The durable mark decides, not what follows: a bad byte before it is
 * damage, one at or past it ends the log, valid records behind it notwithstanding, since a power cut loses sectors in
 * any order.
 *
 * @module
 */
import { corrupt } from "../errors.ts";
import { RecordCursor } from "./cursor.ts";
import { FLAG_MORE, KIND, readMark } from "./record.ts";
import type { Segment } from "./segment.ts";

/** What a segment that was being written holds. */
export interface Tail {
  /** Where the records end that may be taken. */
  endBytes: number;
  /** The highest durable mark found: everything before it must be there. */
  markBytes: number;
  /** Size of the file. */
  fileBytes: number;
  /** Intact records between the mark and the end. */
  records: number;
  /** Intact records behind the end: of a batch cut off, or behind the first bad byte. */
  discardedRecords: number;
  /** Highest sequence number from the known mark on. */
  highestSequence: number;
  /** Why the rest is not taken; absent if there is no rest. */
  reason?: string;
}

/**
 * Finds the end of the records in a segment that was not closed cleanly. `knownMark` is the manifest's.
 * Throws `CORRUPT` if bytes before the highest mark are bad or missing.
 */
export function findTail(segment: Segment, knownMark: number): Tail {
  const { handle, name } = segment;
  const fileBytes = handle.size();
  const markBytes = highestMark(segment, knownMark, fileBytes);
  if (fileBytes < markBytes) throw corrupt(name, fileBytes, `the file ends before its durable mark at ${markBytes}`);
  const cursor = new RecordCursor(segment, knownMark, fileBytes);
  let highestSequence = 0;
  while (cursor.offset + cursor.length < markBytes) {
    if (!cursor.next()) throw corrupt(name, cursor.offset, cursor.reason ?? "the records end before the durable mark");
    highestSequence = Math.max(highestSequence, cursor.sequence);
  }
  const reached = cursor.offset + cursor.length;
  if (reached !== markBytes) throw corrupt(name, cursor.offset, `no record ends at the durable mark at ${markBytes}`);
  const tail: Tail = { endBytes: markBytes, markBytes, fileBytes, records: 0, discardedRecords: 0, highestSequence };
  let unfinished = 0;
  while (cursor.next() && cursor.checkValue()) {
    unfinished++;
    tail.highestSequence = Math.max(tail.highestSequence, cursor.sequence);
    if ((cursor.flags & FLAG_MORE) !== 0) continue;
    tail.records += unfinished;
    unfinished = 0;
    tail.endBytes = cursor.offset + cursor.length;
  }
  if (tail.endBytes === fileBytes) return tail;
  tail.reason = cursor.reason ?? (cursor.length > 0 ? "checksum of a value" : "a batch without its end");
  tail.discardedRecords = unfinished;
  for (let from = cursor.offset + 1; cursor.search(from, { marksOnly: false }); from = cursor.offset + cursor.length) {
    if (cursor.kind !== KIND.mark) tail.discardedRecords++;
  }
  return tail;
}

/** The highest durable mark among the records from `start` to `endBytes`; at least `known`. */
export function markAmong(
  segment: Segment,
  { start, endBytes, known }: { start: number; endBytes: number; known: number },
): number {
  let highest = known;
  const cursor = new RecordCursor(segment, start, endBytes);
  while (cursor.next()) {
    if (cursor.kind !== KIND.mark || !cursor.checkValue()) continue;
    const mark = readMark(cursor.view, cursor.at);
    if (mark.segment === segment.number) highest = Math.max(highest, mark.offset);
  }
  return highest;
}

/** The highest durable mark on a segment that is in it: behind a bad byte, too. */
export function highestMark(segment: Segment, knownMark: number, fileBytes: number): number {
  let highest = knownMark;
  const cursor = new RecordCursor(segment, knownMark, fileBytes);
  let isThere = cursor.next();
  while (isThere || cursor.reason !== undefined) {
    if (isThere && cursor.kind === KIND.mark && cursor.checkValue()) {
      const mark = readMark(cursor.view, cursor.at);
      if (mark.segment === segment.number && mark.offset > highest) highest = mark.offset;
    }
    // Records follow one another until the first bad byte; from there on every place may be the start of one.
    if (isThere && cursor.reason === undefined) isThere = cursor.next();
    else {
      const from = cursor.offset + Math.max(1, cursor.length);
      isThere = cursor.search(from, { marksOnly: true });
      if (!isThere) break;
    }
  }
  return highest;
}
