/**
 * Reads values in V8's serialisation format.
 *
 * Whatever the bytes are, this ends with a value or an error, in time linear in their number. No length in them is
 * believed: a string or buffer must lie within them, arrays grow by what is there, objects are nested at most
 * `MAX_DEPTH` deep, and `mayReserve` bounds what holes and buffers that can grow reserve.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { isArrayBuffer } from "node:util/types";
import { KvStoreError } from "../../mod.ts";
import { CONSTANTS, define, END, KINDS, MAX_DEPTH, mayReserve, NUMBER, OBJECT } from "./value_format.ts";
import { placesBytes, READ_VERSIONS, TEXT, TOO_MUCH_RESERVED } from "./value_format.ts";

type Slice = (this: Uint8Array, start: number, end: number) => string;
const { latin1Slice, ucs2Slice } = Buffer.prototype as unknown as { latin1Slice: Slice; ucs2Slice: Slice };
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
const VALUE_OF = new Map(CONSTANTS.map(([value, tag]) => [tag, value]));

/**
 * Short texts that were read last, by a hash of their bytes: an engine looks up a property faster by a string that it
 * has used for one before (measured: 12 ns a name, against 90).
 */
const keptTexts: string[] = new Array(1024).fill("");
const MAX_KEPT_TEXT = 32;

