/**
 * Helpers for bytes: numbers in them, text that fits them, and comparisons.
 *
 * @module
 */

/** Writes a whole number up to 2^53 − 1 in 8 bytes, little-endian. */
export function setUint53(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

/** Reads a number that `setUint53` wrote. Larger ones come back as `Infinity`, which no check accepts. */
export function getUint53(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  return high < 2 ** 21 ? high * 2 ** 32 + view.getUint32(at, true) : Infinity;
}

/** Whether UTF-8 can encode a text: it has no lone surrogate. */
export function isWellFormed(text: string): boolean {
  // Declared here: the ES2022 library, which the npm package is built with, does not have it.
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/** Formats bytes as hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether two byte strings are equal. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && startsWith(a, b);
}

/** Whether `prefix` stands in `bytes` at `start`. */
export function startsWith(bytes: Uint8Array, prefix: Uint8Array, start: number = 0): boolean {
  return sameRange(bytes, start, prefix, 0, prefix.length);
}

/** Whether `length` bytes of `a` from `aStart` on are the same as those of `b` from `bStart` on. */
export function sameRange(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  let i = 0;
  while (i < length && a[aStart + i] === b[bStart + i]) i++;
  return i === length;
}

/** Compares two byte strings by their unsigned bytes: negative if `a` comes first, zero if they are equal. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

/** A longer copy of an array of numbers, filled up with zeros. */
export function longer<T extends Uint8Array | Uint32Array | Float64Array>(array: T, length: number): T {
  const copy = new (array.constructor as new (length: number) => T)(length);
  copy.set(array);
  return copy;
}
