/**
 * Numbers and text as bytes.
 *
 * @module
 */

/** Writes a whole number up to 2^53 − 1 as 8 bytes, little-endian. */
export function setUint53(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

/** Reads what `setUint53` wrote; anything larger comes back as `Infinity`, which no check accepts. */
export function getUint53(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  return high < 2 ** 21 ? high * 2 ** 32 + view.getUint32(at, true) : Infinity;
}

/** Whether text has no lone surrogate, so that UTF-8 can hold it. */
export function isWellFormed(text: string): boolean {
  // Declared here as it is newer than the library that the declarations are compiled against.
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/** Bytes as hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether two byte strings are equal. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && startsWith(a, b);
}

/** Whether `prefix` stands in `bytes` at `start`. */
export function startsWith(bytes: Uint8Array, prefix: Uint8Array, start: number = 0): boolean {
  let i = 0;
  while (i < prefix.length && bytes[start + i] === prefix[i]) i++;
  return i === prefix.length;
}

/** Orders two byte strings by their unsigned bytes: negative if `a` comes first, zero if they are equal, else positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}
