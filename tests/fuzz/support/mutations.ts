/**
 * Mutations of a store's files: blind ones, and ones that put numbers into fields and correct the checksums, so that
 * they get past these. Each is plain data, so that a case can be kept as text. Places are taken modulo what there is:
 * every mutation can be applied to every store.
 *
 * @module
 */
import { crc32 } from "../../../src/platform/checksum.ts";
import { recordBytes } from "../../support/records.ts";
import type { Kind } from "../../../src/engine/record.ts";
import { FooterImage, type Json } from "./image_file.ts";
import {
  type Field,
  type Files,
  headerBytesOf,
  isIntact,
  LISTED_FIELDS,
  listedAt,
  MANIFEST_FIELDS,
  RECORD_FIELDS,
  recordsOf,
  seedOf,
  SEGMENT_FIELDS,
  viewOf,
} from "./layout.ts";

/** A mutation. `file` is a name in the store's directory. */
export type Mutation =
  | { do: "flip"; file: string; at: number; bit: number }
  | { do: "splice"; file: string; at: number; remove: number; hex: string }
  | { do: "repeat"; file: string; from: number; length: number; at: number; over: boolean }
  | { do: "resize"; file: string; length: number }
  | { do: "swap"; file: string; with: string }
  | { do: "copy"; file: string; to: string }
  | { do: "remove"; file: string }
  /** A field of MANIFEST, of the `of`th segment in it, of a segment's header, or of the `of`th record. */
  | { do: "field"; file: string; field: string; of?: number; value: number | string; forge?: boolean }
  /** The inputs in a segment's header; the records behind them are lost. */
  | { do: "inputs"; file: string; inputs: number[] }
  /** A whole record, in the place of the `of`th and all behind it, or at the end. */
  | { do: "record"; file: string; of?: number; kind: Kind; flags: number; key: string; value: string; sequence: number }
  /** The INDEX's footer: a value in it, or all of its text. */
  | { do: "footer"; path: string[]; value: Json }
  | { do: "footerText"; text: string; times: number }
  /** A number in a table of INDEX. */
  | { do: "table"; partition: number; part: "slots" | "entries" | "arena"; at: number; value: number };

/** Applies a mutation. Returns whether values may be read afterwards that were never written: where it forged some. */
export function apply(files: Files, mutation: Mutation): boolean {
  if (mutation.do === "footer" || mutation.do === "footerText" || mutation.do === "table") {
    applyToImage(files, mutation);
    return false;
  }
  const bytes = files.get(mutation.file)?.slice();
  if (bytes === undefined) return false;
  switch (mutation.do) {
    case "swap": {
      const other = files.get(mutation.with);
      if (other !== undefined) files.set(mutation.file, other).set(mutation.with, bytes);
      return false;
    }
    case "copy":
      files.set(mutation.to, bytes);
      return false;
    case "remove":
      files.delete(mutation.file);
      return false;
    case "field":
      return setField(bytes, mutation, (changed) => files.set(mutation.file, changed));
    case "inputs":
      files.set(mutation.file, withInputs(bytes, mutation.inputs));
      return false;
    case "record":
      files.set(mutation.file, withRecord(bytes, mutation));
      return true;
    default:
      files.set(mutation.file, changed(bytes, mutation));
      return false;
  }
}

type Blind = Extract<Mutation, { do: "flip" | "splice" | "repeat" | "resize" }>;

function changed(bytes: Uint8Array, mutation: Blind): Uint8Array {
  if (mutation.do === "resize") {
    const result = new Uint8Array(mutation.length);
    result.set(bytes.subarray(0, mutation.length));
    return result;
  }
  const at = mutation.at % (bytes.length + 1);
  if (mutation.do === "flip") {
    if (bytes.length > 0) bytes[at % bytes.length]! ^= 1 << mutation.bit;
    return bytes;
  }
  if (mutation.do === "splice") return spliced(bytes, at, mutation.remove, fromHex(mutation.hex));
  const from = mutation.from % (bytes.length + 1);
  const range = bytes.slice(from, from + mutation.length);
  return spliced(bytes, at, mutation.over ? range.length : 0, range);
}

