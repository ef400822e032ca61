/**
 * Keys of the Kv interface as bytes, in FoundationDB's tuple encoding, byte for byte as Deno KV and denokv have it. The
 * order of the bytes is the order of the keys: byte strings, strings, bigints, numbers, booleans. The keys under a prefix
 * are those whose bytes begin with its bytes and go on with a byte from `00` to `fe`; an `ff` there would be that of an
 * escaped 0, so `["a"]` is no prefix of `["a\0b"]`.
 *
 * | part | bytes |
 * |---|---|
 * | byte string | `01`, the bytes, `00`; a `00` in them is followed by `ff` |
 * | string | `02`, then the same with its UTF-8; a lone surrogate becomes U+FFFD, as in Deno |
 * | bigint of n ≤ 8 bytes | `14 + n`, the bytes, big-endian; a negative one `14 − n`, the complement of its magnitude |
 * | longer bigint, up to 255 bytes | `1d`, n, the bytes; a negative one `0b`, and the complement of both |
 * | number | `21`, the big-endian double; its sign bit flipped, or of a negative one every bit |
 * | boolean | `26` for false, `27` for true |
 *
 * @module
 */

import { KvStoreError } from "../../mod.ts";
import { ByteWriter } from "./byte_writer.ts";

/** A part of a key. The only symbol is that of `commitVersionstamp()`, as the last part of a key that is set. */
export type KvKeyPart = Uint8Array | string | number | bigint | boolean | symbol;
/** A key: its parts, the most significant one first. */
export type KvKey = readonly KvKeyPart[];

const BYTES = 0x01;
const STRING = 0x02;
const ZERO = 0x14;
const DOUBLE = 0x21;
const FALSE = 0x26;
const TRUE = 0x27;
const ESCAPE = 0xff;
/** The most bytes of a bigint. From so many on their number follows the tag, which is that many from `ZERO`. */
const MAX_BIGINT = 255;
const LONG_BIGINT = 9;
/** Up to this many bytes, joining the characters beats a call to the decoder. */
const SHORT_TEXT = 64;

/** A character that is not a byte, or may have to be escaped. */
const UNUSUAL = /[^ -~]/;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const writer = new ByteWriter();
const double = new DataView(new ArrayBuffer(8));
const doubleBytes = new Uint8Array(double.buffer);

/**
 * Encodes a key. The empty key, as it stands in selectors, has no bytes.
 *
 * @throws {TypeError} If it is no array, a part is of another type, or a bigint has more than 255 bytes.
 */
export function encodeKey(key: KvKey): Uint8Array<ArrayBuffer> {
  if (!Array.isArray(key)) throw new TypeError(`a key is an array of parts, got ${typeof key}`);
  // A copy: an iterator or a getter of the caller's might encode another key meanwhile.
  const parts = [...key];
  writer.at = 0;
  for (const part of parts) writePart(part);
  return writer.taken();
}

