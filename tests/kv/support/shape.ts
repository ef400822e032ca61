/**
 * Values as text: two values have the same text if structured clone would make no difference between them.
 *
 * @module
 */

import * as types from "node:util/types";

/** Classes of errors that are kept. */
const CLASSES = ["EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"];

/** Describes a value, everything in it, and which of its objects are one and the same. */
export function shape(value: unknown): string {
  return describe(value, new Map());
}

function describe(value: unknown, seen: Map<object, number>): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
  const known = seen.get(value);
  if (known !== undefined) return `#${known}`;
  seen.set(value, seen.size);
  const part = (one: unknown) => describe(one, seen);
  if (types.isDate(value)) return `Date ${value.getTime()}`;
  if (types.isRegExp(value)) return `RegExp ${JSON.stringify(value.source)} ${value.flags}`;
  if (types.isMap(value)) return `Map {${Array.from(value).flat().map(part)}}`;
  if (types.isSet(value)) return `Set {${Array.from(value, part)}}`;
  if (types.isArrayBuffer(value)) return describeBuffer(value);
  if (types.isArrayBufferView(value)) {
    const name = Object.prototype.toString.call(value).slice(8, -1);
    return `${name} ${value.byteOffset}+${value.byteLength} of ${part(value.buffer)}`;
  }
  if (types.isBoxedPrimitive(value)) return `boxed ${typeof value.valueOf()} ${part(value.valueOf())}`;
  if (types.isNativeError(value)) {
    const own = ["message", "cause"].filter((name) => Object.hasOwn(value, name));
    const parts = own.map((name) => `${name}: ${part((value as unknown as Record<string, unknown>)[name])}`);
    return `${CLASSES.includes(value.name) ? value.name : "Error"} {${parts} ${part(value.stack)}}`;
  }
  const entries = Object.keys(value).map((key) =>
    `${JSON.stringify(key)}: ${part((value as Record<string, unknown>)[key])}`
  );
  return Array.isArray(value) ? `[${value.length} ${entries}]` : `{${entries}}`;
}

function describeBuffer(buffer: ArrayBuffer): string {
  const { resizable, maxByteLength } = buffer as ArrayBuffer & { resizable?: boolean; maxByteLength?: number };
  return `ArrayBuffer ${new Uint8Array(buffer)}${resizable ? ` up to ${maxByteLength}` : ""}`;
}
