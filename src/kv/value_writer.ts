/**
 * Writes values in V8's serialisation format, byte for byte as V8 does as far as a program can tell what V8 sees (see
 * values.ts).
 *
 * @module
 */

import { isProxy } from "node:util/types";
import { ByteWriter } from "./byte_writer.ts";
import { code, CONSTANTS, END, KINDS, MAX_DEPTH, mayReserve, NUMBER, OBJECT } from "./value_format.ts";
import { placesBytes, refused, tagOf, TEXT, TOO_MUCH_RESERVED, VERSION, WRITTEN_VERSION } from "./value_format.ts";

const TAG_OF = new Map(CONSTANTS);
const ENCODER = new TextEncoder();
/** Up to this length a loop over the characters beats a call into the runtime. */
const SHORT_TEXT = 32;

/** Objects that structured clone refuses and that no predicate of `node:util/types` knows, by their tags. */
const REFUSED =
  /^(?:Promise|WeakMap|WeakSet|WeakRef|FinalizationRegistry|(?:Async)?(?:Generator|DisposableStack)|.* Iterator|Iterator (?:Helper|Wrap.*)|Module|Arguments|Symbol|SharedArrayBuffer|Blob|File|FileList|CryptoKey|DOMException|MessagePort|(?:Readable|Writable|Transform)Stream|(?:Intl|Temporal|WebAssembly)\..*)$/;

/** Writes one value after the other. After an error it is in the middle of one, and of no use. */
export class ValueWriter extends ByteWriter {
  /** Memory that holes and buffers that can grow take on reading. */
  reservedBytes = 0;
  #depth = 0;
  /** The number of each object that was written, for references to it. */
  readonly #ids = new Map<object, number>();

  /** Returns the bytes of a value. */
  write(value: unknown): Uint8Array<ArrayBuffer> {
    this.tagged(VERSION, WRITTEN_VERSION);
    this.value(value);
    if (!mayReserve(this.reservedBytes, this.at)) throw new TypeError(TOO_MUCH_RESERVED);
    this.reservedBytes = 0;
    this.#ids.clear();
    return this.taken();
  }

  /** Writes a value within the one that is written. */
  value(value: unknown): void {
    if (typeof value === "string") return this.string(value);
    if (typeof value === "number") return this.number(value);
    if (typeof value === "object" && value !== null) return this.#object(value);
    if (typeof value === "bigint") {
      this.byte(NUMBER.bigint);
      return this.bigint(value);
    }
    const tag = TAG_OF.get(value);
    if (tag === undefined) throw refused(value);
    this.byte(tag);
  }

  /** Writes values, and after the tag of their end how many they are. */
  values(values: unknown[], endTag: number): void {
    for (const one of values) this.value(one);
    this.tagged(endTag, values.length);
  }

  #object(object: object): void {
    const id = this.#ids.get(object);
    if (id !== undefined) return this.tagged(OBJECT.reference, id);
    if (++this.#depth > MAX_DEPTH) throw new RangeError(`a value that is nested more than ${MAX_DEPTH} deep`);
    if (isProxy(object)) throw refused(object);
    // Views of one buffer share it when they are read: it comes before them, as a whole.
    if (ArrayBuffer.isView(object)) this.value(object.buffer);
    this.#ids.set(object, this.#ids.size);
    // The arguments of a call look like a plain object, but have an iterator.
    if (Array.isArray(object)) this.#array(object);
    else if (Object.getPrototypeOf(object) === Object.prototype && !(Symbol.iterator in object)) this.#plain(object);
    else this.#rarer(object);
    this.#depth--;
  }

