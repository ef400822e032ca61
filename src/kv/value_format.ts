/**
 * What the writer and the reader of values share of V8's serialisation format: the tags that values begin with, limits,
 * and how objects beside plain ones and arrays stand in it. `KINDS` has them by their tags, which are letters and signs.
 *
 * @module
 */

import * as types from "node:util/types";
import type { ValueReader } from "./value_reader.ts";
import type { ValueWriter } from "./value_writer.ts";

/** The version that is written: each V8 since 2022 reads it. */
export const WRITTEN_VERSION = 15;
/** The versions that are read: before 14, views had no flags; 16, which Deno writes, is the same for what is read. */
export const READ_VERSIONS = { from: 13, to: 16 };

/** The first byte, before the version. */
export const VERSION = 0xff;
/** The tags of texts, and a byte that may stand before any tag. */
export const TEXT = { oneByte: 0x22, twoByte: 0x63, utf8: 0x53, padding: 0x00 } as const;
/** The tags of numbers. */
export const NUMBER = { int32: 0x49, uint32: 0x55, double: 0x4e, bigint: 0x5a } as const;
/** The tags of plain objects and arrays, and of what stands for an object or for a hole. */
export const OBJECT = { plain: 0x6f, dense: 0x41, sparse: 0x61, reference: 0x5e, view: 0x56, hole: 0x2d } as const;
/** What their properties end with. */
export const END = { plain: 0x7b, dense: 0x24, sparse: 0x40 } as const;

/** The values that are no more than a tag. */
export const CONSTANTS: [unknown, number][] = [[undefined, 0x5f], [null, 0x30], [true, 0x54], [false, 0x46]];

/**
 * How deep objects may be nested: each runtime has stack for more, on reading as on writing, also for a caller that is
 * some thousand calls deep itself. Deno writes about 4,000 levels and reads 2,000 back.
 */
export const MAX_DEPTH = 1000;

/** An array is thought to take memory for at most so many places that are not filled: beyond, engines keep a map. */
const MAX_PLACES = 100_000;
/** What a value may reserve beyond its size: 256 MiB. */
const MAX_RESERVED = 2 ** 28;

/** What is wrong with more. */
export const TOO_MUCH_RESERVED = "holes and buffers that can grow take much more memory than the rest of the value";

/** Memory for the length of a sparse array. */
export function placesBytes(length: number): number {
  return 8 * Math.min(length, MAX_PLACES);
}

/** Whether a value of so many bytes may reserve so much for holes and for buffers that can grow. */
export function mayReserve(reservedBytes: number, valueBytes: number): boolean {
  return reservedBytes <= MAX_RESERVED + 4 * valueBytes;
}

/** How the objects of a kind stand after their tag. */
interface Kind {
  /** Writes one. */
  write?(to: ValueWriter, object: object): void;
  /**
   * Makes one of the bytes that come first; a view, of the buffer before it. If an engine refuses to, the bytes are no
   * value.
   */
  make(from: ValueReader, buffer?: ArrayBuffer): object;
  /** Reads the values in it, which may refer to it. */
  fill?(from: ValueReader, object: object): void;
}

/** The byte of a tag. */
export const code = (tag: string): number => tag.charCodeAt(0);

/** The flags of a regular expression, by their bits from the lowest on. V8's `l` is of no use outside of it. */
const REGEXP_FLAGS = Array.from("gimyus.dv");

/** The classes of errors that are kept, and their tags in the same order. All others are read as `Error`. */
const ERRORS = [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];
const ERROR_TAGS = "ERFSTU";

/** The names of the classes of views, and their tags in the same order. Node 20 has no Float16Array. */
const VIEWS = ["Int8", "Uint8", "Uint8Clamped", "Int16", "Uint16", "Int32", "Uint32", "BigInt64", "BigUint64"]
  .concat("Float16", "Float32", "Float64").map((element) => `${element}Array`).concat("DataView");
const VIEW_TAGS = "bBCwWdDqQhfF?";
const VIEW_CLASSES = VIEWS.map((name) => Reflect.get(globalThis, name));
/** The name of a typed array's class, whatever its prototype. */
const nameOfArray = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Int8Array.prototype), Symbol.toStringTag)!
  .get!;
/** Flags of a view: its length follows that of its buffer; its buffer can be resized. */
const TRACKS_LENGTH = 1;
const IS_RESIZABLE = 2;

/** What the types of ES2022 do not know of a buffer. */
interface Growable extends ArrayBuffer {
  resizable: boolean;
  maxByteLength: number;
  /** Node 20 does not tell. */
  detached: boolean;
}

/** The kind of a primitive that is an object. The writer and the reader have the primitive under one name. */
function boxed({ prototype }: { prototype: object }, primitive: "double" | "bigint" | "string"): Kind {
  return {
    write: (to, object) => to[primitive](prototype.valueOf.call(object) as never),
    make: (from) => Object(from[primitive]()),
  };
}

