/**
 * Which changes are durable: the number that watches begin with; and making all of them so at once.
 *
 * @module
 */
import type { KvStoreError } from "../errors.ts";
import { RecordCursor } from "../engine/cursor.ts";
import type { OpenStore } from "../store/open_store.ts";

/**
 * The highest sequence number up to which everything is durable, as far as is known: the one before the first record
 * behind the durable mark, wherever that record is.
 */
export function durableSequence({ log, writer, follower }: OpenStore): number {
  const last = [...log.segments.values()].find(({ sealed }) => !sealed);
  if (last !== undefined && log.syncedBytes < last.endBytes) {
    const cursor = new RecordCursor(last, log.syncedBytes, last.endBytes);
    if (cursor.next()) return cursor.sequence - 1;
  }
  // A reader goes by what it has met: numbers that were given out by now may belong to records that it has not.
  return writer === undefined ? follower.sequence : (writer.firstPending ?? log.nextSequence) - 1;
}

/** Writes and syncs everything written before, waiting in place. Whoever waits for it hears of it when turns come. */
export function flushNow(core: OpenStore): void {
  const writer = core.writable();
  const failure = writer.write();
  if (failure !== undefined) throw failure;
  try {
    core.log.syncActive();
  } catch (error) {
    throw writer.fail(error as KvStoreError);
  }
}
