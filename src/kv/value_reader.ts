/**
 * Reads values in V8's serialisation format.
 *
 * Whatever the bytes are, this ends with a value or an error, in time linear in their number. No length in them is
 * believed: a string or buffer must lie within them, arrays grow by what is there, containers are nested at most
 * `MAX_DEPTH` deep, and `mayReserve` bounds what holes and buffers that can grow reserve.
 *
 * @module
 */

import { isArrayBuffer } from "node:util/types";
import { ByteReader } from "./byte_reader.ts";
import {
  ERROR_CLASSES,
  ERROR_TAG,
  MAX_DEPTH,
  mayReserve,
  placesBytes,
  READ_VERSIONS,
  REGEXP_FLAGS,
  TAG,
  TRACKS_LENGTH,
  VIEW_CLASSES,
} from "./value_format.ts";

type Properties = Record<string | number, unknown>;

/** Reads one value. */
export class ValueReader extends ByteReader {
  #depth = 0;
  #reservedBytes = 0;
  readonly #version: number;
  /** Everything that a reference can name, in the order in which it begins. */
  readonly #objects: unknown[] = [];

  constructor(bytes: Uint8Array) {
    super(bytes);
    this.at = 1;
    this.#version = this.varint();
    const { from, to } = READ_VERSIONS;
    if (this.#version < from || this.#version > to) {
      throw this.bad(`version ${this.#version} of the format, wanted is one from ${from} to ${to}`);
    }
  }

  /** Reads the value, which must end where the bytes do. */
  read(): unknown {
    const value = this.#value();
    if (this.at !== this.bytes.length) throw this.bad("more bytes than the value has");
    return value;
  }

