/**
 * Recovery: where the log ends after a crash. The durable mark decides. A bad byte before it is damage. A bad byte
 * after it ends the log, even if valid records follow, since a power cut loses sectors in any order.
 *
 * @module
 */
import { corrupt } from "../errors.ts";
import { finishNow } from "../platform/turn.ts";
import { RecordCursor } from "./cursor.ts";
import { FLAG_MORE, KIND, readMark } from "./record.ts";
import type { Segment } from "./segment.ts";

/** The end of a segment that was not closed cleanly. */
export interface RecoveredEnd {
  /** The segment. */
  segment: Segment;
  /** Where the last record that counts ends. */
  endBytes: number;
  /** The offset that the highest durable mark names. Everything before it must be intact. */
  markOffset: number;
  /** Size of the file. */
  fileBytes: number;
  /** Intact records between the mark and the end. */
  records: number;
  /** Why the bytes after the end do not count; `undefined` if there are none. */
  reason: string | undefined;
}

/** What is known about the end of a segment before the search for it. */
export interface KnownEnd {
  /** The offset of a durable mark that is already known. */
  markOffset: number;
  /** The records before this offset were read earlier. Recovery starts there if it lies after the mark. */
  readBytes?: number;
}

/**
 * Finds the end of a segment that was not closed cleanly. Throws `CORRUPT` if bytes before its highest mark are bad.
 */
export function recoverEnd(segment: Segment, known: KnownEnd): RecoveredEnd {
  const { name } = segment;
  const end = finishNow(findEnd(segment, known));
  const { markOffset, fileBytes } = end;
  if (fileBytes < markOffset) throw corrupt(name, fileBytes, `the file ends before its durable mark at ${markOffset}`);
  const cursor = new RecordCursor(segment, startOf(known), fileBytes);
  if (cursor.offset > markOffset) return end;
  while (cursor.offset + cursor.length < markOffset) {
    if (!cursor.next()) throw corrupt(name, cursor.offset, cursor.reason ?? "the records end before the durable mark");
  }
  if (cursor.offset + cursor.length === markOffset) return end;
  throw corrupt(name, cursor.offset, `no record ends at the durable mark at ${markOffset}`);
}

/**
 * Finds the end of a segment that was not closed cleanly, damaged or not. After the highest mark, records count up to
 * the first bad byte, but never a part of a batch. Yields the bytes of each record that it reads.
 */
export function* findEnd(segment: Segment, known: KnownEnd): Generator<number, RecoveredEnd> {
  const fileBytes = segment.handle.size();
  const markOffset = yield* highestMark(segment, known, fileBytes);
  const cursor = new RecordCursor(segment, Math.max(startOf(known), markOffset), fileBytes);
  const end: RecoveredEnd = { segment, endBytes: cursor.offset, markOffset, fileBytes, records: 0, reason: undefined };
  let unfinished = 0;
  while (cursor.next() && cursor.checkValue()) {
    yield cursor.length;
    unfinished++;
    if ((cursor.flags & FLAG_MORE) !== 0) continue;
    end.records += unfinished;
    unfinished = 0;
    end.endBytes = cursor.offset + cursor.length;
  }
  if (end.endBytes < fileBytes) {
    end.reason = cursor.reason ?? (cursor.length > 0 ? "checksum of a value" : "a batch without its end");
  }
  return end;
}

function startOf({ markOffset, readBytes = 0 }: KnownEnd): number {
  return Math.max(markOffset, readBytes);
}

/** The highest durable mark on a segment among the marks in it, including those after a bad byte. */
function* highestMark(segment: Segment, known: KnownEnd, fileBytes: number): Generator<number, number> {
  let highest = known.markOffset;
  const cursor = new RecordCursor(segment, startOf(known), fileBytes);
  // Records follow one another up to a bad byte. After it, a mark may start at any byte.
  while (cursor.next() || cursor.search(cursor.offset + 1, { marksOnly: true })) {
    yield cursor.length;
    if (cursor.kind !== KIND.mark || !cursor.checkValue()) continue;
    const mark = readMark(cursor.view, cursor.at);
    if (mark.segment === segment.number && mark.offset > highest) highest = mark.offset;
  }
  return highest;
}
