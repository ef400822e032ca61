/**
 * Keys and values in the formats that Level works with.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Key, Value } from "../../mod.ts";
import { textOf } from "./text.ts";

/** A key or value, encoded by Level. */
export type Data = string | Uint8Array;

/** The formats in which Level asks for a key or value. */
export type Format = "utf8" | "view" | "buffer";

const ENCODER = new TextEncoder();

/** Converts a key or value of the store. A value that is neither bytes nor a string was not set through Level: as JSON. */
export function inFormat(data: Key | Value, format: Format): Data {
  if (format === "utf8") return textOf(data);
  const bytes = bytesOf(data);
  return format === "view" ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The bytes of a key or value: of text, its UTF-8. */
export function bytesOf(data: Key | Value): Uint8Array {
  return ArrayBuffer.isView(data) ? data : ENCODER.encode(textOf(data));
}
