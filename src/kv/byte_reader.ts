/**
 * Reads numbers and strings of V8's serialisation format. A length in it is held against the bytes that are there
 * before anything else is done with it.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { KvStoreError } from "../../mod.ts";
import { TAG } from "./value_format.ts";

const { latin1Slice, ucs2Slice } = Buffer.prototype as unknown as Record<
  "latin1Slice" | "ucs2Slice",
  (this: Uint8Array, start: number, end: number) => string
>;
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Names of properties that were read last, by a hash of their bytes: an engine looks up a property faster by a string
 * that it has used for one before (measured: 12 ns a name, against 90).
 */
const names: (string | undefined)[] = new Array(1024);
const MAX_CACHED_NAME = 32;

/** Reads from the first byte on. */
export class ByteReader {
  /** What is read. */
  protected readonly bytes: Uint8Array;
  readonly #view: DataView;
  /** The next byte. */
  protected at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  protected bad(reason: string): KvStoreError {
    return new KvStoreError("FORMAT", `not a value of a Kv, at byte ${this.at}: ${reason}`);
  }

  /** Checks that so many bytes are there, and passes over them; returns where they begin. */
  protected take(length: number): number {
    const start = this.at;
    if (length > this.bytes.length - start) throw this.bad(`it ends within a value: ${length} bytes are wanted`);
    this.at = start + length;
    return start;
  }

  protected varint(): number {
    const bytes = this.bytes;
    let byte = bytes[this.at++]!;
    if (byte < 0x80) return byte;
    let number = byte & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      if (this.at >= bytes.length) break;
      byte = bytes[this.at++]!;
      number += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80 && number < 2 ** 32) return number;
    }
    throw this.bad("a whole number of 32 bits that has no end");
  }

  protected double(): number {
    return this.#view.getFloat64(this.take(8), true);
  }

  protected tag(): number {
    let tag: number;
    do tag = this.bytes[this.take(1)]!; while (tag === TAG.padding);
    return tag;
  }

  /** Whether the next tag is this one, which is then passed over. */
  protected passes(tag: number): boolean {
    const bytes = this.bytes;
    let at = this.at;
    while (bytes[at] === TAG.padding) at++;
    if (bytes[at] !== tag) return false;
    this.at = at + 1;
    return true;
  }

  protected int32(): number {
    const number = this.varint();
    return (number >>> 1) ^ -(number & 1);
  }

  protected oneByte(): string {
    const length = this.varint();
    const start = this.take(length);
    return latin1Slice.call(this.bytes, start, start + length);
  }

  protected longText(tag: number): string {
    const length = this.varint();
    const start = this.take(length);
    if (tag === TAG.utf8) return UTF8.decode(this.bytes.subarray(start, start + length));
    if (length % 2 === 1) throw this.bad("a string of two-byte characters with an odd number of bytes");
    return ucs2Slice.call(this.bytes, start, start + length);
  }

  protected string(): string {
    const tag = this.tag();
    if (tag === TAG.oneByte) return this.oneByte();
    if (tag === TAG.twoByte || tag === TAG.utf8) return this.longText(tag);
    throw this.bad(`a string is wanted, got one that begins with byte ${tag}`);
  }

  protected bigint(): bigint {
    const bits = this.varint();
    const length = bits >>> 1;
    const start = this.take(length);
    let digits = "0x0";
    for (let i = start + length - 1; i >= start; i--) digits += this.bytes[i]!.toString(16).padStart(2, "0");
    const magnitude = length === 8 ? this.#view.getBigUint64(start, true) : this.made("a bigint", () => BigInt(digits));
    return (bits & 1) === 1 ? -magnitude : magnitude;
  }

  /** Makes what the engine may refuse. */
  protected made<T>(what: string, make: () => T): T {
    try {
      return make();
    } catch (error) {
      throw this.bad(`${what} that cannot be made: ${(error as Error).message}`);
    }
  }

  protected name(): string {
    const length = this.varint();
    const start = this.take(length);
    const bytes = this.bytes;
    if (length > MAX_CACHED_NAME) return latin1Slice.call(bytes, start, start + length);
    let hash = length;
    for (let i = start; i < start + length; i++) hash = Math.imul(hash, 31) + bytes[i]! | 0;
    hash &= names.length - 1;
    const cached = names[hash];
    if (cached !== undefined && cached.length === length) {
      let i = 0;
      while (i < length && cached.charCodeAt(i) === bytes[start + i]) i++;
      if (i === length) return cached;
    }
    return names[hash] = latin1Slice.call(bytes, start, start + length);
  }
}
