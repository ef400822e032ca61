/**
 * Values: encodes what callers give, and decodes it again. A record says which of four forms its value has.
 *
 * @module
 */
import { isWellFormed } from "../bytes.ts";
import { describe, isBytes } from "../kinds.ts";
import { MAX_VALUE_BYTES, VALUE_TYPE } from "../engine/record.ts";
import { decodeUtf8 } from "../platform/text.ts";
import type { Value } from "../types.ts";
import { checkKept, isPlain, textOf } from "./json.ts";

/** An encoded value: bytes, or text that will be written as UTF-8. */
export interface EncodedValue {
  /** One of `VALUE_TYPE`. */
  type: number;
  /** The bytes or the text to write. */
  data: Uint8Array | string;
}

/**
 * Encodes a value. With `isStrict`, refuses values that JSON would change. Throws a `TypeError` or `RangeError` that
 * says what is wrong.
 */
export function encodeValue(value: Value, isStrict: boolean = false): EncodedValue {
  if (typeof value === "string") {
    if (value.length > MAX_VALUE_BYTES) throw tooLarge(value.length);
    return isWellFormed(value)
      ? { type: VALUE_TYPE.utf8, data: value }
      : { type: VALUE_TYPE.utf16, data: toUtf16(value) };
  }
  if (isBytes(value)) {
    if (value.length > MAX_VALUE_BYTES) throw tooLarge(value.length);
    return { type: VALUE_TYPE.bytes, data: value };
  }
  checkJson(value);
  // A plain object may have a toJSON of its own that returns undefined.
  const text = textOf(value);
  if (text === undefined) throw new TypeError("a value has no JSON form");
  if (text.length > MAX_VALUE_BYTES) throw tooLarge(text.length);
  if (isStrict) checkKept(value, "value");
  return { type: VALUE_TYPE.json, data: text };
}

/**
 * Decodes the value of a record, from `start` up to `end`, to what `encodeValue` was given. The result does not alias
 * `bytes`.
 */
export function decodeValue(type: number, bytes: Uint8Array, start: number = 0, end: number = bytes.length): Value {
  if (type === VALUE_TYPE.bytes) return copyOf(bytes.subarray(start, end));
  if (type === VALUE_TYPE.utf16) return fromUtf16(bytes.subarray(start, end));
  const text = decodeUtf8(bytes, start, end);
  return type === VALUE_TYPE.utf8 ? text : JSON.parse(text);
}

/** Values of up to an eighth of a block share a block. */
const SHARE = 8;
/** A block of memory into which values are copied one after the other. */
interface Pool {
  blockBytes: number;
  block: Uint8Array<ArrayBuffer>;
  usedBytes: number;
}
const SHORT: Pool = { blockBytes: 8192, block: new Uint8Array(0), usedBytes: 0 };
const MEDIUM: Pool = { blockBytes: 65_536, block: new Uint8Array(0), usedBytes: 0 };

/**
 * Copies the bytes of a value or a key. Small copies share a block of memory, as in Node's Buffers: an array with memory
 * of its own is a large part of a `get` (3.3 against 2.4 µs for 100 bytes; for 4 KiB 7.2 against 5.7 on Node, 6.3
 * against 5.3 on Deno), and most of a step through keys as bytes (0.8 against 0.2 µs on Deno). Blocks are small, since
 * every copy that is kept keeps its whole block.
 */
export function copyOf(bytes: Uint8Array): Uint8Array {
  const pool = bytes.length * SHARE <= SHORT.blockBytes ? SHORT : MEDIUM;
  if (bytes.length * SHARE > pool.blockBytes) return new Uint8Array(bytes);
  // If a caller has transferred the buffer of a value, the whole block is gone and its length is 0.
  if (pool.usedBytes + bytes.length >= pool.block.length) {
    pool.block = new Uint8Array(pool.blockBytes);
    pool.usedBytes = 0;
  }
  const copy = pool.block.subarray(pool.usedBytes, pool.usedBytes + bytes.length);
  copy.set(bytes);
  // Align the next copy to 8 bytes, so that callers can make arrays of larger numbers on it.
  pool.usedBytes = (pool.usedBytes + bytes.length + 7) & ~7;
  return copy;
}

function checkJson(value: unknown): void {
  if (value === null || typeof value === "boolean" || Array.isArray(value)) return;
  if (typeof value === "number") {
    if (Number.isFinite(value)) return;
    throw new TypeError(`${value} has no JSON form`);
  }
  if (typeof value === "object" && isPlain(value)) return;
  const wanted = "bytes (Uint8Array), a string, a finite number, a boolean, null, an array or a plain object";
  throw new TypeError(`a value is ${wanted}, not ${describe(value)}`);
}

function toUtf16(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes[2 * i] = unit & 0xff;
    bytes[2 * i + 1] = unit >>> 8;
  }
  return bytes;
}

function fromUtf16(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 16_384) {
    const units: number[] = [];
    for (let i = at; i < Math.min(at + 16_384, bytes.length); i += 2) units.push(bytes[i]! | (bytes[i + 1]! << 8));
    parts.push(String.fromCharCode(...units));
  }
  return parts.join("");
}

function tooLarge(lengthBytes: number): RangeError {
  return new RangeError(`a value may have ${MAX_VALUE_BYTES} bytes once encoded; this one has ${lengthBytes} or more`);
}