function spliced(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  const rest = bytes.subarray(at + remove);
  const result = new Uint8Array(at + insert.length + rest.length);
  result.set(bytes.subarray(0, at));
  result.set(insert, at);
  result.set(rest, at + insert.length);
  return result;
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Writes a number into a field, cut to its width. */
function put(bytes: Uint8Array, at: number, [offset, width]: Field, value: number | string): void {
  let rest = BigInt.asUintN(64, BigInt(value));
  for (let i = 0; i < width && at + offset + i < bytes.length; i++, rest >>= 8n) {
    bytes[at + offset + i] = Number(rest & 0xffn);
  }
}

function setField(
  bytes: Uint8Array,
  mutation: Extract<Mutation, { do: "field" }>,
  store: (bytes: Uint8Array) => void,
): boolean {
  const { file, field, of = 0, value, forge = false } = mutation;
  const isManifest = file === "MANIFEST";
  if (isManifest || field in SEGMENT_FIELDS) {
    const listed = isManifest ? LISTED_FIELDS[field] : undefined;
    const fixed = isManifest ? MANIFEST_FIELDS[field] : SEGMENT_FIELDS[field];
    const count = bytes.length < 88 ? 0 : Math.floor((bytes.length - 88) / 36);
    if (listed !== undefined && count > 0) put(bytes, listedAt(of % count), listed, value);
    else if (fixed !== undefined) put(bytes, 0, fixed, value);
    seal(bytes, isManifest ? bytes.length : headerBytesOf(bytes));
    store(bytes);
    return false;
  }
  const records = recordsOf(bytes);
  const place = RECORD_FIELDS[field];
  if (records.length === 0 || place === undefined) return false;
  const record = records[of % records.length]!;
  const { offset } = record;
  // What another mutation did to it passes for written from now on.
  const wasIntact = isIntact(bytes, record);
  put(bytes, offset, place, value);
  sealRecordAt(bytes, offset, forge);
  store(bytes);
  return forge || !wasIntact || field === "flags" || field === "kind";
}

/** Makes the last four bytes before `end` the checksum of all before them. */
function seal(bytes: Uint8Array, end: number): void {
  if (end >= 8) viewOf(bytes).setUint32(end - 4, crc32(bytes.subarray(0, end - 4)), true);
}

/** Corrects a record's checksums as far as the file goes; that of the value if `forge`. */
function sealRecordAt(bytes: Uint8Array, offset: number, forge: boolean): void {
  const view = viewOf(bytes);
  const seed = seedOf(bytes, offset);
  const valueStart = offset + ((bytes[offset + 9]! & 16) === 0 ? 24 : 32) + view.getUint16(offset + 10, true);
  const end = valueStart + view.getUint32(offset + 12, true);
  if (forge) view.setUint32(offset + 4, crc32(bytes.subarray(valueStart, end), seed), true);
  view.setUint32(offset, crc32(bytes.subarray(offset + 4, valueStart), seed), true);
}

function withInputs(bytes: Uint8Array, inputs: number[]): Uint8Array {
  const start = headerBytesOf(bytes);
  const header = new Uint8Array(44 + 4 * inputs.length);
  header.set(bytes.subarray(0, 40));
  const view = viewOf(header);
  view.setUint32(36, inputs.length, true);
  inputs.forEach((input, i) => view.setUint32(40 + 4 * i, input, true));
  seal(header, header.length);
  return spliced(bytes, 0, start, header);
}

function withRecord(bytes: Uint8Array, mutation: Extract<Mutation, { do: "record" }>): Uint8Array {
  const { of, kind, flags, key, value, sequence } = mutation;
  const records = recordsOf(bytes);
  const start = of === undefined || records.length === 0 ? bytes.length : records[of % records.length]!.offset;
  if (bytes.length < 44) return bytes;
  const plan = { kind, flags, key, value: fromHex(value), sequence: Math.min(sequence, Number.MAX_SAFE_INTEGER) };
  const salt = viewOf(bytes).getUint32(32, true);
  return spliced(bytes, start, bytes.length, recordBytes(plan, { salt, offset: start }));
}

function applyToImage(files: Files, mutation: Extract<Mutation, { do: "footer" | "footerText" | "table" }>): void {
  const image = FooterImage.parse(files.get("INDEX"));
  if (image === undefined) return;
  if (mutation.do === "footer") image.set(mutation.path, mutation.value);
  else if (mutation.do === "table") image.setInTable(mutation);
  files.set(
    "INDEX",
    mutation.do === "footerText" ? image.withText(mutation.text.repeat(mutation.times)) : image.bytes(),
  );
}
