/**
 * How far the log is known to be durable: watches and readers go by that.
 *
 * @module
 */
import { RecordCursor } from "../engine/cursor.ts";
import type { Log } from "../engine/log.ts";
import { readHeader, RecordHeader } from "../engine/record.ts";
import type { Segment } from "../engine/segment.ts";
import type { OpenStore } from "../store/open_store.ts";

/**
 * The highest sequence number up to which every record is known to be durable. It precedes the first record after the
 * durable mark.
 */
export function durableSequence({ log, writer, follower }: OpenStore): number {
  const last = log.active;
  if (last !== undefined && log.syncedBytes < last.endBytes) {
    const cursor = new RecordCursor(last, log.syncedBytes, last.endBytes);
    if (cursor.next()) return cursor.sequence - 1;
  }
  // A reader knows only the records it has read. Higher numbers that it has seen may belong to others.
  if (writer === undefined) return follower.sequence;
  if (writer.tail.length === 0) return log.nextSequence - 1;
  const header = new RecordHeader();
  readHeader(writer.tail.view, 0, Infinity, header);
  return header.sequence - 1;
}

/** Up to where a segment that is listed or retired is known to be durable. */
export function durableEnd({ syncedBytes }: Log, { sealed, endBytes }: Segment): number {
  return sealed ? endBytes : syncedBytes;
}