/** The kinds of objects beside plain ones and arrays, by their tags. */
export const KINDS: Record<string, Kind> = {
  D: {
    write: (to, date) => to.double(Date.prototype.getTime.call(date)),
    make: (from) => new Date(from.double()),
  },
  V: {
    write(to, view: ArrayBufferView) {
      const tag = VIEW_TAGS[VIEWS.indexOf(nameOfArray.call(view) ?? "DataView")];
      if (tag === undefined) throw refused(view);
      const flags = (view.buffer as Growable).resizable ? IS_RESIZABLE : 0;
      for (const number of [code(tag), view.byteOffset, view.byteLength, flags]) to.varint(number);
    },
    make(from, buffer) {
      const kind = VIEW_CLASSES[VIEW_TAGS.indexOf(String.fromCharCode(from.varint()))];
      const offset = from.varint();
      if (kind === undefined || buffer === undefined) throw from.bad("a view of no buffer, or of no class");
      const length = from.varint() / (kind.BYTES_PER_ELEMENT ?? 1);
      const flags = from.version >= 14 ? from.varint() : 0;
      // The constructors take a fraction for the whole number below it.
      if (!Number.isInteger(length)) throw from.bad("a view of a fraction of an element");
      return new kind(buffer, offset, (flags & TRACKS_LENGTH) === 0 ? length : undefined);
    },
  },
  ";": {
    // A copy, as of a set: a getter of what is in it may change it.
    write: (to, map) => to.values(Array.from(Map.prototype.entries.call(map)).flat(), code(":")),
    make: () => new Map(),
    fill(from, map: Map<unknown, unknown>) {
      const list = from.values(code(":"));
      if (list.length % 2 === 1) throw from.bad("a map that ends with a key");
      for (let i = 0; i < list.length; i += 2) map.set(list[i], list[i + 1]);
    },
  },
  "'": {
    write: (to, set) => to.values(Array.from(Set.prototype.values.call(set)), code(",")),
    make: () => new Set(),
    fill: (from, set: Set<unknown>) => from.values(code(",")).forEach((one) => set.add(one)),
  },
  B: {
    write(to, buffer: Growable) {
      if (buffer.detached) throw new TypeError("An ArrayBuffer is detached and could not be cloned.");
      to.varint(buffer.byteLength);
      to.raw(new Uint8Array(buffer));
    },
    make: (from) => from.raw(from.varint()).buffer,
  },
  r: {
    write(to, error: Error) {
      const name = String(error.name);
      const kind = ERRORS.findIndex((one) => one.name === name);
      if (kind >= 0) to.byte(ERROR_TAGS.charCodeAt(kind));
      const { stack } = error;
      const message = Object.getOwnPropertyDescriptor(error, "message") ?? {};
      const cause = Object.getOwnPropertyDescriptor(error, "cause") ?? {};
      if ("value" in message) writePartOfError(to, "m", String(message.value));
      if (typeof stack === "string") writePartOfError(to, "s", stack);
      if ("value" in cause) writePartOfError(to, "c", cause.value);
      to.byte(code("."));
    },
    make: () => define(new Error(), "stack", undefined, false),
    fill(from, error: Error) {
      for (let tag = from.tag(); tag !== code("."); tag = from.tag()) {
        const kind = ERRORS[ERROR_TAGS.indexOf(String.fromCharCode(tag))];
        if (kind !== undefined) Object.setPrototypeOf(error, kind.prototype);
        else if (tag === code("m")) define(error, "message", from.string(), false);
        else if (tag === code("s")) define(error, "stack", from.string(), false);
        else if (tag === code("c")) define(error, "cause", from.value(), false);
        else throw from.bad(`byte ${tag} in an error`);
      }
    },
  },
  R: {
    write(to, { source, flags }: RegExp) {
      to.string(source);
      to.varint(REGEXP_FLAGS.reduce((bits, flag, i) => flags.includes(flag) ? bits | 1 << i : bits, 0));
    },
    make(from) {
      const source = from.string();
      const bits = from.varint();
      if (bits >= 2 ** REGEXP_FLAGS.length) throw from.bad(`flags ${bits} of a regular expression`);
      return new RegExp(source, REGEXP_FLAGS.filter((_, i) => (bits >> i & 1) === 1).join(""));
    },
  },
  "~": {
    write(to, buffer: Growable) {
      to.reservedBytes += buffer.maxByteLength;
      to.varint(buffer.byteLength);
      to.varint(buffer.maxByteLength);
      to.raw(new Uint8Array(buffer));
    },
    make(from) {
      const length = from.varint();
      const maxByteLength = from.varint();
      const bytes = from.raw(length);
      from.addReserved(maxByteLength);
      const buffer: ArrayBuffer = Reflect.construct(ArrayBuffer, [length, { maxByteLength }]);
      new Uint8Array(buffer).set(bytes);
      return buffer;
    },
  },
  n: boxed(Number, "double"),
  z: boxed(BigInt, "bigint"),
  s: boxed(String, "string"),
  y: { make: () => Object(true) },
  x: { make: () => Object(false) },
};

/** The tag of an object's kind, if it is one of `KINDS`. */
export function tagOf(object: object): string | undefined {
  if (types.isDate(object)) return "D";
  if (ArrayBuffer.isView(object)) return "V";
  if (types.isMap(object)) return ";";
  if (types.isSet(object)) return "'";
  if (types.isNativeError(object)) return "r";
  if (types.isRegExp(object)) return "R";
  if (types.isArrayBuffer(object)) return (object as Growable).resizable ? "~" : "B";
  if (!types.isBoxedPrimitive(object)) return undefined;
  if (types.isNumberObject(object)) return "n";
  if (types.isBigIntObject(object)) return "z";
  if (types.isStringObject(object)) return "s";
  if (types.isBooleanObject(object)) return object.valueOf() ? "y" : "x";
}

/** Gives an object a property, whatever its prototype has under that name. */
export function define<T extends object>(target: T, key: string, value: unknown, enumerable: boolean): T {
  return Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}

/** The error for what structured clone refuses. Deno KV throws this class, and not a `DOMException`. */
export function refused(value: unknown): TypeError {
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

function writePartOfError(to: ValueWriter, tag: string, part: unknown): void {
  to.byte(code(tag));
  to.value(part);
}
