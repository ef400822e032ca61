/**
 * Which changes are durable: the number that watches begin with.
 *
 * @module
 */
import { RecordCursor } from "../engine/cursor.ts";
import type { OpenStore } from "../store/open_store.ts";

/**
 * The highest sequence number up to which everything is durable, as far as is known: the one before the first record
 * behind the durable mark, wherever that record is.
 */
export function durableSequence({ log, writer, follower }: OpenStore): number {
  const last = log.active;
  if (last !== undefined && log.syncedBytes < last.endBytes) {
    const cursor = new RecordCursor(last, log.syncedBytes, last.endBytes);
    if (cursor.next()) return cursor.sequence - 1;
  }
  // A reader goes by what it has met: numbers that were given out by now may belong to records that it has not.
  return writer === undefined ? follower.sequence : (writer.firstPending ?? log.nextSequence) - 1;
}
