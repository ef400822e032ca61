/**
 * What goes between Level and the store: keys and values in the form that Level asks for, and errors with Level's codes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type ErrorCode, type Key, KvStoreError, type Value } from "../../mod.ts";

/** A key or value as Level has it encoded. */
export type Data = string | Uint8Array;

/** The forms in which Level may ask for a key or value. */
export type Format = "utf8" | "view" | "buffer";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** A key or value of the store in the form asked for. Values that were not set through Level are its JSON text. */
export function inFormat(data: Key | Value, format: Format): Data {
  if (format === "utf8") return ArrayBuffer.isView(data) ? DECODER.decode(data) : textOf(data);
  const bytes = ArrayBuffer.isView(data) ? data : ENCODER.encode(textOf(data));
  return format === "view" ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textOf(data: Key | Value): string {
  return typeof data === "string" ? data : JSON.stringify(data);
}

/** The codes that Level documents for what may go wrong in a store. */
const CODES: Partial<Record<ErrorCode, string>> = {
  LOCKED: "LEVEL_LOCKED",
  CORRUPT: "LEVEL_CORRUPTION",
  CLOSED: "LEVEL_DATABASE_NOT_OPEN",
  READ_ONLY: "LEVEL_READONLY",
  IO: "LEVEL_IO_ERROR",
  FAILED: "LEVEL_IO_ERROR",
};

/** An error with a code, as Level's own are. */
export function levelError(code: string, message: string, cause?: unknown): Error & { code: string } {
  return Object.assign(new Error(message, { cause }), { code });
}

/** An error of the store with Level's code, and itself as the cause. What Level has no code for stays as it is. */
export function asLevelError(error: unknown): unknown {
  const code = KvStoreError.is(error) ? CODES[error.code] : undefined;
  return code === undefined ? error : levelError(code, (error as Error).message, error);
}

/** Runs `action`; errors of the store come out with Level's codes. */
export function withLevelErrors<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw asLevelError(error);
  }
}

/** Awaits `action`; errors of the store come out with Level's codes. */
export async function withLevelErrorsLater<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw asLevelError(error);
  }
}