function writePart(part: KvKeyPart | undefined): void {
  if (typeof part === "string") writeText(part);
  else if (typeof part === "boolean") writer.byte(part ? TRUE : FALSE);
  else if (typeof part === "number") writeNumber(part);
  else if (typeof part === "bigint") writeBigint(part);
  else if (ArrayBuffer.isView(part)) writeBytes(BYTES, new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  else throw new TypeError("expected string, number, bigint, ArrayBufferView, boolean");
}

function writeText(text: string): void {
  if (UNUSUAL.test(text)) return writeBytes(STRING, ENCODER.encode(text));
  writer.byte(STRING);
  for (let i = 0; i < text.length; i++) writer.byte(text.charCodeAt(i));
  writer.byte(0);
}

function writeBytes(tag: number, bytes: Uint8Array): void {
  writer.byte(tag);
  for (const byte of bytes) {
    writer.byte(byte);
    if (byte === 0) writer.byte(ESCAPE);
  }
  writer.byte(0);
}

function writeNumber(number: number): void {
  double.setFloat64(0, number);
  // The bits of a NaN are not for programs to see: all are one key.
  if (Number.isNaN(number)) double.setBigUint64(0, 0x7ff8n << 48n);
  const isNegative = doubleBytes[0]! >= 0x80;
  writer.byte(DOUBLE);
  for (let i = 0; i < 8; i++) writer.byte(doubleBytes[i]! ^ flipIn(i, isNegative));
}

/** What flips in a byte of a double, so that the bytes are ordered as the numbers: the sign bit, or of a negative all. */
function flipIn(i: number, isNegative: boolean): number {
  return isNegative ? 0xff : i === 0 ? 0x80 : 0;
}

function writeBigint(bigint: bigint): void {
  const isNegative = bigint < 0n;
  const length = bigint === 0n ? 0 : Math.ceil((isNegative ? -bigint : bigint).toString(16).length / 2);
  if (length > MAX_BIGINT) throw new TypeError("BigUint requires more than 255 bytes to be represented");
  const size = Math.min(length, LONG_BIGINT);
  writer.byte(isNegative ? ZERO - size : ZERO + size);
  if (size === LONG_BIGINT) writer.byte(isNegative ? length ^ 0xff : length);
  // The low bytes of this are the complement of the magnitude, if it is negative.
  const bits = isNegative ? bigint - 1n : bigint;
  for (let i = length - 1; i >= 0; i--) writer.byte(Number(bits >> BigInt(8 * i) & 0xffn));
}

/**
 * Decodes a key that `encodeKey` or Deno KV encoded.
 *
 * @throws {KvStoreError} `FORMAT` if the bytes are not such a key, with the offset of what is wrong.
 */
export function decodeKey(bytes: Uint8Array): KvKeyPart[] {
  const key: KvKeyPart[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at]!;
    const start = at + 1;
    if (tag === STRING || tag === BYTES) {
      const { end, escapes } = findEnd(bytes, start);
      key.push(tag === STRING ? decodeText(bytes, start, end, escapes) : unescaped(bytes, start, end, escapes));
      at = end + 1;
    } else if (tag === FALSE || tag === TRUE) {
      key.push(tag === TRUE);
      at++;
    } else if (tag === DOUBLE) {
      at = endOf(bytes, start, 8);
      for (let i = 0; i < 8; i++) doubleBytes[i] = bytes[start + i]! ^ flipIn(i, bytes[start]! < 0x80);
      key.push(double.getFloat64(0));
    } else if (Math.abs(tag - ZERO) <= LONG_BIGINT) {
      const isLong = Math.abs(tag - ZERO) === LONG_BIGINT;
      const flip = tag < ZERO ? 0xff : 0;
      const first = isLong ? endOf(bytes, start, 1) : start;
      const length = isLong ? bytes[start]! ^ flip : Math.abs(tag - ZERO);
      at = endOf(bytes, first, length);
      if (length > 0 && bytes[first] === flip || isLong && length < LONG_BIGINT) {
        throw badKey(start - 1, "a bigint that is longer than it has to be");
      }
      let bits = tag < ZERO ? -1n : 0n;
      for (let i = first; i < at; i++) bits = bits << 8n | BigInt(bytes[i]!);
      key.push(tag < ZERO ? bits + 1n : bits);
    } else {
      throw badKey(at, `a part begins with byte ${tag}, which no type has`);
    }
  }
  return key;
}

function badKey(offset: number, reason: string): KvStoreError {
  return new KvStoreError("FORMAT", `not the key of a Kv, at byte ${offset}: ${reason}`);
}

function endOf(bytes: Uint8Array, start: number, length: number): number {
  if (start + length > bytes.length) throw badKey(start, `it ends within a part: ${length} bytes are wanted`);
  return start + length;
}

/** Where the 0 stands that ends a string or a byte string, and how many zeros in it are escaped. */
function findEnd(bytes: Uint8Array, start: number): { end: number; escapes: number } {
  let escapes = 0;
  let end = bytes.indexOf(0, start);
  for (; end >= 0 && bytes[end + 1] === ESCAPE; escapes++) end = bytes.indexOf(0, end + 2);
  if (end < 0) throw badKey(start, "a string has no end");
  return { end, escapes };
}

function unescaped(bytes: Uint8Array, start: number, end: number, escapes: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.subarray(start, end));
  return escapes === 0 ? copy : copy.filter((byte, i) => byte !== ESCAPE || copy[i - 1] !== 0);
}

function decodeText(bytes: Uint8Array, start: number, end: number, escapes: number): string {
  let text = "";
  let i = start;
  const shortEnd = Math.min(end, start + SHORT_TEXT);
  for (; i < shortEnd && bytes[i]! > 0 && bytes[i]! < 0x80; i++) text += String.fromCharCode(bytes[i]!);
  if (i === end) return text;
  try {
    return DECODER.decode(unescaped(bytes, start, end, escapes));
  } catch {
    throw badKey(start, "a string that is not UTF-8");
  }
}
