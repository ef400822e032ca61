/**
 * Sets and deletes: checks and encodes what callers give, and stages it in the tail.
 *
 * @module
 */
import type { Writer } from "../engine/writer.ts";
import { Copies } from "../platform/copies.ts";
import type { BatchOperation, Key } from "../types.ts";
import { admitExpiry } from "./clock.ts";
import type { OpenStore } from "./open_store.ts";
import { nameOf, ownKey } from "./keys.ts";
import { checkNames, expiryTimeOf } from "./options.ts";
import { type EncodedValue, encodeValue } from "./values.ts";

/** The largest number of operations in a batch. */
const MAX_BATCH_OPERATIONS = 2 ** 20;
/** The largest size of a batch, once encoded. */
const MAX_BATCH_BYTES = 64 * 1024 * 1024;
/** A batch of this size has room for one more delete, but perhaps not for two. */
const FULL_BATCH_BYTES = MAX_BATCH_BYTES - 2 * 66_000;

const SET_NAMES = ["type", "key", "value", "ttl", "expiresAt"];
const DELETE_NAMES = ["type", "key"];

const COPIES = new Copies();

/** A checked set or delete. */
export interface EncodedOperation {
  /** The key. */
  key: Key;
  /** The value; `undefined` in a delete. */
  value: EncodedValue | undefined;
  /** When the key expires; 0: never. */
  expiresAt: number;
}

/**
 * Reads, checks and encodes the operations of a batch, which runs the `toJSON` methods of values. `now` returns the
 * time. Throws a `TypeError` or `RangeError`.
 */
export function encodeBatch(
  operations: Iterable<BatchOperation>,
  { now, isStrict }: { now: () => number; isStrict: boolean },
): EncodedOperation[] {
  const list: EncodedOperation[] = [];
  // All operations use the same time: keys that are set together with the same ttl expire together.
  let time: number | undefined;
  const encoding = { now: () => time ??= now(), isStrict, isReused: !Array.isArray(operations) };
  for (const operation of operations) {
    if (list.push(encodeOperation(operation, encoding)) <= MAX_BATCH_OPERATIONS) continue;
    throw new RangeError(`a batch may have ${MAX_BATCH_OPERATIONS} operations; this one has more`);
  }
  return list;
}

/** Stages an operation in the tail. Reads do not see it before it is published. */
export function stage(engine: OpenStore, operation: EncodedOperation): void {
  admitExpiry(engine, operation.expiresAt);
  stageNext(engine, operation);
}

function stageNext(engine: OpenStore, { key, value, expiresAt }: EncodedOperation): void {
  const encoded = engine.key.encode(key);
  if (value === undefined) engine.stageDelete(encoded);
  else engine.stageSet(encoded, value, expiresAt);
}

/** Stages the operations that have an effect. A delete has none if its key is absent by then, unless it has expired. */
export function stageBatch(engine: OpenStore, operations: EncodedOperation[]): void {
  const { tail } = engine.writer!;
  const hasDeletes = operations.some(({ value }) => value === undefined);
  const isThere = new Map<string, boolean>();
  // Before anything is staged, since it may write.
  for (const { expiresAt } of operations) admitExpiry(engine, expiresAt);
  if (hasDeletes) engine.expire();
  for (const operation of operations) {
    const { key, value } = operation;
    const name = hasDeletes ? nameOf(engine.key.encode(key)) : "";
    if (value !== undefined || (isThere.get(name) ?? engine.isListed(engine.key))) stageNext(engine, operation);
    if (hasDeletes) isThere.set(name, value !== undefined);
    if (tail.stagedEnd - tail.length > MAX_BATCH_BYTES) {
      throw new RangeError(`a batch may have ${MAX_BATCH_BYTES} bytes once encoded; this one has more`);
    }
  }
}

/** How the operations of a batch are encoded. */
interface Encoding {
  now: () => number;
  isStrict: boolean;
  /** Whether a buffer may be used again for the next operation, so that all bytes must be copied. */
  isReused: boolean;
}

/** Checks and encodes an operation. */
function encodeOperation(operation: BatchOperation, { now, isStrict, isReused }: Encoding): EncodedOperation {
  const type = operation?.type;
  if (type !== "set" && type !== "delete") {
    throw new TypeError(`the type of an operation is "set" or "delete", not ${JSON.stringify(type)}`);
  }
  checkNames(`a ${type}`, operation, type === "set" ? SET_NAMES : DELETE_NAMES);
  const key = isReused ? ownKey(operation.key) : operation.key;
  if (operation.type === "delete") return { key, value: undefined, expiresAt: 0 };
  const value = encodeValue(operation.value, isStrict);
  if (isReused && typeof value.data !== "string") value.data = COPIES.copyOf(value.data);
  return { key, value, expiresAt: expiryTimeOf(operation, now) };
}

/** Publishes deletes of keys that are there: as one batch, or as several if there are too many keys for one. */
export function stageDeletes(engine: OpenStore, writer: Writer, keys: Key[]): void {
  const { tail } = writer;
  for (const [i, key] of keys.entries()) {
    engine.stageDelete(engine.key.encode(key));
    if ((i + 1) % MAX_BATCH_OPERATIONS === 0 || tail.stagedEnd - tail.length > FULL_BATCH_BYTES) writer.publish();
  }
  if (tail.stagedEnd > tail.length) writer.publish();
}
