/**
 * Writes keys and values as JSON, for `export` and `--json`, and keys as text, for lists.
 *
 * | stored | written |
 * |---|---|
 * | key, a string | a JSON string |
 * | key, bytes | `{"base64":"…"}` |
 * | value, bytes | `{"base64":"…"}` |
 * | value, a string | a JSON string; a lone surrogate as `\udXXX` |
 * | value, JSON | itself; an object whose only key is `base64` or `json` as `{"json":…}` |
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { BatchOperation, Change, Key, Value } from "../../../mod.ts";
import { InputError } from "../command_line/errors.ts";
import { checkBounds, parseJson } from "./json_text.ts";
import { escaped, isWellFormed } from "./printable.ts";

/** Converts a key to its JSON form. */
export function keyForm(key: Key): string | { base64: string } {
  return typeof key === "string" ? key : { base64: toBase64(key) };
}

/** Converts a value to its JSON form. */
export function valueForm(value: Value): unknown {
  if (ArrayBuffer.isView(value)) return { base64: toBase64(value) };
  return isWrapper(value) ? { json: value } : value;
}

/** Returns the line of an export for an entry, without the line feed. */
export function entryLine(key: Key, value: Value, expiresAt?: number): string {
  const expiry = expiresAt === undefined ? "" : `,"expiresAt":${expiresAt}`;
  return `{"key":${JSON.stringify(keyForm(key))},"value":${JSON.stringify(valueForm(value))}${expiry}}`;
}

/** Returns the line of JSON for a change, without the line feed. */
export function changeLine(change: Change): string {
  const { seq, type } = change;
  if (change.type === "clear") return JSON.stringify({ seq, type });
  const key = keyForm(change.key);
  if (change.type === "delete") return JSON.stringify({ seq, type, key });
  // `JSON.stringify` leaves an undefined `expiresAt` out.
  return JSON.stringify({ seq, type, key, value: valueForm(change.value), expiresAt: change.expiresAt });
}

const FIELDS = ["key", "value", "expiresAt"];

/** What stores a line. */
export type SetOperation = BatchOperation & { type: "set" };

/** Parses a line of an export. Throws an `InputError` that says what was wanted. */
export function parseEntry(line: string): SetOperation {
  // A value is in the object of the line, and maybe in `{"json":…}`.
  const entry = parseJson(line, { outerLevels: 2, wanted: '{"key":…,"value":…}' });
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    throw new InputError('wanted an object, {"key":…,"value":…}');
  }
  for (const name in entry) {
    if (!FIELDS.includes(name)) {
      throw new InputError(`unknown field "${name}"; wanted "key", "value" and optionally "expiresAt"`);
    }
  }
  const { key, value, expiresAt } = entry as { key?: unknown; value?: unknown; expiresAt?: unknown };
  if (value === undefined) throw new InputError('no "value"; wanted {"key":…,"value":…}');
  if (value === Infinity || value === -Infinity) {
    throw new InputError("the value is a number that is too large for JavaScript");
  }
  if (!isWrapper(value)) checkBounds(line, 1);
  const checked = parseKey(key);
  const problem = keyProblem(checked);
  if (problem !== undefined) throw new InputError(problem);
  return { type: "set", key: checked, value: parseValue(value), expiresAt: parseExpiry(expiresAt) };
}

function parseExpiry(given: unknown): number | undefined {
  if (given === undefined || (Number.isSafeInteger(given) && (given as number) >= 0)) {
    return given as number | undefined;
  }
  throw new InputError('"expiresAt" is not a whole number of milliseconds since 1970');
}

function parseKey(form: unknown): Key {
  if (typeof form === "string") return form;
  if (form === undefined) throw new InputError('no "key"; wanted {"key":…,"value":…}');
  const bytes = isWrapper(form) && "base64" in form ? parseBase64(form.base64) : undefined;
  if (bytes === undefined) throw new InputError('the key is neither a string nor {"base64":"…"}');
  return bytes;
}

function parseValue(form: unknown): Value {
  if (!isWrapper(form)) return form as Value;
  if ("json" in form) return form.json as Value;
  const bytes = parseBase64(form.base64);
  if (bytes === undefined) throw new InputError('the value\'s "base64" is not base64 text');
  return bytes;
}

const LIMIT_KEY_BYTES = 65_535;

/** Returns why the library would refuse a key, so that the error can name the argument or line. */
export function keyProblem(key: Key): string | undefined {
  if (typeof key !== "string") {
    return key.length > LIMIT_KEY_BYTES
      ? `the key has ${key.length} bytes; the limit is ${LIMIT_KEY_BYTES}`
      : undefined;
  }
  if (!isWellFormed(key)) return "the key has a lone surrogate, so it is not text; wanted a string or base64";
  if (key.length * 3 <= LIMIT_KEY_BYTES) return undefined;
  const bytes = Buffer.byteLength(key);
  return bytes > LIMIT_KEY_BYTES ? `the key has ${bytes} bytes in UTF-8; the limit is ${LIMIT_KEY_BYTES}` : undefined;
}

/** Whether a value is an object whose only key is `base64` or `json`. */
function isWrapper(form: unknown): form is { base64: unknown } | { json: unknown } {
  if (typeof form !== "object" || form === null || Array.isArray(form)) return false;
  const names = Object.keys(form);
  return names.length === 1 && (names[0] === "base64" || names[0] === "json");
}

/** Encodes bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

/** Decodes base64. Returns `undefined` for anything that `toBase64` would not write. */
export function parseBase64(text: unknown): Uint8Array | undefined {
  if (typeof text !== "string") return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? new Uint8Array(bytes) : undefined;
}

/**
 * Writes a key on one line: its escaped text, or `base64:…` if its bytes are not text. If the text itself begins with
 * `base64:`, its first letter is escaped, so that different keys always look different.
 */
export function keyText(key: Key): string {
  const text = typeof key === "string" ? key : decodeText(key);
  if (text === undefined) return `base64:${toBase64(key as Uint8Array)}`;
  return text.startsWith("base64:") ? `\\u0062${escaped(text.slice(1))}` : escaped(text);
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes UTF-8. Returns `undefined` if the bytes are not UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}
