/**
 * The fields of headers and records, with their names and meanings, for `log --bytes`. The offset of each field is the
 * end of the field before it, as in the format.
 *
 * @module
 */

import { fitted, grouped } from "../text/format.ts";
import { keyText } from "../text/notation.ts";
import { escaped } from "../text/printable.ts";
import type { LogRecord, LogSegment } from "./items.ts";

/** The most bytes shown of a key or value. */
const SHOWN_BYTES = 64;

/** A field: where it begins in the file, its bytes, and what they mean. */
export interface Field {
  offset: number;
  bytes: Uint8Array;
  /** Its length. `bytes` has fewer if a key or value is shown in part. */
  length: number;
  name: string;
  meaning: string;
}

const KINDS = { set: 1, delete: 2, clear: 3, mark: 4 } as const;
const VALUE_TYPES = ["bytes", "a string in UTF-8", "JSON", "a string in UTF-16"] as const;

/** Returns the fields of a segment's header. */
export function headerFields(segment: LogSegment): Field[] {
  const fields = new Fields(segment.header, 0);
  fields.add(8, "magic", (bytes) => `"${text(bytes)}": this is a segment`);
  fields.add(4, "format version", (bytes) => String(u32(bytes)));
  fields.add(4, "segment number", (bytes) => String(u32(bytes)));
  fields.add(16, "store id", () => "the same in every file of this store");
  fields.add(4, "salt", () => "random; seeds the checksums, so bytes of another file do not pass");
  fields.add(4, "inputs", (bytes) => inputsMeaning(u32(bytes)));
  for (const input of segment.inputs) fields.add(4, "input", () => `segment ${input} was compacted into this one`);
  fields.add(4, "checksum", () => "CRC-32 of all bytes before it");
  return fields.all;
}

function inputsMeaning(number: number): string {
  return number === 0
    ? "none: written by the store, not by compaction"
    : `written by compaction, from ${number} segments`;
}

/** Returns the fields of a record. */
export function recordFields(record: LogRecord): Field[] {
  const fields = new Fields(record.head, record.offset);
  const flags = record.head[9] ?? 0;
  fields.add(4, "header checksum", () => "CRC-32 from here to the end of the key, seeded with salt and offset");
  fields.add(
    4,
    "value checksum",
    () => record.intact ? "CRC-32 of the value: fits" : "CRC-32 of the value: DOES NOT FIT",
  );
  fields.add(1, "kind", () => `${KINDS[record.kind]}: ${record.kind}`);
  fields.add(1, "flags", () => flagsMeaning(flags, record.kind));
  const keyBytes = u16(fields.add(2, "key length", (bytes) => grouped(u16(bytes))));
  fields.add(4, "value length", (bytes) => grouped(u32(bytes)));
  fields.add(8, "sequence", () => `${grouped(record.sequence)}: of a key's records, the one with the highest counts`);
  if ((flags & 16) !== 0) fields.add(8, "expiry", () => expiryText(record));
  if (keyBytes > 0) {
    fields.add(
      keyBytes,
      "key",
      () => record.key === undefined ? "" : fitted(keyText(record.key), SHOWN_BYTES).trimEnd(),
    );
  }
  if (record.mark !== undefined) {
    fields.add(4, "mark: segment", (bytes) => `segment ${u32(bytes)} is durable`);
    fields.add(4, "mark: offset", (bytes) => `before offset ${grouped(u32(bytes))}: those bytes survive a power cut`);
  } else if (record.valueBytes > 0) {
    fields.add(record.valueBytes, "value", () => valuePreview(record));
  }
  return fields.all;
}

function flagsMeaning(flags: number, kind: LogRecord["kind"]): string {
  const parts: string[] = [];
  if (kind === "set" || kind === "delete") {
    parts.push((flags & 1) !== 0 ? "key given as a string" : "key given as bytes");
  }
  if (kind === "set") parts.push(`value is ${VALUE_TYPES[((flags >> 1) & 3) as 0 | 1 | 2 | 3]}`);
  if ((flags & 8) !== 0) parts.push("the batch goes on");
  if ((flags & 16) !== 0) parts.push("has an expiry");
  return `${flags.toString(2).padStart(5, "0")} in binary${parts.length > 0 ? ": " : ""}${parts.join(", ")}`;
}

/** Formats the time of expiry of a record. */
export function expiryText(record: LogRecord): string {
  return record.expiresAt === undefined ? "" : timeText(record.expiresAt);
}

/** Formats milliseconds since 1970. */
export function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? grouped(ms) : date.toISOString();
}

/** Writes the beginning of a record's value on one line. */
export function valuePreview(record: LogRecord): string {
  const { mark, kind, valueType, valueBytes, head } = record;
  if (kind === "mark") {
    return mark === undefined ? "" : `durable up to segment ${mark.segment}, offset ${grouped(mark.offset)}`;
  }
  if (kind === "clear") return "deletes everything before it";
  if (kind === "delete") return "";
  const start = 24 + ((head[9] ?? 0) & 16 ? 8 : 0) + u16(head.subarray(10));
  const bytes = head.subarray(start, start + valueBytes);
  const more = bytes.length < valueBytes ? "…" : "";
  if (valueType === "bytes") return hex(bytes) + more;
  if (((head[9] ?? 0) >> 1 & 3) === 3) return escaped(codeUnits(bytes)) + more;
  // `stream` leaves out a character that is cut in two.
  return escaped(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes, { stream: more !== "" })) + more;
}

/** Decodes UTF-16. The store uses it for strings with lone surrogates, which a decoder would replace. */
function codeUnits(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at + 1 < bytes.length; at += 2) text += String.fromCharCode(u16(bytes.subarray(at)));
  return text;
}

/** Writes bytes as pairs of hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

class Fields {
  readonly all: Field[] = [];
  readonly #source: Uint8Array;
  readonly #base: number;
  #at = 0;

  constructor(source: Uint8Array, base: number) {
    this.#source = source;
    this.#base = base;
  }

  add(length: number, name: string, meaning: (bytes: Uint8Array) => string): Uint8Array {
    const bytes = this.#source.subarray(this.#at, this.#at + length);
    const shown = bytes.subarray(0, SHOWN_BYTES);
    this.all.push({ offset: this.#base + this.#at, bytes: shown, length, name, meaning: meaning(bytes) });
    this.#at += length;
    return bytes;
  }
}

function u16(bytes: Uint8Array): number {
  return (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
}

function u32(bytes: Uint8Array): number {
  return (u16(bytes) | (u16(bytes.subarray(2)) << 16)) >>> 0;
}

function text(bytes: Uint8Array): string {
  return escaped(String.fromCharCode(...bytes));
}
