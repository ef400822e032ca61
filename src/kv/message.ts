/**
 * Messages of the queue as entries of the store. Their keys, of 17 bytes, sort by the time at which a message is due, and
 * then in the order in which messages came. They sort after all tuples, so no list shows them. The message that is due
 * next is the first of them.
 *
 * | bytes of the key | content |
 * |---:|---|
 * | 1 | FF |
 * | 8 | when it is due, in milliseconds since 1970 |
 * | 8 | the number of its commit, plus 1 for each message before it in that commit: each has a record, so no other has it |
 *
 * The value is that of an entry: an array (`Content`), with the number of the batch that has written it.
 *
 * @module
 */
import type { BatchOperation } from "../../mod.ts";
import { encodeKey, type KvKey } from "./keys.ts";
import { check } from "./limits.ts";
import { sequenceOf, stampWith, storedAs, storedOf, type StoredValue } from "./stored.ts";
import { ValueWriter } from "./value_writer.ts";

const LONGEST_DELAY_MS = 30 * 24 * 60 * 60 * 1000;
const LONGEST_BACKOFF_MS = 60 * 60 * 1000;
const DEFAULT_SCHEDULE = [100, 1000, 5000, 30_000, 60_000];
/** What the store takes: bytes of a key, and of a batch, in which a set takes less than this beside key and value. */
const STORE = { keyBytes: 65_535, batchBytes: 2 ** 26, setBytes: 128 };

/** Options of `enqueue`. */
export interface KvEnqueueOptions {
  /** Milliseconds until the message is delivered, at most 30 days. */
  delay?: number | undefined;
  /** Keys that are set to the value if no attempt to deliver it succeeds. */
  keysIfUndelivered?: KvKey[] | undefined;
  /**
   * Milliseconds from each attempt that fails to the next: at most 5 times, of an hour at most. There is one attempt more
   * than there are times (default: 100, 1000, 5000, 30000, 60000).
   */
  backoffSchedule?: number[] | undefined;
}

/** What is to be enqueued. An option without effect is `undefined`. */
export interface Message extends KvEnqueueOptions {
  /** The value, encoded. */
  payload: Uint8Array;
}

/**
 * A message in the store: whether a handler has it, or had it when the process ended or its handle was closed; the
 * milliseconds from each attempt that fails, from this one on, to the next; the keys that are set to the value if all
 * fail; and the value, encoded.
 */
export type Content = [isTaken: boolean, schedule: readonly number[], keys: Uint8Array[], payload: Uint8Array];

/** A set or a delete of the store. */
export type Operation = BatchOperation<Uint8Array, Uint8Array>;

/** Checks and encodes what is enqueued, all but the keys. A `KvU64` is delivered as a plain object, as in Deno. */
export function messageOf(value: unknown, options: KvEnqueueOptions | undefined): Message {
  const { delay = 0, backoffSchedule, keysIfUndelivered } = options ?? {};
  if (delay < 0) throw new TypeError(`Delay must be >= 0: received ${delay}`);
  if (delay > LONGEST_DELAY_MS) throw new TypeError(`Delay cannot be greater than 30 days: received ${delay}`);
  if (Number.isNaN(delay)) throw new TypeError("Delay cannot be NaN");
  return {
    // With memory of its own, as the keys below: within a value, bytes take along all of the memory that they share.
    payload: new ValueWriter().write(value).slice(),
    delay: wholeMs(delay ?? 0) || undefined,
    keysIfUndelivered: keysIfUndelivered?.length === 0 ? undefined : keysIfUndelivered ?? undefined,
    backoffSchedule: backoffSchedule === undefined ? undefined : scheduleOf(backoffSchedule),
  };
}

function scheduleOf(schedule: readonly number[]): number[] {
  if (schedule.length > 5) throw new TypeError("Invalid backoffSchedule, max 5 intervals allowed");
  if (!Array.isArray(schedule)) throw new TypeError("backoffSchedule must be an array");
  return Array.from(schedule, (delay, i) => {
    if (delay >= 0 && delay <= LONGEST_BACKOFF_MS) return wholeMs(delay);
    throw new TypeError(`Invalid backoffSchedule, interval at index ${i} is invalid`);
  });
}

/** A time as Deno takes it: without its fraction, and it may be a bigint. */
function wholeMs(time: unknown): number {
  if (typeof time === "number" || typeof time === "bigint") return Math.trunc(Number(time));
  throw new TypeError(`expected a number of milliseconds: received ${String(time)}`);
}

/** The entry of a message that is enqueued. Deno does not limit the keys, but the batch that sets them must be possible. */
export function entryOf(message: Message, at: { now: number; sequence: number }): Operation {
  const { payload, delay = 0, backoffSchedule = DEFAULT_SCHEDULE, keysIfUndelivered = [] } = message;
  const keys = keysIfUndelivered.map((key) => encodeKey(key).slice());
  for (const { length } of keys) check("Key too large for write", length, STORE.keyBytes, " bytes");
  const bytes = keys.reduce((sum, { length }) => sum + length + payload.length + STORE.setBytes, 0);
  check("Total mutation size too large", bytes, STORE.batchBytes, " bytes");
  return setOf(messageKey(at.now + delay, at.sequence), [false, backoffSchedule, keys, payload], at.sequence);
}

/** Sets a message. */
export function setOf(key: Uint8Array, content: Content, sequence: number): Operation {
  return { type: "set", key, value: stampWith(storedOf(content), sequence) };
}

/** The key of a message. Without a number, the keys of all messages that are due at this time or later are not less. */
export function messageKey(dueAt: number, number: number = 0): StoredValue {
  const key = new Uint8Array(17).fill(0xff, 0, 1);
  stampWith(key.subarray(1), dueAt);
  stampWith(key.subarray(9), number);
  return key;
}

/** What is set when an attempt to deliver a message has failed: the next attempt, or the keys that it names. */
export function afterFailure(key: Uint8Array, content: Content, at: { now: number; sequence: number }): Operation[] {
  const [, [delayMs, ...schedule], keys, payload] = content;
  if (delayMs === undefined) {
    const value = stampWith(storedAs(payload), at.sequence);
    return keys.map((key) => ({ type: "set", key, value }));
  }
  const nextKey = messageKey(at.now + delayMs, sequenceOf(key.subarray(9)));
  return [setOf(nextKey, [false, schedule, keys, payload], at.sequence)];
}
