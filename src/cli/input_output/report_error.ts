/**
 * Errors on standard error: one line for people, one JSON object for programs.
 *
 * @module
 */

import process from "node:process";
import { type Key, KvStoreError } from "../../../mod.ts";
import type { Context } from "../command_line/definition.ts";
import { EXIT, InputError, UsageError } from "../command_line/errors.ts";
import { keyText } from "../text/notation.ts";

/** Prints an error. Whatever it contains, it is one line and moves no cursor. */
export function reportError(code: string, message: string, json: boolean): void {
  if (json) process.stderr.write(JSON.stringify({ error: { code, message } }) + "\n");
  // deno-lint-ignore no-control-regex
  else process.stderr.write(`kvstore: ${message.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ")}\n`);
}

/** Prints whatever ended a command and returns the exit status. Usage below the message is the caller's. */
export function reportFailure(error: unknown, json: boolean): number {
  if (error instanceof UsageError) {
    reportError("USAGE", error.message, json);
    return EXIT.usage;
  }
  const message = messageOf(error);
  reportError(codeOf(error), message, json);
  // A mistake of ours: whoever wants to report it needs the stack.
  const { stack } = (error ?? {}) as { stack?: unknown };
  if (process.env.KVSTORE_DEBUG && stack !== undefined) process.stderr.write(`${stack}\n`);
  return EXIT.failed;
}

/** What an error says; of anything else that was thrown, what it is as text. */
export function messageOf(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown };
  if (isStackOverflow(error)) return "a value is nested more deeply than this runtime can write as JSON";
  return typeof message === "string" ? message : String(error);
}

/** Of the command's own calls none goes deep: what does is JSON that a version without a bound on nesting has stored. */
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

/** Says that a key is not there: no failure, so nothing under `--quiet`. */
export function keyAbsent(context: Context, key: Key): number {
  if (!context.quiet) {
    reportError("KEY_NOT_FOUND", `key not found: ${keyText(key)}`, context.json);
  }
  return EXIT.absent;
}
