/**
 * The key of a call: from what the caller gave to bytes.
 *
 * @module
 */
import { isWellFormed } from "../bytes.ts";
import { encodeUtf8 } from "../platform/text.ts";
import { describe, isBytes } from "../kinds.ts";
import { MAX_KEY_BYTES } from "./record.ts";
import type { Key } from "../types.ts";

/**
 * The bytes of the key that was encoded last. One object serves all calls: they are done with it before they return.
 */
export class EncodedKey {
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

function tooLong(lengthBytes: number): RangeError {
  return new RangeError(`a key may have ${MAX_KEY_BYTES} bytes; this one has ${lengthBytes} or more`);
}
