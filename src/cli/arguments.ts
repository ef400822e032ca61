/**
 * What several commands take from the command line in the same way: keys, prefixes, files.
 *
 * @module
 */

import type { Key, Range } from "../../mod.ts";
import { type Context, hasSwitch, type Option, optionText, wholeNumber } from "./command.ts";
import { UsageError } from "./errors.ts";
import { keyProblem, parseBase64 } from "./notation.ts";

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
