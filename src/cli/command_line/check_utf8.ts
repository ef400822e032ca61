/**
 * What was typed, checked for bytes that are no text. Runtimes put U+FFFD in the place of bytes that are not UTF-8, so
 * that different keys would become one; such an argument is refused.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { UsageError } from "./errors.ts";
import process from "node:process";

const REPLACEMENT = "\ufffd";

/** Throws a `UsageError` if an argument is not what was typed, or if that cannot be told. */
export function checkTyped(argv: readonly string[]): void {
  if (!argv.some((arg) => arg.includes(REPLACEMENT))) return;
  const raw = rawStrings("cmdline").slice(-argv.length);
  const wrong = argv.findIndex((arg, i) => arg.includes(REPLACEMENT) && !raw[i]?.equals(Buffer.from(arg)));
  if (wrong < 0) return;
  throw new UsageError(
    `argument ${wrong + 1} is not UTF-8 (it arrived as "${argv[wrong]}"); keys that are no text go in base64 with ` +
      "--key-base64, values through standard input or --file, and names of files have to be text",
  );
}

/** The directory that `KVSTORE_DIR` names; throws a `UsageError` if it is not UTF-8. */
export function directoryOfEnvironment(): string | undefined {
  const name = "KVSTORE_DIR";
  const refusal = new UsageError(`${name} is not UTF-8; wanted the path of a directory, as text`, { general: true });
  let dir: string | undefined;
  try {
    dir = process.env[name];
  } catch (error) {
    // Deno says so itself.
    throw (error as Error).name === "InvalidData" ? refusal : error;
  }
  if (!dir?.includes(REPLACEMENT)) return dir;
  const typed = Buffer.from(`${name}=${dir}`);
  if (rawStrings("environ").some((one) => one.equals(typed))) return dir;
  throw refusal;
}

/**
 * The bytes that this process was started with, or nothing where they cannot be had: on systems other than Linux, in Deno
 * without all permissions, and below npm, which has put in U+FFFD itself by then.
 */
function rawStrings(name: "cmdline" | "environ"): Buffer[] {
  if (process.env.npm_command !== undefined) return [];
  let bytes: Buffer;
  try {
    bytes = readFileSync(`/proc/self/${name}`);
  } catch {
    return [];
  }
  const strings: Buffer[] = [];
  for (let start = 0, end = 0; end >= 0 && start < bytes.length; start = end + 1) {
    end = bytes.indexOf(0, start);
    strings.push(bytes.subarray(start, end < 0 ? bytes.length : end));
  }
  return strings;
}