  #value(): unknown {
    const tag = this.tag();
    switch (tag) {
      case TAG.oneByte:
        return this.oneByte();
      case TAG.int32:
        return this.int32();
      case TAG.double:
        return this.double();
      case TAG.undefined:
        return undefined;
      case TAG.null:
        return null;
      case TAG.true:
        return true;
      case TAG.false:
        return false;
      case TAG.twoByte:
      case TAG.utf8:
        return this.longText(tag);
      case TAG.reference:
        return this.#viewed(this.#referred());
      case TAG.object: {
        this.#descend();
        const object = this.#object();
        this.#depth--;
        return object;
      }
      case TAG.dense: {
        this.#descend();
        const array = this.#dense();
        this.#depth--;
        return array;
      }
      default:
        return this.#rarer(tag);
    }
  }

  /** The values that are rarer: apart, so that the calls for nested objects and arrays take less stack. */
  #rarer(tag: number): unknown {
    switch (tag) {
      case TAG.sparse:
      case TAG.map:
      case TAG.set:
      case TAG.error: {
        this.#descend();
        const container = this.#container(tag);
        this.#depth--;
        return container;
      }
      case TAG.bigint:
        return this.bigint();
      case TAG.uint32:
        return this.varint();
      case TAG.date:
        return this.#kept(new Date(this.double()));
      case TAG.trueObject:
      case TAG.falseObject:
        return this.#kept(Object(tag === TAG.trueObject));
      case TAG.numberObject:
        return this.#kept(Object(this.double()));
      case TAG.bigintObject:
        return this.#kept(Object(this.bigint()));
      case TAG.stringObject:
        return this.#kept(Object(this.string()));
      case TAG.regExp:
        return this.#kept(this.#regExp());
      case TAG.buffer:
        return this.#viewed(this.#kept(this.#buffer()));
      case TAG.resizable:
        return this.#viewed(this.#kept(this.#resizable()));
      case TAG.host:
        throw this.bad("an object of Deno's own (Blob, CryptoKey, DOMException), which is not read here");
      default:
        throw this.bad(`a value begins with byte ${tag}, which no type has`);
    }
  }

  #descend(): void {
    if (++this.#depth > MAX_DEPTH) throw this.bad(`nested more than ${MAX_DEPTH} deep`);
  }

  #referred(): unknown {
    const id = this.varint();
    if (id >= this.#objects.length) throw this.bad(`a reference to object ${id} of ${this.#objects.length}`);
    return this.#objects[id];
  }

  /** Keeps what later bytes may refer to. */
  #kept<T>(thing: T): T {
    this.#objects.push(thing);
    return thing;
  }

  #object(): Properties {
    const object = this.#kept<Properties>({});
    this.#properties(object, TAG.objectEnd);
    return object;
  }

  /** Reads pairs of names and values up to an end tag, which their number follows. */
  #properties(target: Properties | unknown[], endTag: number): void {
    let count = 0;
    for (let tag = this.tag(); tag !== endTag; tag = this.tag(), count++) {
      const key = tag === TAG.oneByte ? this.name() : this.#rarerKey(tag);
      const value = this.#value();
      if (Array.isArray(target)) this.#setOfArray(target, key, value);
      else if (key === "__proto__") define(target, key, value);
      else (target as Properties)[key] = value;
    }
    this.#endsWith(count, "properties");
  }

  #endsWith(count: number, what: string): void {
    const wanted = this.varint();
    if (wanted !== count) throw this.bad(`${count} ${what}, wanted are ${wanted}`);
  }

  #rarerKey(tag: number): string | number {
    if (tag === TAG.int32) return this.int32();
    if (tag === TAG.uint32) return this.varint();
    if (tag === TAG.double) return this.double();
    if (tag === TAG.twoByte || tag === TAG.utf8) return this.longText(tag);
    throw this.bad(`the name of a property begins with byte ${tag}`);
  }

  /** Sets an element, or a named property other than `length`, which would make room for what is not there. */
  #setOfArray(array: unknown[], key: string | number, value: unknown): void {
    const isElement = typeof key === "number" && Number.isInteger(key) && key >= 0;
    if (isElement ? key >= array.length : key === "length") throw this.bad(`element ${key} of ${array.length}`);
    if (isElement && !Object.is(key, -0)) array[key] = value;
    else define(array, String(key), value);
  }

  #dense(): unknown[] {
    const length = this.varint();
    const array = this.#kept<unknown[]>([]);
    for (let i = 0; i < length; i++) {
      if (this.bytes[this.at] !== TAG.hole) array.push(this.#value());
      else array.length = i + 1, this.at++;
    }
    this.#properties(array, TAG.denseEnd);
    this.#endsWith(length, "elements");
    return array;
  }

  #sparse(): unknown[] {
    const length = this.varint();
    this.#reserve(placesBytes(length));
    const array = this.#kept<unknown[]>([]);
    // An element far out makes an engine keep a map; setting the length alone would make room.
    if (length > 0) array[length - 1] = undefined, delete array[length - 1];
    this.#properties(array, TAG.sparseEnd);
    this.#endsWith(length, "elements");
    return array;
  }

  #reserve(bytes: number): void {
    this.#reservedBytes += bytes;
    if (mayReserve(this.#reservedBytes, this.bytes.length)) return;
    throw this.bad("holes and buffers that can grow take much more memory than the value");
  }

  #container(tag: number): unknown {
    if (tag === TAG.sparse) return this.#sparse();
    if (tag === TAG.error) return this.#error();
    let count = 0;
    if (tag === TAG.set) {
      const set = this.#kept(new Set());
      for (; !this.passes(TAG.setEnd); count++) set.add(this.#value());
      this.#endsWith(count, "members");
      return set;
    }
    const map = this.#kept(new Map());
    for (; !this.passes(TAG.mapEnd); count += 2) map.set(this.#value(), this.#value());
    this.#endsWith(count, "keys and values");
    return map;
  }

  #error(): Error {
    // Made before its cause is read, which may refer to it.
    const error = this.#kept(new Error());
    define(error, "stack", undefined, false);
    for (;;) {
      const tag = this.bytes[this.take(1)]!;
      if (tag === ERROR_TAG.end) return error;
      const kind = ERROR_CLASSES.get(tag);
      if (kind !== undefined) Object.setPrototypeOf(error, kind.prototype);
      else if (tag === ERROR_TAG.message) define(error, "message", this.string(), false);
      else if (tag === ERROR_TAG.stack) define(error, "stack", this.string(), false);
      else if (tag === ERROR_TAG.cause) define(error, "cause", this.#value(), false);
      else throw this.bad(`byte ${tag} in an error`);
    }
  }

  #regExp(): RegExp {
    const source = this.string();
    const bits = this.varint();
    if (bits >= 2 ** REGEXP_FLAGS.length) throw this.bad(`flags ${bits} of a regular expression`);
    const flags = Array.from(REGEXP_FLAGS).filter((_, i) => (bits >> i & 1) === 1).join("");
    return this.made("a regular expression", () => new RegExp(source, flags));
  }

  #buffer(): ArrayBuffer {
    const length = this.varint();
    const start = this.take(length);
    return new Uint8Array(this.bytes.subarray(start, start + length)).buffer;
  }

  #resizable(): ArrayBuffer {
    const length = this.varint();
    const maxByteLength = this.varint();
    const start = this.take(length);
    this.#reserve(maxByteLength);
    const buffer = this.made("a buffer", () => new (ArrayBuffer as ResizableConstructor)(length, { maxByteLength }));
    new Uint8Array(buffer).set(this.bytes.subarray(start, start + length));
    return buffer;
  }

  /** A buffer comes before the views of it; other things pass through. */
  #viewed(thing: unknown): unknown {
    if (!isArrayBuffer(thing) || !this.passes(TAG.view)) return thing;
    const tag = this.varint();
    const offset = this.varint();
    const byteLength = this.varint();
    const flags = this.#version >= 14 ? this.varint() : 0;
    const kind = VIEW_CLASSES.get(tag);
    if (kind === undefined) throw this.bad(`a view of class ${tag}, which this runtime does not have`);
    const length = byteLength / (kind.BYTES_PER_ELEMENT ?? 1);
    // The constructors take a fraction for the whole number below it.
    if (!Number.isInteger(length)) throw this.bad("a view of a fraction of an element");
    const view = () => (flags & TRACKS_LENGTH) === 0 ? new kind(thing, offset, length) : new kind(thing, offset);
    return this.#kept(this.made("a view", view));
  }
}

type ResizableConstructor = new (length: number, options: { maxByteLength: number }) => ArrayBuffer;

function define(target: object, key: string, value: unknown, enumerable: boolean = true): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}
