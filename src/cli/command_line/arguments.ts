/**
 * What several commands take from the command line in the same way: keys, prefixes, files.
 *
 * @module
 */

import type { Key, Range } from "../../../mod.ts";
import { keyProblem, parseBase64 } from "../text/notation.ts";
import type { Context, Option } from "./definition.ts";
import { UsageError } from "./errors.ts";

/** The option that makes every KEY and PREFIX of a command base64. */
export const KEY_OPTION: Option = { name: "key-base64", about: "KEY or PREFIX is base64, for keys that are no text" };

/** The key that stands at `position` among the arguments. */
export function keyArgument(context: Context, position: number): Key {
  const typed = context.args[position]!;
  const key = hasSwitch(context, "key-base64") ? parseBase64(typed) : typed;
  const name = context.command.args[position]!.name;
  if (key === undefined) {
    throw new UsageError(`${name} is "${typed}"; wanted base64, as --key-base64 says`);
  }
  const problem = keyProblem(key);
  if (problem !== undefined) throw new UsageError(problem);
  return key;
}

/** The keys that PREFIX, `--limit` and `--reverse` select. */
export function rangeArguments(context: Context): Range {
  const range: Range = {};
  if (context.args.length > 0) range.prefix = keyArgument(context, 0);
  const limit = optionText(context, "limit");
  if (limit !== undefined) range.limit = wholeNumber(limit, "--limit", 0);
  if (hasSwitch(context, "reverse")) range.reverse = true;
  return range;
}

/** The argument at `position`, or `-` where it is absent: a file's name, or standard input or output. */
export function fileArgument(context: Context, position: number): string {
  const name = context.args[position] ?? "-";
  if (name === "") throw new UsageError("FILE is empty; wanted the name of a file");
  return name;
}

/** Whether a switch was given. */
export function hasSwitch(context: Context, name: string): boolean {
  return context.options.has(name);
}

/** The text of an option, if it was given. */
export function optionText(context: Context, name: string): string | undefined {
  const value = context.options.get(name);
  return typeof value === "string" ? value : undefined;
}

/** An option, or another text of the command line, as a whole number from `least` on. */
export function wholeNumber(text: string, what: string, least: number): number {
  const number = /^[0-9]+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new UsageError(`${what} is "${text}"; wanted a whole number from ${least} on`);
}

const UNITS_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** The longest time that the store takes. */
const LONGEST_MS = 2 ** 52;

/**
 * A time span in milliseconds: a number and its unit. A bare number is refused, as it would mean seconds to the one and
 * milliseconds to the other.
 */
export function durationMs(text: string, what: string): number {
  const [, number = "", unit = ""] = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS_MS[unit] ?? NaN);
  if (ms > LONGEST_MS) throw new UsageError(`${what} is "${text}"; wanted at most ${LONGEST_MS}ms`);
  if (ms > 0) return ms;
  throw new UsageError(`${what} is "${text}"; wanted a number above 0 with ms, s, m, h or d behind it, such as 10m`);
}
