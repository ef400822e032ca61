/**
 * Sets and deletes: from what callers give to what is staged.
 *
 * @module
 */
import type { KvStoreError } from "../errors.ts";
import { flagsOf, KIND } from "../engine/record.ts";
import type { BatchOperation, Key } from "../types.ts";
import type { OpenStore } from "./open_store.ts";
import { nameOf, ownKey } from "./keys.ts";
import { checkNames, expiryTimeOf } from "./options.ts";
import { type EncodedValue, encodeValue } from "./values.ts";

/** Most operations of a batch. */
const MAX_BATCH_OPERATIONS = 2 ** 20;
/** Most bytes of a batch, once encoded. */
const MAX_BATCH_BYTES = 64 * 1024 * 1024;

/** A set or a delete, checked; without a value it deletes. */
export interface EncodedOperation {
  /** The key. */
  key: Key;
  /** The value; `undefined`: delete. */
  value: EncodedValue | undefined;
  /** When it expires; 0: never. */
  expiresAt: number;
}

/**
 * Reads and checks the operations of a batch; the `toJSON` of values runs now. `now` says what time it is. Throws a
 * `TypeError` or `RangeError`.
 */
export function encodeBatch(
  operations: Iterable<BatchOperation>,
  { now, isStrict }: { now: () => number; isStrict: boolean },
): EncodedOperation[] {
  const list: EncodedOperation[] = [];
  // One time for all: what is set together expires together.
  let time: number | undefined;
  for (const operation of operations) {
    if (list.push(encodeOperation(operation, () => time ??= now(), isStrict)) <= MAX_BATCH_OPERATIONS) continue;
    throw new RangeError(`a batch may have ${MAX_BATCH_OPERATIONS} operations; this one has more`);
  }
  return list;
}

/** Puts an operation into the tail, where nobody sees it before it is published. */
export function stage(engine: OpenStore, { key, value, expiresAt }: EncodedOperation): void {
  engine.key.encode(key);
  if (value === undefined) return stageDelete(engine);
  engine.writer!.tail.stage(KIND.set, flagsOf(engine.key.isString, value.type), engine.key, value.data, expiresAt);
}

/** Puts a delete of the key that was encoded last into the tail. */
export function stageDelete({ key, writer }: OpenStore): void {
  writer!.tail.stage(KIND.delete, flagsOf(key.isString, 0), key, "");
}

/** Stages the operations that have an effect. A delete has one if the key is there by then, or has expired. */
export function stageBatch(engine: OpenStore, operations: EncodedOperation[]): void {
  const { tail } = engine.writer!;
  const hasDeletes = operations.some(({ value }) => value === undefined);
  const isThere = new Map<string, boolean>();
  if (hasDeletes) engine.expire();
  for (const operation of operations) {
    const { key, value } = operation;
    const name = hasDeletes ? nameOf(engine.key.encode(key)) : "";
    if (value !== undefined || (isThere.get(name) ?? engine.isListed())) stage(engine, operation);
    if (hasDeletes) isThere.set(name, value !== undefined);
    if (tail.stagedEnd - tail.length > MAX_BATCH_BYTES) {
      throw new RangeError(`a batch may have ${MAX_BATCH_BYTES} bytes once encoded; this one has more`);
    }
  }
}

/** Keeps nothing of an operation: who yields one may use its buffers again for the next. */
function encodeOperation(operation: BatchOperation, now: () => number, isStrict: boolean): EncodedOperation {
  const type = operation?.type;
  if (type !== "set" && type !== "delete") {
    throw new TypeError(`the type of an operation is "set" or "delete", not ${JSON.stringify(type)}`);
  }
  checkNames(`a ${type}`, operation, type === "set" ? ["type", "key", "value", "ttl", "expiresAt"] : ["type", "key"]);
  const key = ownKey(operation.key);
  if (operation.type === "delete") return { key, value: undefined, expiresAt: 0 };
  const { type: form, data } = encodeValue(operation.value, isStrict);
  const value = { type: form, data: typeof data === "string" ? data : new Uint8Array(data) };
  return { key, value, expiresAt: expiryTimeOf(operation, now) };
}

/** Writes and syncs everything written before, waiting in place. Whoever waits for it hears of it when turns come. */
export function flushNow(engine: OpenStore): void {
  const writer = engine.writable();
  const failure = writer.write();
  if (failure !== undefined) throw failure;
  try {
    engine.log.syncActive();
  } catch (error) {
    throw writer.fail(error as KvStoreError);
  }
}
