/**
 * Writes values in V8's serialisation format, byte for byte as V8 does as far as a program can tell what V8 sees (see
 * values.ts).
 *
 * @module
 */

import * as types from "node:util/types";
import { ByteWriter, isInt32 } from "./byte_writer.ts";
import {
  ERROR_CLASSES,
  ERROR_TAG,
  IS_RESIZABLE,
  MAX_DEPTH,
  mayReserve,
  placesBytes,
  REGEXP_FLAGS,
  TAG,
  VIEW_CLASSES,
} from "./value_format.ts";

const ERROR_TAGS = new Map(Array.from(ERROR_CLASSES, ([tag, { name }]) => [name, tag]));
const VIEW_TAGS = new Map(Array.from(VIEW_CLASSES, ([tag, { name }]) => [name, tag]));
const classOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;

/** Objects that structured clone refuses and that no predicate of `node:util/types` knows, by their tags. */
const REFUSED =
  /^(?:Promise|WeakMap|WeakSet|WeakRef|FinalizationRegistry|(?:Async)?(?:Generator|DisposableStack)|.* Iterator|Iterator (?:Helper|Wrap.*)|Module|Arguments|Blob|File|FileList|CryptoKey|DOMException|MessagePort|(?:Readable|Writable|Transform)Stream|(?:Intl|Temporal|WebAssembly)\..*)$/;

/** What the types of ES2022 do not know of a buffer. */
interface Growable {
  resizable?: boolean;
  maxByteLength: number;
}

/** Writes one value after the other. */
export class ValueWriter extends ByteWriter {
  #depth = 0;
  #reservedBytes = 0;
  /** The number of each object that was written, for references to it. */
  readonly #ids = new Map<object, number>();

  /** Returns the bytes of a value. */
  write(value: unknown): Uint8Array<ArrayBuffer> {
    try {
      this.begin();
      this.#value(value);
      if (!mayReserve(this.#reservedBytes, this.at)) {
        throw new TypeError("a value whose holes and buffers that can grow take much more memory than the rest of it");
      }
      return this.end();
    } finally {
      this.#ids.clear();
      this.#depth = this.#reservedBytes = 0;
    }
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case "string":
        return this.string(value);
      case "number":
        return this.number(value);
      case "object":
        return value === null ? this.byte(TAG.null) : this.#receiver(value);
      case "boolean":
        return this.byte(value ? TAG.true : TAG.false);
      case "undefined":
        return this.byte(TAG.undefined);
      case "bigint":
        return this.bigint(TAG.bigint, value);
      default:
        throw refused(value);
    }
  }

  #receiver(object: object): void {
    const id = this.#ids.get(object);
    if (id !== undefined) return this.tagged(TAG.reference, id);
    if (++this.#depth > MAX_DEPTH) throw new RangeError(`a value that is nested more than ${MAX_DEPTH} deep`);
    if (types.isProxy(object)) throw refused(object);
    if (Array.isArray(object)) this.#array(this.#numbered(object));
    else if (isPlain(object)) this.#object(this.#numbered(object));
    else this.#rarer(object);
    this.#depth--;
  }

