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

/** A part of a key. The only symbol is that of `commitVersionstamp()`, as the last part of a key that is set. */
export type KvKeyPart = Uint8Array | string | number | bigint | boolean | symbol;
/** A key: its parts, the most significant one first. */
export type KvKey = readonly KvKeyPart[];

const BYTES = 0x01;
const STRING = 0x02;
const NEGATIVE_LONG = 0x0b;
const ZERO = 0x14;
const POSITIVE_LONG = 0x1d;
const DOUBLE = 0x21;
const FALSE = 0x26;
const TRUE = 0x27;
const ESCAPE = 0xff;
/** The most bytes of a bigint whose length is in its tag, and of any. */
const SHORT_BIGINT = 8;
const LONG_BIGINT = 255;

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

let target = new Uint8Array(256);
let view = new DataView(target.buffer);
let at = 0;

function reserve(length: number): void {
  if (at + length <= target.length) return;
  const larger = new Uint8Array(Math.max(at + length, 2 * target.length));
  larger.set(target.subarray(0, at));
  target = larger;
  view = new DataView(target.buffer);
}

/**
 * Encodes a key. The empty key, as it stands in selectors, has no bytes.
 *
 * @throws {TypeError} If it is no array, a part is of another type, or a bigint has more than 255 bytes.
 */
export function encodeKey(key: KvKey): Uint8Array<ArrayBuffer> {
  if (!Array.isArray(key)) throw new TypeError(`a key is an array of parts, got ${typeof key}`);
  // A copy: an iterator or a getter of the caller's might encode another key meanwhile.
  const parts = [...key];
  at = 0;
  for (const part of parts) writePart(part);
  const bytes = target.slice(0, at);
  if (target.length > 1 << 16) target = new Uint8Array(256), view = new DataView(target.buffer);
  return bytes;
}

function writePart(part: KvKeyPart | undefined): void {
  reserve(9);
  if (typeof part === "string") return writeText(part);
  if (typeof part === "boolean") target[at++] = part ? TRUE : FALSE;
  else if (typeof part === "number") writeNumber(part);
  else if (typeof part === "bigint") writeBigint(part);
  else if (ArrayBuffer.isView(part)) writeBytes(BYTES, new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  else throw new TypeError("expected string, number, bigint, ArrayBufferView, boolean");
}

function writeText(text: string): void {
  reserve(text.length + 2);
  const start = at;
  target[at++] = STRING;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || code > 0x7f) {
      at = start;
      return writeBytes(STRING, ENCODER.encode(text));
    }
    target[at++] = code;
  }
  target[at++] = 0;
}

function writeBytes(tag: number, bytes: Uint8Array): void {
  reserve(2 * bytes.length + 2);
  target[at++] = tag;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    target[at++] = byte;
    if (byte === 0) target[at++] = ESCAPE;
  }
  target[at++] = 0;
}

function writeNumber(number: number): void {
  target[at++] = DOUBLE;
  // The bits of a NaN are not for programs to see: all are one key.
  if (Number.isNaN(number)) view.setUint32(at, 0x7ff80000), view.setUint32(at + 4, 0);
  else view.setFloat64(at, number);
  flipDouble(target, at);
  at += 8;
}

/** Turns doubles into bytes that are ordered as the numbers are: the sign bit flips, in negative ones every bit. */
function flipDouble(bytes: Uint8Array, start: number): void {
  if (bytes[start]! < 0x80) bytes[start]! ^= 0x80;
  else for (let i = 0; i < 8; i++) bytes[start + i]! ^= 0xff;
}

