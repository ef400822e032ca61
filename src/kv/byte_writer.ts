/**
 * Writes numbers and strings in V8's serialisation format.
 *
 * @module
 */

import { TAG, WRITTEN_VERSION } from "./value_format.ts";

const ENCODER = new TextEncoder();
/** Up to this length a loop over the characters beats a call into the runtime. */
const SHORT_TEXT = 32;
const FIRST_BYTES = 1024;
/** A larger buffer is not kept for the next value. */
const MAX_KEPT_BYTES = 1 << 18;

/** Writes one value after the other into a buffer that it keeps. */
export class ByteWriter {
  /** What is written, up to `at`. */
  protected bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.bytes.buffer);
  /** How much is written. */
  protected at = 0;

  /** Begins a value. */
  protected begin(): void {
    this.bytes[0] = TAG.version;
    this.bytes[1] = WRITTEN_VERSION;
    this.at = 2;
  }

  /** Returns what was written since `begin`. */
  protected end(): Uint8Array<ArrayBuffer> {
    const written = this.bytes.slice(0, this.at);
    this.at = 0;
    if (this.bytes.length > MAX_KEPT_BYTES) this.resize(FIRST_BYTES);
    return written;
  }

  protected reserve(length: number): void {
    if (this.at + length > this.bytes.length) this.resize(Math.max(this.at + length, 2 * this.bytes.length));
  }

  protected resize(length: number): void {
    const written = this.bytes.subarray(0, this.at);
    this.bytes = new Uint8Array(length);
    this.bytes.set(written);
    this.#view = new DataView(this.bytes.buffer);
  }

  protected byte(byte: number): void {
    this.reserve(1);
    this.bytes[this.at++] = byte;
  }

  protected varint(number: number): void {
    this.reserve(5);
    for (; number >= 0x80; number = Math.floor(number / 0x80)) this.bytes[this.at++] = number & 0x7f | 0x80;
    this.bytes[this.at++] = number;
  }

  /** A tag, and a whole number of 32 bits without a sign. */
  protected tagged(tag: number, number: number): void {
    this.byte(tag);
    this.varint(number);
  }

  protected double(number: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.at, number, true);
    this.at += 8;
  }

  protected taggedDouble(number: number): void {
    this.byte(TAG.double);
    this.double(number);
  }

  protected number(number: number): void {
    if (isInt32(number)) this.tagged(TAG.int32, (number << 1 ^ number >> 31) >>> 0);
    else this.taggedDouble(number);
  }

  protected string(text: string): void {
    const { length } = text;
    if (length > SHORT_TEXT) return this.longString(text);
    this.reserve(length + 2);
    const bytes = this.bytes;
    const start = this.at + 2;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0xff) return this.longString(text);
      bytes[start + i] = code;
    }
    bytes[start - 2] = TAG.oneByte;
    bytes[start - 1] = length;
    this.at = start + length;
  }

  protected longString(text: string): void {
    const { length } = text;
    this.reserve(2 * length + 7);
    const start = this.at;
    this.tagged(TAG.oneByte, length);
    // ASCII and nothing else fits, character by character, into so many bytes.
    const target = this.bytes.subarray(this.at, this.at + length);
    const isOneByte = ENCODER.encodeInto(text, target).read === length || writeOneByte(text, target);
    this.at += length;
    if (isOneByte) return;
    this.at = start;
    // The characters stand at an even offset.
    if ((start + 1 + varintBytes(2 * length)) % 2 === 1) this.bytes[this.at++] = TAG.padding;
    this.tagged(TAG.twoByte, 2 * length);
    const characters = new Uint16Array(this.bytes.buffer, this.at, length);
    for (let i = 0; i < length; i++) characters[i] = text.charCodeAt(i);
    this.at += 2 * length;
  }

  protected bigint(tag: number, bigint: bigint): void {
    const isNegative = bigint < 0n;
    const magnitude = isNegative ? -bigint : bigint;
    const digits = magnitude === 0n ? "" : magnitude.toString(16);
    const length = 8 * Math.ceil(digits.length / 16);
    this.tagged(tag, 2 * length + (isNegative ? 1 : 0));
    this.reserve(length);
    const padded = digits.padStart(2 * length, "0");
    for (let i = 2 * length - 2; i >= 0; i -= 2) this.bytes[this.at++] = parseInt(padded.slice(i, i + 2), 16);
  }
}

/** Writes the characters of a text, a byte each. Returns false at the first that does not fit. */
function writeOneByte(text: string, target: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return false;
    target[i] = code;
  }
  return true;
}

function varintBytes(number: number): number {
  let count = 1;
  for (; number >= 0x80; number = Math.floor(number / 0x80)) count++;
  return count;
}

/** Whether V8 keeps a number as an integer, which −0 is not. */
export function isInt32(number: number): boolean {
  return (number | 0) === number && !Object.is(number, -0);
}