  #numbered<T extends object>(object: T): T {
    this.#ids.set(object, this.#ids.size);
    return object;
  }

  #object(object: object): void {
    this.byte(TAG.object);
    this.tagged(TAG.objectEnd, this.#properties(object, Object.keys(object), 0));
  }

  /** Writes names and values; returns how many. A getter may have removed what comes after it. */
  #properties(object: object, keys: string[], from: number): number {
    let count = 0;
    for (let i = from; i < keys.length; i++) {
      const key = keys[i]!;
      const value = (object as Record<string, unknown>)[key];
      if (value === undefined && !Object.hasOwn(object, key)) continue;
      const index = indexOf(key);
      if (index < 0) this.string(key);
      else this.number(index);
      this.#value(value);
      count++;
    }
    return count;
  }

  #array(array: unknown[]): void {
    const { length } = array;
    const keys = Object.keys(array);
    // Names of elements come first, so this one stands here only if there is an element everywhere.
    if (length > 0 && keys[length - 1] !== String(length - 1)) {
      this.#reservedBytes += placesBytes(length);
      this.tagged(TAG.sparse, length);
      this.tagged(TAG.sparseEnd, this.#properties(array, keys, 0));
    } else {
      this.tagged(TAG.dense, length);
      if (areDoubles(array)) {
        for (const number of array) this.taggedDouble(number);
      } else {
        for (let i = 0; i < length; i++) this.#value(array[i]);
      }
      this.tagged(TAG.denseEnd, this.#properties(array, keys, length));
    }
    this.varint(length);
  }

  #rarer(object: object): void {
    if (types.isArrayBufferView(object)) return this.#arrayView(object);
    this.#numbered(object);
    if (types.isNativeError(object)) return this.#error(object);
    if (types.isDate(object)) {
      this.byte(TAG.date);
      this.double(Date.prototype.getTime.call(object));
    } else if (types.isMap(object)) {
      this.byte(TAG.map);
      // A copy: a getter of what is in it may change it.
      const entries = Array.from(Map.prototype.entries.call(object)).flat();
      for (const one of entries) this.#value(one);
      this.tagged(TAG.mapEnd, entries.length);
    } else if (types.isSet(object)) {
      this.byte(TAG.set);
      const members = Array.from(Set.prototype.values.call(object));
      for (const one of members) this.#value(one);
      this.tagged(TAG.setEnd, members.length);
    } else if (types.isRegExp(object)) {
      this.byte(TAG.regExp);
      this.string(object.source);
      this.varint(Array.from(object.flags).reduce((bits, flag) => bits | 1 << REGEXP_FLAGS.indexOf(flag), 0));
    } else if (types.isBoxedPrimitive(object)) this.#boxed(object);
    else if (types.isAnyArrayBuffer(object)) this.#buffer(object);
    else if (REFUSED.test(Object.prototype.toString.call(object).slice(8, -1))) throw refused(object);
    else this.#object(object);
  }

  #boxed(object: object): void {
    if (types.isSymbolObject(object)) throw refused(object);
    const value: unknown = object.valueOf();
    if (types.isBooleanObject(object)) this.byte(value ? TAG.trueObject : TAG.falseObject);
    else if (types.isBigIntObject(object)) this.bigint(TAG.bigintObject, value as bigint);
    else if (types.isNumberObject(object)) {
      this.byte(TAG.numberObject);
      this.double(value as number);
    } else {
      this.byte(TAG.stringObject);
      this.string(value as string);
    }
  }

  #buffer(buffer: ArrayBufferLike): void {
    if (types.isSharedArrayBuffer(buffer)) throw refused(buffer);
    const { byteLength } = buffer;
    if (byteLength === 0 && isDetached(buffer)) {
      throw new TypeError("An ArrayBuffer is detached and could not be cloned.");
    }
    const { resizable, maxByteLength } = buffer as ArrayBufferLike & Growable;
    this.tagged(resizable ? TAG.resizable : TAG.buffer, byteLength);
    if (resizable) {
      this.varint(maxByteLength);
      this.#reservedBytes += maxByteLength;
    }
    this.reserve(byteLength);
    this.bytes.set(new Uint8Array(buffer), this.at);
    this.at += byteLength;
  }

  /** A view comes after its buffer, which is written as a whole: views of one buffer share it when they are read. */
  #arrayView(view: ArrayBufferView): void {
    const buffer = view.buffer as ArrayBufferLike & Growable;
    this.#receiver(buffer);
    this.#numbered(view);
    const tag = VIEW_TAGS.get(classOf.call(view) as string ?? "DataView");
    if (tag === undefined) throw refused(view);
    this.tagged(TAG.view, tag);
    this.varint(view.byteOffset);
    this.varint(view.byteLength);
    this.varint(buffer.resizable ? IS_RESIZABLE : 0);
  }

  #error(error: Error): void {
    this.byte(TAG.error);
    const tag = ERROR_TAGS.get(String(error.name));
    if (tag !== undefined) this.byte(tag);
    const message = Object.getOwnPropertyDescriptor(error, "message");
    if (message !== undefined && "value" in message) {
      this.byte(ERROR_TAG.message);
      this.string(String(message.value));
    }
    const { stack } = error;
    if (typeof stack === "string") {
      this.byte(ERROR_TAG.stack);
      this.string(stack);
    }
    const cause = Object.getOwnPropertyDescriptor(error, "cause");
    if (cause !== undefined && "value" in cause) {
      this.byte(ERROR_TAG.cause);
      this.#value(cause.value);
    }
    this.byte(ERROR_TAG.end);
  }
}

/** Whether an object has no internal slots, as far as its prototype tells: not so the arguments of a call, or a module. */
function isPlain(object: object): boolean {
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return !(Symbol.iterator in object && types.isArgumentsObject(object)) &&
    !(prototype === null && types.isModuleNamespaceObject(object));
}

/** Whether V8 keeps an array as doubles: it has numbers alone, one of them not whole. Then it writes all as doubles. */
function areDoubles(array: unknown[]): array is number[] {
  let areWhole = true;
  for (const number of array) {
    if (typeof number !== "number") return false;
    areWhole &&= isInt32(number);
  }
  return !areWhole;
}

/** The number that a property's name is, if it is one that an array's element may have; else −1. */
function indexOf(key: string): number {
  const code = key.charCodeAt(0);
  if (!(code >= 0x30 && code <= 0x39) || key.length > 10) return -1;
  const number = Number(key);
  return Number.isInteger(number) && String(number) === key && number < 2 ** 32 - 1 ? number : -1;
}

/** Node 20 does not tell it. */
function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    return new Uint8Array(buffer).length < 0;
  } catch {
    return true;
  }
}

/** The error for what structured clone refuses. Deno KV throws this class, and not a `DOMException`. */
function refused(value: unknown): TypeError {
  return new TypeError(`${nameOf(value)} could not be cloned.`);
}

/** A value as V8 names it in such errors. */
function nameOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  if (types.isProxy(value)) return Array.isArray(value) ? "[object Array]" : "#<Object>";
  const { constructor, toString } = value;
  const isDirect = constructor?.prototype === Object.getPrototypeOf(value) && toString === Object.prototype.toString;
  return isDirect ? `#<${constructor.name}>` : Object.prototype.toString.call(value);
}
