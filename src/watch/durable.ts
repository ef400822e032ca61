/**
 * Finds out which changes are durable, since watches begin after those.
 *
 * @module
 */
import { RecordCursor } from "../engine/cursor.ts";
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
  return writer === undefined ? follower.sequence : (writer.firstPending ?? log.nextSequence) - 1;
}
