/**
 * Values of the Kv interface as bytes: V8's own serialisation format, which Deno KV keeps, written and read here in
 * TypeScript, so that it is the same on every runtime.
 *
 * Why not a library: of 31 values of each kind that structured clone takes, seroval 1.8 kept 29 (not the names on an
 * array, nor an error's stack), this format all. An object with 5 fields takes 73 bytes, in seroval's JSON 190, and is
 * read in 0.4 to 1.6 µs, by seroval in 2 to 5; 1,000 whole numbers take 3.0 KB and 9 to 58 µs, in seroval 16.9 KB and 116
 * to 227 µs (Deno 2.9, Node 20 and 24, Bun 1.4). And the bytes are Deno's: they count in a limit what they count there.
 * Why not `node:v8`: Bun writes another format, Deno takes 4 to 20 µs to read the small object, and each reads bytes that
 * nobody has checked with code that was not written for hostile ones.
 *
 * Where a program cannot tell what V8 sees, the bytes may differ, and only then: V8 writes an array as if it had holes if
 * it had room for some, and whole numbers among others as doubles if it keeps all as doubles. A `RegExp` loses
 * `lastIndex`, an instance its prototype, an error all but name, message, stack and cause, as in Deno. What Deno keeps of
 * its own (`Blob`, `File`, `CryptoKey`, `DOMException`) is refused; so is what is nested deeper than 1,000 objects, and
 * what would reserve more than 256 MiB beyond its size for holes in arrays and buffers that can grow. A view of such a
 * buffer keeps its length.
 *
 * | first byte | what follows |
 * |---|---|
 * | `ff` | V8's format: its version, then the value |
 * | `02` | a `KvU64`: 8 bytes, little-endian |
 * | `03` | a value that is a `Uint8Array`: its bytes |
 *
 * @module
 */

import { isUint8Array } from "node:util/types";
import { KvStoreError } from "../../mod.ts";
import { isU64, KvU64 } from "./u64.ts";
import { VERSION } from "./value_format.ts";
import { ValueReader } from "./value_reader.ts";
import { ValueWriter } from "./value_writer.ts";

/** The first byte of a value that is a `KvU64`, or bytes alone: Deno keeps it in a column of its own. */
const U64 = 0x02;
const BYTES = 0x03;

let spareWriter: ValueWriter | undefined;

/**
 * Encodes a value. Of a `Uint8Array` or a `KvU64` as a whole, the bytes say just that.
 *
 * @throws {TypeError} If structured clone refuses it or something in it: a function, a symbol, a promise, a `WeakMap`, a
 * `SharedArrayBuffer` and the like.
 * @throws {RangeError} If it is nested more than 1,000 deep, or for a `KvU64` of another class with no such number.
 */
export function encodeValue(value: unknown): Uint8Array<ArrayBuffer> {
  if (isUint8Array(value)) return encodeBytes(value);
  if (isU64(value)) return encodeU64(value);
  // A getter in the value may encode another one meanwhile. After an error the writer is lost.
  const writer = spareWriter ?? new ValueWriter();
  spareWriter = undefined;
  const bytes = writer.write(value);
  spareWriter = writer;
  return bytes;
}

function encodeBytes(value: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(value.length + 1);
  bytes[0] = BYTES;
  bytes.set(value, 1);
  return bytes;
}

function encodeU64(value: KvU64): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(9);
  bytes[0] = U64;
  new DataView(bytes.buffer).setBigUint64(1, new KvU64(value.value).value, true);
  return bytes;
}

/**
 * Decodes a value, from `start` to the end. Nothing in it shares memory with the bytes.
 *
 * @throws {KvStoreError} `FORMAT` if the bytes are no value, or of a newer version of the format.
 */
export function decodeValue(bytes: Uint8Array, start: number = 0): unknown {
  const kind = bytes[start];
  const length = bytes.length - start;
  if (kind === VERSION) return new ValueReader(bytes, start).read();
  if (kind === BYTES) return new Uint8Array(bytes.subarray(start + 1));
  if (kind === U64 && length === 9) {
    return new KvU64(new DataView(bytes.buffer, bytes.byteOffset + start).getBigUint64(1, true));
  }
  throw new KvStoreError("FORMAT", `not a value of a Kv: ${length} bytes, the first of which is ${kind}`);
}

/** How many bytes a value takes in Deno KV, whose limit counts them: there no first byte says what the value is. */
export function sizeOfValue(encoded: Uint8Array): number {
  return encoded[0] === VERSION ? encoded.length : encoded.length - 1;
}