function writeBigint(bigint: bigint): void {
  const isNegative = bigint < 0n;
  let digits = bigint === 0n ? "" : (isNegative ? -bigint : bigint).toString(16);
  if (digits.length % 2 === 1) digits = `0${digits}`;
  const length = digits.length / 2;
  if (length > LONG_BIGINT) throw new TypeError("BigUint requires more than 255 bytes to be represented");
  const flip = isNegative ? 0xff : 0;
  reserve(length + 2);
  if (length <= SHORT_BIGINT) target[at++] = isNegative ? ZERO - length : ZERO + length;
  else target[at++] = isNegative ? NEGATIVE_LONG : POSITIVE_LONG, target[at++] = length ^ flip;
  for (let i = 0; i < length; i++) target[at++] = parseInt(digits.slice(2 * i, 2 * i + 2), 16) ^ flip;
}

/**
 * Decodes a key that `encodeKey` or Deno KV encoded.
 *
 * @throws {KvStoreError} `FORMAT` if the bytes are not such a key, with the offset of what is wrong.
 */
export function decodeKey(bytes: Uint8Array): KvKeyPart[] {
  const key: KvKeyPart[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const start = offset + 1;
    const tag = bytes[offset]!;
    if (tag === STRING || tag === BYTES) {
      const { end, escapes } = findEnd(bytes, start);
      key.push(tag === STRING ? decodeText(bytes, start, end, escapes) : unescaped(bytes, start, end, escapes));
      offset = end + 1;
    } else if (tag === FALSE || tag === TRUE) {
      key.push(tag === TRUE);
      offset = start;
    } else if (tag === DOUBLE) {
      offset = endOf(bytes, start, 8);
      // A copy: `slice` of a Buffer is none.
      const double = new Uint8Array(bytes.subarray(start, offset));
      // What is negative has its sign bit clear here.
      if (double[0]! >= 0x80) double[0]! ^= 0x80;
      else for (let i = 0; i < 8; i++) double[i]! ^= 0xff;
      key.push(new DataView(double.buffer).getFloat64(0));
    } else if (tag >= NEGATIVE_LONG && tag <= POSITIVE_LONG) {
      const isLong = tag === NEGATIVE_LONG || tag === POSITIVE_LONG;
      const flip = tag < ZERO ? 0xff : 0;
      const first = isLong ? endOf(bytes, start, 1) : start;
      const length = isLong ? bytes[start]! ^ flip : Math.abs(tag - ZERO);
      offset = endOf(bytes, first, length);
      if (length > 0 && bytes[first] === flip || isLong && length <= SHORT_BIGINT) {
        throw badKey(start - 1, "a bigint that is longer than it has to be");
      }
      key.push(decodeBigint(bytes.subarray(first, offset), flip));
    } else {
      throw badKey(offset, `a part begins with byte ${tag}, which no type has`);
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
  for (let end = start;; end++) {
    end = bytes.indexOf(0, end);
    if (end < 0) throw badKey(start, "a string has no end");
    if (bytes[end + 1] !== ESCAPE) return { end, escapes };
    escapes++;
    end++;
  }
}

function unescaped(bytes: Uint8Array, start: number, end: number, escapes: number): Uint8Array<ArrayBuffer> {
  const plain = new Uint8Array(end - start - escapes);
  for (let i = start, to = 0; i < end; i++) {
    plain[to++] = bytes[i]!;
    if (bytes[i] === 0) i++;
  }
  return plain;
}

/** Up to this many bytes, joining the characters beats a call to the decoder. */
const SHORT_TEXT = 32;

function decodeText(bytes: Uint8Array, start: number, end: number, escapes: number): string {
  if (end - start <= SHORT_TEXT && escapes === 0) {
    let text = "";
    let i = start;
    for (; i < end && bytes[i]! < 0x80; i++) text += String.fromCharCode(bytes[i]!);
    if (i === end) return text;
  }
  try {
    return DECODER.decode(escapes === 0 ? bytes.subarray(start, end) : unescaped(bytes, start, end, escapes));
  } catch {
    throw badKey(start, "a string that is not UTF-8");
  }
}

function decodeBigint(bytes: Uint8Array, flip: number): bigint {
  let digits = "0x0";
  for (const byte of bytes) digits += (byte ^ flip).toString(16).padStart(2, "0");
  return flip === 0 ? BigInt(digits) : -BigInt(digits);
}
