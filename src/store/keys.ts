/**
 * Keys as callers give them: encoded to bytes, made from bytes, and copied to be kept.
 *
 * @module
 */
import { isWellFormed } from "../bytes.ts";
import type { KeyBytes, TypedKey } from "../engine/index.ts";
import { MAX_KEY_BYTES } from "../engine/record.ts";
import { describe, isBytes } from "../kinds.ts";
import { Copies } from "../platform/copies.ts";
import { decodeUtf8, encodeUtf8 } from "../platform/text.ts";
import type { Key } from "../types.ts";

/** Keys that are kept, and keys for callers. */
const OWN = new Copies();
const GIVEN = new Copies();

/** Up to this length, making a string of character codes beats the decoder. */
const SHORT_KEY = 24;

/**
 * The bytes of the key that was encoded last. One object serves all calls: they are done with it before they return.
 */
export class EncodedKey implements TypedKey {
  /** Where the bytes are. */
  bytes: Uint8Array = new Uint8Array(256);
  /** Always at the start. */
  readonly start = 0;
  /** How many bytes. */
  length = 0;
  /** Whether the key was given as a string. */
  isString = false;
  #scratch: Uint8Array = this.bytes;

  /** Encodes a key. Throws a `TypeError` or `RangeError` that says what is wrong with it. */
  encode(key: Key): this {
    if (typeof key === "string") {
      if (key.length > MAX_KEY_BYTES) throw tooLong(key.length);
      if (!isWellFormed(key)) throw new TypeError("a key with a lone surrogate has no UTF-8 form: give it as bytes");
      if (this.#scratch.length < 3 * key.length) this.#scratch = new Uint8Array(3 * key.length);
      this.bytes = this.#scratch;
      this.length = encodeUtf8(key, this.bytes, 0);
      this.isString = true;
    } else if (isBytes(key)) {
      this.bytes = key;
      this.length = key.length;
      this.isString = false;
    } else {
      throw new TypeError(`a key is a string or a Uint8Array, not ${describe(key)}`);
    }
    if (this.length > MAX_KEY_BYTES) throw tooLong(this.length);
    return this;
  }

  /** A copy of the bytes. */
  copy(): Uint8Array {
    // Not slice: that of a Buffer shares its memory.
    return new Uint8Array(this.bytes.subarray(0, this.length));
  }
}

/** Copies a key that is kept beyond the call: callers may change its bytes. Returns anything else as it is. */
export function ownKey<K>(key: K): K {
  return typeof key !== "string" && isBytes(key) ? OWN.copyOf(key) as Uint8Array & K : key;
}

/** Makes a key in the form in which it was set, from bytes or from a part of them. Always a copy. */
export function decodeKey(
  bytes: Uint8Array,
  isString: boolean,
  { start, length }: { start: number; length: number } = { start: 0, length: bytes.length },
): Key {
  if (!isString) return GIVEN.copyOf(bytes.subarray(start, start + length));
  const text = length > SHORT_KEY ? undefined : asciiIn({ bytes, start, length });
  return text ?? decodeUtf8(bytes, start, start + length);
}

/**
 * For each length an array to collect character codes in. A string made of all codes at once is a single flat one; made
 * in pieces it is a tree of strings, which costs three times as much once keys are kept.
 */
const CODES = Array.from({ length: SHORT_KEY + 1 }, (_, length) => new Array<number>(length).fill(0));

/** Decodes text if it is all ASCII. */
function asciiIn({ bytes, start, length }: KeyBytes): string | undefined {
  const codes = CODES[length]!;
  let all = 0;
  for (let i = 0; i < length; i++) all |= codes[i] = bytes[start + i]!;
  return all > 0x7f ? undefined : String.fromCharCode.apply(undefined, codes);
}

/** A key's bytes as a string with one character a byte: a form that a `Map` can look up. */
export function nameOf({ bytes, start, length }: KeyBytes): string {
  let name = "";
  for (let i = 0; i < length; i++) name += String.fromCharCode(bytes[start + i]!);
  return name;
}

function tooLong(lengthBytes: number): RangeError {
  return new RangeError(`a key may have ${MAX_KEY_BYTES} bytes; this one has ${lengthBytes} or more`);
}
