/**
 * The one error class of the store. What went wrong is in `code`, which is stable; the message is for people.
 *
 * @module
 */

import { codeOf, messageOf } from "./kinds.ts";

/**
 * What went wrong, in one word that programs may rely on.
 *
 * | code | meaning |
 * |---|---|
 * | `LOCKED` | another process, worker or open store holds the writer lock |
 * | `CORRUPT` | bytes that must be intact are not: the message names file, offset and reason |
 * | `CLOSED` | the store, snapshot or iterator was closed before the call |
 * | `READ_ONLY` | a writing call on a store that was opened read-only |
 * | `NOT_FOUND` | there is no store in the directory, and none was to be created; or no such version of a key in the log |
 * | `FORMAT` | the files belong to a newer version, or to something else |
 * | `IO` | the operating system refused; its error is in `cause` |
 * | `FAILED` | an earlier fsync failed: reading goes on, writing does not until the store is opened again |
 * | `TRIMMED` | the log does not have what was asked for: changes for a watch, which are gone or never were, or, on a read-only store, a file that a snapshot needs and the writer has removed |
 */
export type ErrorCode =
  | "LOCKED"
  | "CORRUPT"
  | "CLOSED"
  | "READ_ONLY"
  | "NOT_FOUND"
  | "FORMAT"
  | "IO"
  | "FAILED"
  | "TRIMMED";

/** Where damage was met: the file's name within the store's directory and a byte offset in it. */
export interface DamagePlace {
  /** Name of the file, relative to the store's directory. */
  file: string;
  /** Byte offset in the file. */
  offset: number;
  /** What does not check out. */
  reason: string;
}

/** What marks the errors of every copy of this class. */
const BRAND = Symbol.for("@kvstore/kvstore: KvStoreError");

/**
 * Every failure of the store that is not a mistake of the caller (those are `TypeError`s and `RangeError`s).
 *
 * @example Telling a damaged record from other failures
 * ```ts
 * import { KvStoreError } from "@kvstore/kvstore";
 *
 * const details = { file: "00000001.seg", offset: 44, reason: "checksum of a value" };
 * const error = new KvStoreError("CORRUPT", "a value is damaged", details);
 * if (error.code === "CORRUPT") console.error(error.file, error.offset);
 * ```
 */
export class KvStoreError extends Error {
  /** Always `"KvStoreError"`. */
  override readonly name = "KvStoreError";
  /** What went wrong, for programs. */
  readonly code: ErrorCode;
  /** For `CORRUPT`: the damaged file's name, relative to the store's directory. */
  readonly file?: string;
  /** For `CORRUPT`: the byte offset of the damage in `file`. */
  readonly offset?: number;
  /** For `CORRUPT`: what does not check out. */
  readonly reason?: string;
  /** For `TRIMMED` of a watch: the log has every version above this number. A watch `since` it would have begun. */
  readonly historyFloor?: number;

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }

  /**
   * Whether something is an error of a store. Unlike `instanceof` it also knows those of another copy of the package:
   * a program that both imports and requires it has two, and a test runner may load one for each file.
   *
   * @example
   * ```ts
   * import { KvStore, KvStoreError } from "@kvstore/kvstore";
   *
   * const store = await KvStore.open("./data", { create: false }).catch((error: unknown) => {
   *   if (KvStoreError.is(error) && error.code === "NOT_FOUND") return undefined;
   *   throw error;
   * });
   * await store?.close();
   * ```
   */
  static is(thing: unknown): thing is KvStoreError {
    return (thing as { [BRAND]?: boolean } | null | undefined)?.[BRAND] === true;
  }

  /**
   * An error with its code.
   *
   * @param code what went wrong, for programs
   * @param message what went wrong, for people
   * @param details the place of damage, the error beneath, or how far back the log goes
   */
  constructor(
    code: ErrorCode,
    message: string,
    details: Partial<DamagePlace> & { cause?: unknown; historyFloor?: number } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.file !== undefined) this.file = details.file;
    if (details.offset !== undefined) this.offset = details.offset;
    if (details.reason !== undefined) this.reason = details.reason;
    if (details.historyFloor !== undefined) this.historyFloor = details.historyFloor;
  }
}

/** A `CORRUPT` error for a place in a file. */
export function corrupt(file: string, offset: number, reason: string): KvStoreError {
  return new KvStoreError("CORRUPT", `${file} is damaged at byte ${offset}: ${reason}`, { file, offset, reason });
}

/** Runs `action`; what the operating system throws becomes an `IO` error that says what was being done. */
export function asIo<T>(doing: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw ioError(doing, error);
  }
}

/** An `IO` error around what the operating system reported; a `KvStoreError` is passed through as it is. */
export function ioError(doing: string, error: unknown): KvStoreError {
  if (error instanceof KvStoreError) return error;
  const hint = isOutOfDescriptors(error) ? "; no file descriptor is left: raise the limit (ulimit -n)" : "";
  return new KvStoreError("IO", `cannot ${doing}: ${messageOf(error)}${hint}`, { cause: error });
}

/** Whether what a reader needs was in a file that the writer has removed since: after a refresh it is elsewhere. */
export function isTrimmed(error: unknown): boolean {
  return error instanceof KvStoreError && error.code === "TRIMMED";
}

/** Whether an error of the operating system says that the process, or the machine, has no file descriptor left. */
export function isOutOfDescriptors(error: unknown): boolean {
  return ["EMFILE", "ENFILE"].includes(String(codeOf(error)));
}

/** Whether an operation failed because the disk, or the user's share of it, is full. Not a sync: a failed one is final. */
export function isDiskFull(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOSPC" || code === "EDQUOT" || (code === "IO" && isDiskFull((error as KvStoreError).cause));
}

/**
 * Runs an fsync; if it fails, that is `FAILED`, never `IO`: the kernel may have dropped the pages and report success
 * the next time (Rebello et al., "Can Applications Recover from fsync Failures?", 2020), so nobody may try again and go
 * on.
 */
export function asSync<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw syncFailure(what, error);
  }
}

/** The error of a failed fsync. */
export function syncFailure(what: string, cause: unknown): KvStoreError {
  return new KvStoreError("FAILED", `fsync of ${what} failed: ${messageOf(cause)}; open the store again to write`, {
    cause,
  });
}
