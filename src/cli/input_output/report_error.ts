/**
 * Reports errors on standard error: as a line of text, or as JSON under `--json`.
 *
 * @module
 */

import process from "node:process";
import { type Key, KvStoreError } from "../../../mod.ts";
import type { Context } from "../command_line/definition.ts";
import { EXIT, InputError, UsageError } from "../command_line/errors.ts";
import { keyText } from "../text/notation.ts";
import { onOneLine, printable } from "../text/printable.ts";

/** The most characters of a message. It may quote its cause: a file of any length. */
const LIMIT_MESSAGE = 8000;

/** Prints an error on one line. Escapes what does not print. */
export function reportError(code: string, message: string, json: boolean): void {
  const short = message.length > LIMIT_MESSAGE ? `${message.slice(0, LIMIT_MESSAGE)}…` : message;
  const line = json ? JSON.stringify({ error: { code, message: short } }) : `kvstore: ${short}`;
  process.stderr.write(onOneLine(line) + "\n");
}

/**
 * Reports the error that ended a command and returns the exit status. `place` says where the command stands. The caller
 * prints the usage, if that helps.
 */
export function reportFailure(error: unknown, { json, place }: { json: boolean; place: string }): number {
  if (error instanceof UsageError) {
    reportError("USAGE", place + error.message, json);
    return EXIT.usage;
  }
  const message = place + messageOf(error);
  reportError(codeOf(error), message, json);
  // For reports of unexpected errors.
  const { stack } = (error ?? {}) as { stack?: unknown };
  if (process.env.KVSTORE_DEBUG && stack !== undefined) process.stderr.write(printable(`${stack}\n`));
  return EXIT.failed;
}

/** Returns the message of an error, or anything else that was thrown as text. */
export function messageOf(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown };
  if (isStackOverflow(error)) return "a value is nested more deeply than this runtime can write as JSON";
  return typeof message === "string" ? message : String(error);
}

/** A stack overflow comes from deeply nested JSON, which a version without a limit on nesting has stored. */
function isStackOverflow(error: unknown): boolean {
  return error !== undefined && error !== null && /call stack/.test(String((error as { message?: unknown }).message));
}

function codeOf(error: unknown): string {
  if (isStackOverflow(error)) return "TOO_DEEP";
  if (error instanceof KvStoreError) return error.code;
  if (error instanceof InputError) return "INPUT";
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "UNEXPECTED";
}

/** Reports that a key is not there and returns the exit status. Prints nothing under `--quiet`, as it is no failure. */
export function keyAbsent(context: Context, key: Key): number {
  if (!context.quiet) {
    reportError("KEY_NOT_FOUND", `key not found: ${keyText(key)}`, context.json);
  }
  return EXIT.absent;
}
