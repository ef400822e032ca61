/**
 * The operations of a batch: from what callers give to what is staged.
 *
 * @module
 */
import type { BatchOperation, Key } from "../types.ts";
import { checkNames } from "./options.ts";
import { type EncodedValue, encodeValue } from "./values.ts";

/** An operation of a batch, read once; without a value it deletes. */
export interface EncodedOperation {
  /** The key. */
  key: Key;
  /** The value; `undefined`: delete. */
  value: EncodedValue | undefined;
}

/** Reads and checks an operation; a value's `toJSON` runs now. Throws a `TypeError` or `RangeError`. */
export function encodeOperation(operation: BatchOperation): EncodedOperation {
  const type = operation?.type;
  if (type !== "set" && type !== "delete") {
    throw new TypeError(`the type of an operation is "set" or "delete", not ${JSON.stringify(type)}`);
  }
  checkNames(`a ${type}`, operation, type === "set" ? ["type", "key", "value"] : ["type", "key"]);
  return { key: operation.key, value: operation.type === "set" ? encodeValue(operation.value) : undefined };
}
