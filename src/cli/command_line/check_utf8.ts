/**
 * Refuses arguments that are not UTF-8. The runtimes replace bytes that are not UTF-8 by U+FFFD, which would turn
 * different keys into one.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { UsageError } from "./errors.ts";
import process from "node:process";

const REPLACEMENT = "\ufffd";

/** Throws a `UsageError` if an argument was not UTF-8, or if it has a U+FFFD and the typed bytes cannot be read. */
export function checkArgumentsAreUtf8(argv: readonly string[]): void {
  if (!argv.some((arg) => arg.includes(REPLACEMENT))) return;
  const raw = rawStrings("cmdline").slice(-argv.length);
  const wrong = argv.findIndex((arg, i) => arg.includes(REPLACEMENT) && !raw[i]?.equals(Buffer.from(arg)));
  if (wrong < 0) return;
  throw new UsageError(
    `argument ${wrong + 1} is not UTF-8 (it arrived as "${argv[wrong]}"); pass keys that are not text as base64 with ` +
      "--key-base64, such values through standard input or --file; file names must be text",
  );
}

/** Returns the directory in `KVSTORE_DIR`. Throws a `UsageError` if it is not UTF-8. */
export function directoryOfEnvironment(): string | undefined {
  const name = "KVSTORE_DIR";
  const refusal = new UsageError(`${name} is not UTF-8; wanted the path of a directory`, { general: true });
  let dir: string | undefined;
  try {
    dir = process.env[name];
  } catch (error) {
    // Deno refuses such a variable itself.
    throw (error as Error).name === "InvalidData" ? refusal : error;
  }
  if (!dir?.includes(REPLACEMENT)) return dir;
  const typed = Buffer.from(`${name}=${dir}`);
  if (rawStrings("environ").some((one) => one.equals(typed))) return dir;
  throw refusal;
}

/**
 * Returns the bytes of the arguments or the environment, or nothing where they cannot be read: on systems other than
 * Linux, in Deno without all permissions, and under npm, which has replaced them itself.
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
