/**
 * Values: encodes what callers give, and decodes it again. A record says which of four forms its value has.
 *
 * @module
 */
import { isWellFormed } from "../bytes.ts";
import { describe, isBytes } from "../kinds.ts";
import { MAX_VALUE_BYTES, VALUE_TYPE } from "../engine/record.ts";
import { Copies } from "../platform/copies.ts";
import { decodeUtf8 } from "../platform/text.ts";
import type { Value } from "../types.ts";
import { checkKept, isPlain, textOf } from "./json.ts";

const COPIES = new Copies();

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
 * `bytes`, unless `isOwn`: then nobody else uses them.
 */
export function decodeValue(
  type: number,
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
  isOwn: boolean = false,
): Value {
  if (type === VALUE_TYPE.bytes) {
    const value = bytes.subarray(start, end);
    return isOwn ? value : COPIES.copyOf(value);
  }
  if (type === VALUE_TYPE.utf16) return fromUtf16(bytes.subarray(start, end));
  const text = decodeUtf8(bytes, start, end);
  return type === VALUE_TYPE.utf8 ? text : JSON.parse(text);
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
