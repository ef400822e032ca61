/**
 * The fields of what lies on disk, one by one, with names and meanings: what `log --bytes` shows. Each field's offset
 * is that of the field before it plus its length, as in the format itself.
 *
 * @module
 */

import { fitted, grouped } from "../text/format.ts";
import { escaped, keyText } from "../text/notation.ts";
import type { LogRecord, LogSegment } from "./items.ts";

/** A long key, or a value, shows this much of itself. */
const SHOWN_BYTES = 64;

/** A field: where it begins in the file, its bytes as far as they were read, and what they say. */
export interface Field {
  offset: number;
  bytes: Uint8Array;
  /** Its whole length; more than `bytes` where a key or value is shown in part. */
  length: number;
  name: string;
  meaning: string;
}

const KINDS = { set: 1, delete: 2, clear: 3, mark: 4 } as const;
const VALUE_TYPES = ["bytes", "a string in UTF-8", "JSON", "a string in UTF-16"] as const;

/** The fields of a segment's header. */
export function headerFields(segment: LogSegment): Field[] {
  const fields = new Fields(segment.header, 0);
  fields.take(8, "magic", (bytes) => `"${text(bytes)}": this is a segment`);
  fields.take(4, "format version", (bytes) => String(u32(bytes)));
  fields.take(4, "segment number", (bytes) => String(u32(bytes)));
  fields.take(16, "store id", () => "the same in every file of this store");
  fields.take(4, "salt", () => "random; seeds the checksums, so that no other file's bytes pass");
  fields.take(4, "inputs", (bytes) => inputsMeaning(u32(bytes)));
  for (const input of segment.inputs) fields.take(4, "input", () => `segment ${input} was compacted into this one`);
  fields.take(4, "checksum", () => "CRC-32 of all bytes before it");
  return fields.all;
}

function inputsMeaning(number: number): string {
  return number === 0
    ? "none: written by the store, not by compaction"
    : `written by compaction, from ${number} segments`;
}

/** The fields of a record. */
export function recordFields(record: LogRecord): Field[] {
  const fields = new Fields(record.head, record.offset);
  const flags = record.head[9] ?? 0;
  fields.take(4, "header checksum", () => "CRC-32 from here to the end of the key, seeded with salt and offset");
  fields.take(
    4,
    "value checksum",
    () => record.intact ? "CRC-32 of the value: fits" : "CRC-32 of the value: DOES NOT FIT",
  );
  fields.take(1, "kind", () => `${KINDS[record.kind]}: ${record.kind}`);
  fields.take(1, "flags", () => flagsMeaning(flags, record.kind));
  const keyBytes = u16(fields.take(2, "key length", (bytes) => grouped(u16(bytes))));
  fields.take(4, "value length", (bytes) => grouped(u32(bytes)));
  fields.take(8, "sequence", () => `${grouped(record.sequence)}: of two records of a key, the higher one counts`);
  if ((flags & 16) !== 0) fields.take(8, "expiry", () => expiryText(record));
  if (keyBytes > 0) {
    fields.take(
      keyBytes,
      "key",
      () => record.key === undefined ? "" : fitted(keyText(record.key), SHOWN_BYTES).trimEnd(),
    );
  }
  if (record.mark !== undefined) {
    fields.take(4, "mark: segment", (bytes) => `everything in segment ${u32(bytes)} …`);
    fields.take(4, "mark: offset", (bytes) => `… before offset ${grouped(u32(bytes))} would survive a power cut`);
  } else if (record.valueBytes > 0) {
    fields.take(record.valueBytes, "value", () => valuePreview(record));
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

/** When a record expires, for people. */
export function expiryText(record: LogRecord): string {
  return record.expiresAt === undefined ? "" : timeText(record.expiresAt);
}

/** Milliseconds since 1970, for people. */
export function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? grouped(ms) : date.toISOString();
}

/** The beginning of a record's value, as far as it was read, on one line. */
export function valuePreview(record: LogRecord): string {
  const { mark, kind, valueType, valueBytes, head } = record;
  if (kind === "mark") {
    return mark === undefined ? "" : `synced to segment ${mark.segment}, offset ${grouped(mark.offset)}`;
  }
  if (kind === "clear") return "everything before it is gone";
  if (kind === "delete") return "";
  const start = 24 + ((head[9] ?? 0) & 16 ? 8 : 0) + u16(head.subarray(10));
  const bytes = head.subarray(start, start + valueBytes);
  const more = bytes.length < valueBytes ? "…" : "";
  if (valueType === "bytes") return hex(bytes) + more;
  if (((head[9] ?? 0) >> 1 & 3) === 3) return escaped(codeUnits(bytes)) + more;
  // `stream` holds back a character that the cut went through.
  return escaped(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes, { stream: more !== "" })) + more;
}

/** UTF-16 that may hold lone surrogates, which is what it is used for; a decoder would replace them. */
function codeUnits(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at + 1 < bytes.length; at += 2) text += String.fromCharCode(u16(bytes.subarray(at)));
  return text;
}

/** Bytes as pairs of hexadecimal digits. */
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

  take(length: number, name: string, meaning: (bytes: Uint8Array) => string): Uint8Array {
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