/** Reads one value. */
export class ValueReader {
  /** The version of the format. */
  readonly version: number;
  readonly #bytes: Uint8Array;
  /** Made when it is needed. */
  #madeView: DataView | undefined;
  /** The next byte. */
  #at: number;
  #depth = 0;
  #reservedBytes = 0;
  /** Everything that a reference can name, in the order in which it begins. */
  readonly #objects: object[] = [];

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = start + 1;
    const { from, to } = READ_VERSIONS;
    const version = this.version = this.varint();
    if (version < from || version > to) throw this.bad(`version ${version} of the format, not ${from} to ${to}`);
  }

  get #view(): DataView {
    return this.#madeView ??= new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
  }

  /** Reads the value, which must end where the bytes do. */
  read(): unknown {
    const value = this.value();
    if (this.#at !== this.#bytes.length) throw this.bad("more bytes than the value has");
    return value;
  }

  /** The error for what is wrong at the next byte. */
  bad(reason: string): KvStoreError {
    return new KvStoreError("FORMAT", `not a value of a Kv, at byte ${this.#at}: ${reason}`);
  }

  /** Reads a value within the one that is read. */
  value(tag: number = this.tag()): unknown {
    if (tag === NUMBER.int32) {
      const number = this.varint();
      return (number >>> 1) ^ -(number & 1);
    }
    if (tag === TEXT.oneByte || tag === TEXT.twoByte || tag === TEXT.utf8) return this.string(tag);
    if (tag === NUMBER.double) return this.double();
    if (tag === NUMBER.uint32) return this.varint();
    if (tag === NUMBER.bigint) return this.bigint();
    if (VALUE_OF.has(tag)) return VALUE_OF.get(tag);
    const object = tag === OBJECT.reference ? this.#objects[this.varint()] : this.#object(tag);
    if (object === undefined) throw this.bad("a reference to no object");
    if (this.#bytes[this.#at] !== OBJECT.view || !isArrayBuffer(object)) return object;
    this.#at++;
    return this.#object(OBJECT.view, object);
  }

  /** Reads values up to the tag of their end, which their number follows. */
  values(endTag: number): unknown[] {
    const values: unknown[] = [];
    for (let tag = this.tag(); tag !== endTag; tag = this.tag()) values.push(this.value(tag));
    this.#endsWith(values.length, "values");
    return values;
  }

  #endsWith(count: number, what: string): void {
    const wanted = this.varint();
    if (wanted !== count) throw this.bad(`${count} ${what}, wanted are ${wanted}`);
  }

  #object(tag: number, buffer?: ArrayBuffer): object {
    if (++this.#depth > MAX_DEPTH) throw this.bad(`nested more than ${MAX_DEPTH} deep`);
    let object: object;
    if (tag === OBJECT.plain) object = this.#properties(this.#kept({}), END.plain);
    else if (tag === OBJECT.dense || tag === OBJECT.sparse) object = this.#array(tag === OBJECT.dense);
    else object = this.#rarer(tag, buffer);
    this.#depth--;
    return object;
  }

  /** Keeps what later bytes may refer to. */
  #kept<T extends object>(object: T): T {
    this.#objects.push(object);
    return object;
  }

  /** Reads pairs of names and values up to the tag of their end, which their number follows. */
  #properties<T extends object>(target: T, endTag: number): T {
    const properties = target as Record<string | number, unknown>;
    let count = 0;
    for (let tag = this.tag(); tag !== endTag; tag = this.tag(), count++) {
      const key = this.value(tag);
      if (typeof key !== "string" && typeof key !== "number") throw this.bad(`a ${typeof key} as a property's name`);
      const value = this.value();
      // An array has its length, and no room beyond it.
      if (Array.isArray(target) && (typeof key === "number" ? key >= target.length : key === "length")) {
        throw this.bad(`element ${key} of ${target.length}`);
      }
      if (key === "__proto__") define(target, key, value, true);
      else properties[key] = value;
    }
    this.#endsWith(count, "properties");
    return target;
  }

  #array(isDense: boolean): unknown[] {
    const length = this.varint();
    const array = this.#kept<unknown[]>([]);
    while (isDense && array.length < length) {
      const tag = this.tag();
      if (tag === OBJECT.hole) array.length++;
      else array.push(this.value(tag));
    }
    if (array.length < length) {
      this.addReserved(placesBytes(length));
      // An element far out makes an engine keep a map; setting the length alone would make room.
      array[length - 1] = undefined;
      delete array[length - 1];
    }
    this.#properties(array, isDense ? END.dense : END.sparse);
    this.#endsWith(length, "elements");
    return array;
  }

  /** Counts memory that is taken for what does not stand in the bytes: it has a limit. */
  addReserved(bytes: number): void {
    this.#reservedBytes += bytes;
    if (!mayReserve(this.#reservedBytes, this.#bytes.length)) throw this.bad(TOO_MUCH_RESERVED);
  }

  #rarer(tag: number, buffer?: ArrayBuffer): object {
    const kind = KINDS[String.fromCharCode(tag)];
    if (kind === undefined) throw this.bad(`byte ${tag}: no value that is read here begins with it`);
    const object = this.#kept(this.#made(() => kind.make(this, buffer)));
    kind.fill?.(this, object);
    return object;
  }

  /** Makes what the engine may refuse. */
  #made<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      throw KvStoreError.is(error) ? error : this.bad(`what cannot be made: ${error}`);
    }
  }

  /** Checks that so many bytes are there, and passes over them; returns where they begin. */
  #take(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw this.bad(`it ends within a value: ${length} bytes are wanted`);
    this.#at = start + length;
    return start;
  }

  /** Reads the byte that says what comes. */
  tag(): number {
    let tag: number;
    do tag = this.#bytes[this.#take(1)]!; while (tag === TEXT.padding);
    return tag;
  }

  /** Reads a whole number of 32 bits without a sign. */
  varint(): number {
    let number = 0;
    for (let scale = 1; scale < 2 ** 35 && this.#at < this.#bytes.length; scale *= 0x80) {
      const byte = this.#bytes[this.#at++]!;
      number += (byte & 0x7f) * scale;
      if (byte < 0x80 && number < 2 ** 32) return number;
    }
    throw this.bad("a whole number of 32 bits that has no end");
  }

  /** Reads a double. */
  double(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** Reads so many bytes: a copy of them. */
  raw(length: number): Uint8Array<ArrayBuffer> {
    const start = this.#take(length);
    return new Uint8Array(this.#bytes.subarray(start, this.#at));
  }

  /** Reads a bigint without its tag. */
  bigint(): bigint {
    const bits = this.varint();
    const length = bits >>> 1;
    const start = this.#take(length);
    const digits = () => Buffer.from(this.#bytes.subarray(start, this.#at)).reverse().toString("hex");
    const magnitude = length === 8 ? this.#view.getBigUint64(start, true) : this.#made(() => BigInt(`0x0${digits()}`));
    return (bits & 1) === 1 ? -magnitude : magnitude;
  }

  /** Reads a string with its tag. */
  string(tag: number = this.tag()): string {
    const length = this.varint();
    const start = this.#take(length);
    if (tag === TEXT.oneByte) {
      return length > MAX_KEPT_TEXT ? latin1Slice.call(this.#bytes, start, this.#at) : this.#short(start);
    }
    if (tag === TEXT.utf8) return UTF8.decode(this.#bytes.subarray(start, this.#at));
    if (tag !== TEXT.twoByte || length % 2 === 1) throw this.bad(`${length} bytes of text after byte ${tag}`);
    return ucs2Slice.call(this.#bytes, start, this.#at);
  }

  #short(start: number): string {
    const bytes = this.#bytes;
    const end = this.#at;
    let hash = 0;
    for (let i = start; i < end; i++) hash = Math.imul(hash, 31) + bytes[i]! | 0;
    hash &= keptTexts.length - 1;
    const kept = keptTexts[hash]!;
    if (kept.length === end - start) {
      let i = start;
      while (i < end && kept.charCodeAt(i - start) === bytes[i]) i++;
      if (i === end) return kept;
    }
    return keptTexts[hash] = latin1Slice.call(bytes, start, end);
  }
}
