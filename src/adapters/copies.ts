/**
 * Copies of what callers pass in. A caller may change its bytes and objects once a call has returned, and some calls
 * write later: while the store is being opened, or when a batch that was filled call by call is written.
 *
 * @module
 */

/** Whether something is a `Uint8Array`, of any realm: Jest and Vitest run several realms in one process. */
function isBytes(data: unknown): data is Uint8Array {
  return Object.prototype.toString.call(data) === "[object Uint8Array]";
}

/** Copies bytes, to the class they have: a `Buffer` to a `Buffer`. Returns anything else as it is. */
export function copyBytes<T>(data: T): T {
  return isBytes(data) ? Uint8Array.prototype.slice.call(data) as T : data;
}

/** Copies bytes or JSON. Returns a value that the store would refuse as it is, so that the store refuses it. */
export function copyValue<T>(value: T): T {
  if (typeof value !== "object" || value === null || isBytes(value)) return copyBytes(value);
  const prototype = Object.getPrototypeOf(value);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  const text = isPlain || Array.isArray(value) ? JSON.stringify(value) : undefined;
  return text === undefined ? value : JSON.parse(text);
}

/** Copies an object and the bytes in its fields. Returns anything that is not an object as it is. */
export function copyFields<T>(given: T): T {
  if (typeof given !== "object" || given === null) return given;
  return Object.fromEntries(Object.entries(given).map(([name, data]) => [name, copyBytes(data)])) as T;
}
