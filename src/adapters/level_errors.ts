/**
 * Errors of the store with Level's codes.
 *
 * @module
 */
import { type ErrorCode, KvStoreError } from "../../mod.ts";

/** Level's code for each code of the store that it has one for. */
const CODES: Partial<Record<ErrorCode, string>> = {
  LOCKED: "LEVEL_LOCKED",
  NO_LOCK: "LEVEL_IO_ERROR",
  CORRUPT: "LEVEL_CORRUPTION",
  CLOSED: "LEVEL_DATABASE_NOT_OPEN",
  READ_ONLY: "LEVEL_READONLY",
  IO: "LEVEL_IO_ERROR",
  FAILED: "LEVEL_IO_ERROR",
};

/** Makes an error with a code, as Level's own errors have. */
export function levelError(code: string, message: string, cause?: unknown): Error & { code: string } {
  return Object.assign(new Error(message, { cause }), { code });
}

/** Gives an error of the store Level's code, with the original as its cause. Other errors stay as they are. */
function asLevelError(error: unknown): unknown {
  const code = KvStoreError.is(error) ? CODES[error.code] : undefined;
  return code === undefined ? error : levelError(code, (error as Error).message, error);
}

/** Runs a synchronous `action` and gives the errors of the store Level's codes. */
export function withLevelErrors<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw asLevelError(error);
  }
}

/** Awaits `action` and gives the errors of the store Level's codes. */
export async function withLevelErrorsLater<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw asLevelError(error);
  }
}
