/**
 * The errors of the store. All are of one class. `code` says what went wrong and is stable; the message is for people.
 *
 * @module
 */

import { codeOf, messageOf } from "./kinds.ts";

/**
 * The reason for an error, as a word that programs can rely on.
 *
 * | code | meaning |
 * |---|---|
 * | `LOCKED` | another process, worker or open store holds the writer lock |
 * | `NO_LOCK` | the operating system did not say whether the writer lock is held, or the command `flock` did not |
 * | `CORRUPT` | bytes that must be intact are damaged; the message names file, offset and reason |
 * | `CLOSED` | the store, snapshot or iterator was closed before the call |
 * | `READ_ONLY` | the call writes, and the store was opened read-only |
 * | `NOT_FOUND` | the directory has no store, and the call creates none; or the log does not have that version of the key |
 * | `FORMAT` | the files are of a newer version of the format, or of another program |
 * | `IO` | the operating system reported an error, which is in `cause` |
 * | `FAILED` | the store only reads until it is opened again: an fsync failed, LOCK was changed, a write could not be taken back, or memory ran out |
 * | `TRIMMED` | the log does not have the changes that a watch needs next, or a snapshot of a read-only store needs a file that the writer has removed |
 */
export type ErrorCode =
  | "LOCKED"
  | "NO_LOCK"
  | "CORRUPT"
  | "CLOSED"
  | "READ_ONLY"
  | "NOT_FOUND"
  | "FORMAT"
  | "IO"
  | "FAILED"
  | "TRIMMED";

/** The place of damage in a store's files. */
export interface DamagePlace {
  /** Name of the file, relative to the store's directory. */
  file: string;
  /** Byte offset in the file. */
  offset: number;
  /** What does not check out. */
  reason: string;
}

/** Marks the errors of every copy of this class. */
const BRAND = Symbol.for("@kvstore/kvstore: KvStoreError");

/**
 * The error of every call that fails, unless the caller made a mistake: those are `TypeError`s and `RangeError`s.
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
  /** The reason, for programs. */
  readonly code: ErrorCode;
  /** For `CORRUPT`: the damaged file's name, relative to the store's directory. */
  readonly file?: string;
  /** For `CORRUPT`: the byte offset of the damage in `file`. */
  readonly offset?: number;
  /** For `CORRUPT`: what does not check out. */
  readonly reason?: string;
  /** For `TRIMMED` of a watch: the lowest `since` that a watch can begin with. The log has every version above it. */
  readonly historyFloor?: number;

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }

  /**
   * Whether a value is an error of a store. Unlike `instanceof`, this also recognises errors of another copy of the
   * package: a program that both imports and requires it has two, and a test runner may load one for each file.
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
   * Creates an error.
   *
   * @param code the reason, for programs
   * @param message the reason, for people
   * @param details the place of damage, the cause, or how far back the log goes
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

/** Creates a `CORRUPT` error for a place in a file. */
export function corrupt(file: string, offset: number, reason: string): KvStoreError {
  return new KvStoreError("CORRUPT", `${file} is damaged at byte ${offset}: ${reason}`, { file, offset, reason });
}

/** Runs `action`, which may return a promise, and turns an error into an `IO` error: `cannot ${doing}`. */
export function asIo<T>(doing: string, action: () => T): T {
  return replacingErrors(action, (error) => ioError(doing, error));
}

/** Creates the `IO` error for an error of the operating system. Returns a `KvStoreError` as it is. */
export function ioError(doing: string, error: unknown): KvStoreError {
  if (error instanceof KvStoreError) return error;
  const hint = isOutOfDescriptors(error) ? "; no file descriptor is left: raise the limit (ulimit -n)" : "";
  return new KvStoreError("IO", `cannot ${doing}: ${messageOf(error)}${hint}`, { cause: error });
}

/** Whether a reader came too late for a file that the writer has removed. After a refresh it can read on. */
export function isTrimmed(error: unknown): boolean {
  return error instanceof KvStoreError && error.code === "TRIMMED";
}

/** Whether an error of the operating system means that the process or the machine has no file descriptor left. */
export function isOutOfDescriptors(error: unknown): boolean {
  return ["EMFILE", "ENFILE"].includes(String(codeOf(error)));
}

/** Whether a call failed because the disk, or the user's quota, is full. Never true for `FAILED`, which is final. */
export function isDiskFull(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOSPC" || code === "EDQUOT" || (code === "IO" && isDiskFull((error as KvStoreError).cause));
}

/** An error as that of a full disk: what it stops goes on once there is room. */
export function noSpace(message: string): Error {
  return Object.assign(new Error(message), { code: "ENOSPC" });
}

/**
 * Runs an fsync of `what`, which may return a promise, and turns an error into a `FAILED` one. It is never `IO`, after
 * which the store could try again: the kernel may have dropped the pages and report success the next time (Rebello et
 * al., "Can Applications Recover from fsync Failures?", 2020). `fail` hears of it, and says which error is thrown.
 */
export function asFsync<T>(what: string, action: () => T, fail?: (error: KvStoreError) => KvStoreError): T {
  return replacingErrors(action, (error) => fail === undefined ? syncError(what, error) : fail(syncError(what, error)));
}

/**
 * Runs a sync of the store's directory, after which files with new names may be relied on. The directory has to be opened
 * for it: if no descriptor is left, that is an `IO` error, as nothing has failed. `fail` hears of any other.
 */
export function asNamesSync<T>(action: () => T, fail: (error: KvStoreError) => KvStoreError): T {
  const name = "the store's directory";
  return replacingErrors(
    action,
    (error) => isOutOfDescriptors(error) ? ioError(`open ${name}`, error) : fail(syncError(name, error)),
  );
}

/** Creates the `FAILED` error for an fsync of `what` that failed. */
export function syncError(what: string, cause: unknown): KvStoreError {
  return new KvStoreError("FAILED", `fsync of ${what} failed: ${messageOf(cause)}; open the store again to write`, {
    cause,
  });
}

/** Runs `action`, and replaces the error that it throws or that its promise rejects with. */
function replacingErrors<T>(action: () => T, replacement: (error: unknown) => KvStoreError): T {
  const fail = (error: unknown): never => {
    throw replacement(error);
  };
  try {
    const result = action();
    return isPromise(result) ? result.then(undefined, fail) as T : result;
  } catch (error) {
    return fail(error);
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
