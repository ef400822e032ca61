/**
 * Keys and values as text.
 *
 * @module
 */
import type { Key, Value } from "../../mod.ts";

const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** Returns a string as it is, bytes decoded from UTF-8, and any other value as JSON. */
export function textOf(data: Key | Value): string {
  if (typeof data === "string") return data;
  return ArrayBuffer.isView(data) ? DECODER.decode(data) : JSON.stringify(data);
}
