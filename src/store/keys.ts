/**
 * Keys as callers give them: made from bytes, and copied to be kept.
 *
 * @module
 */
import type { KeyBytes } from "../engine/index.ts";
import { isBytes } from "../kinds.ts";
import { DECODER } from "../platform/text.ts";
import type { Key } from "../types.ts";

const SHORT_KEY = 32;

/** Copies a key that is kept beyond the call: callers may change its bytes. Returns anything else as it is. */
export function ownKey<K>(key: K): K {
  return typeof key !== "string" && isBytes(key) ? new Uint8Array(key) as Uint8Array & K : key;
}

/** Makes a key in the form in which it was set, from bytes or from a part of them. Always a copy. */
export function decodeKey(
  bytes: Uint8Array,
  isString: boolean,
  { start, length }: { start: number; length: number } = { start: 0, length: bytes.length },
): Key {
  if (!isString) return new Uint8Array(bytes.subarray(start, start + length));
  const text = length > SHORT_KEY ? undefined : asciiIn({ bytes, start, length });
  return text ?? DECODER.decode(bytes.subarray(start, start + length));
}

/** Decodes text if it is all ASCII. Eight characters at a time take half the time of single ones, or of the decoder. */
function asciiIn({ bytes, start, length }: KeyBytes): string | undefined {
  let text = "";
  let at = start;
  for (; at + 8 <= start + length; at += 8) {
    const [a, b, c, d] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!];
    const [e, f, g, h] = [bytes[at + 4]!, bytes[at + 5]!, bytes[at + 6]!, bytes[at + 7]!];
    if ((a | b | c | d | e | f | g | h) > 0x7f) return undefined;
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
  }
  for (; at < start + length; at++) {
    if (bytes[at]! > 0x7f) return undefined;
    text += String.fromCharCode(bytes[at]!);
  }
  return text;
}

/** A key's bytes as a string with one character a byte: a form that a `Map` can look up. */
export function nameOf({ bytes, start, length }: KeyBytes): string {
  let name = "";
  for (let i = 0; i < length; i++) name += String.fromCharCode(bytes[start + i]!);
  return name;
}
