/**
 * What callers hand over is theirs to change once the call has returned, also where the store takes it later: while it
 * is being opened, or when a batch that is put together call by call is written.
 *
 * @module
 */

/** Whether something is a Uint8Array, of whatever realm: under Jest and Vitest there are several in one process. */
function isBytes(data: unknown): data is Uint8Array {
  return Object.prototype.toString.call(data) === "[object Uint8Array]";
}

/** A copy of bytes, of their own kind (a Buffer of a Buffer); anything else as it is. */
export function ownCopy<T>(data: T): T {
  return isBytes(data) ? Uint8Array.prototype.slice.call(data) as T : data;
}

/** A copy of a value for the store: of bytes and JSON; what the store refuses is left for it to refuse. */
export function ownValue<T>(value: T): T {
  if (typeof value !== "object" || value === null || isBytes(value)) return ownCopy(value);
  const prototype = Object.getPrototypeOf(value);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  const text = isPlain || Array.isArray(value) ? JSON.stringify(value) : undefined;
  return text === undefined ? value : JSON.parse(text);
}

/** A copy of an object that owns the bytes in it; what is none as it is. */
export function ownFields<T>(given: T): T {
  if (typeof given !== "object" || given === null) return given;
  return Object.fromEntries(Object.entries(given).map(([name, data]) => [name, ownCopy(data)])) as T;
}