  #plain(object: object): void {
    this.byte(OBJECT.plain);
    this.#properties(object, Object.keys(object), END.plain);
  }

  /** Writes names and values, from one of the names on, and how many they are. */
  #properties(object: object, keys: string[], endTag: number, from: number = 0): void {
    let count = 0;
    for (let i = from; i < keys.length; i++) {
      const key = keys[i]!;
      const value = (object as Record<string, unknown>)[key];
      // A getter may have removed what comes after it.
      if (value === undefined && !Object.hasOwn(object, key)) continue;
      if (isIndex(key)) this.number(Number(key));
      else this.string(key);
      this.value(value);
      count++;
    }
    this.tagged(endTag, count);
  }

  #array(array: unknown[]): void {
    const { length } = array;
    const keys = Object.keys(array);
    // Names of elements come first, so this one stands here only if there is an element everywhere.
    const isDense = length === 0 || keys[length - 1] === String(length - 1);
    this.tagged(isDense ? OBJECT.dense : OBJECT.sparse, length);
    if (!isDense) this.reservedBytes += placesBytes(length);
    const asDoubles = isDense && areDoubles(array);
    for (let i = 0; i < length && isDense; i++) {
      if (asDoubles) this.number(array[i] as number, false);
      else this.value(array[i]);
    }
    this.#properties(array, keys, isDense ? END.dense : END.sparse, isDense ? length : 0);
    this.varint(length);
  }

  #rarer(object: object): void {
    const tag = tagOf(object);
    if (tag !== undefined) {
      this.byte(code(tag));
      KINDS[tag]!.write?.(this, object);
    } else if (REFUSED.test(Object.prototype.toString.call(object).slice(8, -1))) throw refused(object);
    else this.#plain(object);
  }

  /** Writes a whole number of 32 bits without a sign. */
  varint(number: number): void {
    this.reserve(5);
    for (; number >= 0x80; number = Math.floor(number / 0x80)) this.bytes[this.at++] = number & 0x7f | 0x80;
    this.bytes[this.at++] = number;
  }

  /** Writes a tag, and a whole number of 32 bits without a sign. */
  tagged(tag: number, number: number): void {
    this.byte(tag);
    this.varint(number);
  }

  /** Writes a number with its tag. */
  number(number: number, isWhole: boolean = isInt32(number)): void {
    if (isWhole) return this.tagged(NUMBER.int32, (number << 1 ^ number >> 31) >>> 0);
    this.byte(NUMBER.double);
    this.double(number);
  }

  /** Writes a string with its tag. */
  string(text: string): void {
    const { length } = text;
    const start = this.at;
    this.tagged(TEXT.oneByte, length);
    this.reserve(length);
    const { at, bytes } = this;
    let i = 0;
    // ASCII and nothing else fits, character by character, into so many bytes.
    if (length > SHORT_TEXT && ENCODER.encodeInto(text, bytes.subarray(at, at + length)).read === length) i = length;
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0xff) break;
      bytes[at + i] = code;
    }
    this.at += length;
    if (i === length) return;
    this.at = start;
    // The characters stand at an even offset, after a tag and their number with 7 bits a byte.
    const lengthBytes = Math.ceil((32 - Math.clz32(2 * length)) / 7);
    if ((start + 1 + lengthBytes) % 2 === 1) this.byte(TEXT.padding);
    this.tagged(TEXT.twoByte, 2 * length);
    this.reserve(2 * length);
    const characters = new Uint16Array(this.bytes.buffer, this.at, length);
    for (let i = 0; i < length; i++) characters[i] = text.charCodeAt(i);
    this.at += 2 * length;
  }

  /** Writes a bigint without its tag: words of 8 bytes, low bytes first. */
  bigint(bigint: bigint): void {
    const isNegative = bigint < 0n;
    const digits = bigint === 0n ? "" : (isNegative ? -bigint : bigint).toString(16);
    const length = 8 * Math.ceil(digits.length / 16);
    const padded = digits.padStart(2 * length, "0");
    this.varint(2 * length + (isNegative ? 1 : 0));
    for (let i = 2 * length - 2; i >= 0; i -= 2) this.byte(parseInt(padded.slice(i, i + 2), 16));
  }
}

/** Whether V8 keeps an array as doubles: it has numbers alone, one of them not whole. Then it writes all as doubles. */
function areDoubles(array: unknown[]): boolean {
  return typeof array[0] === "number" && !array.every(isInt32) && array.every((one) => typeof one === "number");
}

/** Whether V8 keeps a value as an integer, which −0 is not. */
function isInt32(value: unknown): boolean {
  return typeof value === "number" && (value | 0) === value && !Object.is(value, -0);
}

/** Whether the name of a property is a number that an element of an array may have. */
function isIndex(key: string): boolean {
  return key.charCodeAt(0) <= 0x39 && key !== "4294967295" && String(Number(key) >>> 0) === key;
}
