/**
 * The operations of a batch: from what callers give to what is staged.
 *
 * @module
 */
import type { BatchOperation, Key } from "../types.ts";
import { checkNames, expiryTimeOf } from "./options.ts";
import { type EncodedValue, encodeValue } from "./values.ts";

/** An operation of a batch, read once; without a value it deletes. */
export interface EncodedOperation {
  /** The key. */
  key: Key;
  /** The value; `undefined`: delete. */
  value: EncodedValue | undefined;
  /** When it expires; 0: never. */
  expiresAt: number;
}

/**
 * Reads and checks an operation; a value's `toJSON` runs now. `now` says what time it is. Throws a `TypeError` or
 * `RangeError`.
 */
export function encodeOperation(operation: BatchOperation, now: () => number): EncodedOperation {
  const type = operation?.type;
  if (type !== "set" && type !== "delete") {
    throw new TypeError(`the type of an operation is "set" or "delete", not ${JSON.stringify(type)}`);
  }
  checkNames(`a ${type}`, operation, type === "set" ? ["type", "key", "value", "ttl", "expiresAt"] : ["type", "key"]);
  if (operation.type === "delete") return { key: operation.key, value: undefined, expiresAt: 0 };
  return { key: operation.key, value: encodeValue(operation.value), expiresAt: expiryTimeOf(operation, now) };
}
