/**
 * Reads arguments and options of a command, and checks them.
 *
 * @module
 */

import type { Key } from "../../../mod.ts";
import { parseDuration } from "../text/duration.ts";
import { keyProblem, parseBase64 } from "../text/notation.ts";
import type { Context, Option } from "./definition.ts";
import { UsageError } from "./errors.ts";

/** The option with which a command takes KEY and PREFIX as base64. */
export const KEY_OPTION: Option = { name: "key-base64", about: "KEY or PREFIX is base64, for keys that are not text" };

/** Returns the key at a position among the arguments. */
export function keyArgument(context: Context, position: number): Key {
  const typed = context.args[position]!;
  const key = hasSwitch(context, "key-base64") ? parseBase64(typed) : typed;
  const { args } = context.command;
  const { name } = args[position] ?? args.at(-1)!;
  if (key === undefined) {
    throw new UsageError(`${name} is "${typed}"; wanted base64, because of --key-base64`);
  }
  const problem = keyProblem(key);
  if (problem !== undefined) throw new UsageError(problem);
  return key;
}

/** Returns the keys of a command that takes one or more. */
export function keyArguments(context: Context): Key[] {
  return context.args.map((_, position) => keyArgument(context, position));
}

/** Returns the name of the file at a position, or `-` for standard input or output if it is absent. */
export function fileArgument(context: Context, position: number): string {
  const name = context.args[position] ?? "-";
  if (name === "") throw new UsageError("FILE is empty; wanted a file name");
  return name;
}

/** Whether a switch was given. */
export function hasSwitch(context: Context, name: string): boolean {
  return context.options.has(name);
}

/** Returns the value of an option, if it was given. */
export function optionText(context: Context, name: string): string | undefined {
  const value = context.options.get(name);
  return typeof value === "string" ? value : undefined;
}

/** Parses a whole number that is at least `least`. `what` names it in the error. */
export function wholeNumber(text: string, what: string, least: number): number {
  const number = /^[0-9]+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new UsageError(`${what} is "${text}"; wanted a whole number of at least ${least}`);
}

/** The longest time to live that the store takes. */
const LONGEST_MS = 2 ** 52;

/** Parses a duration to milliseconds. `what` names it in the error. */
export function durationMs(text: string, what: string): number {
  const ms = parseDuration(text);
  if (ms > LONGEST_MS) throw new UsageError(`${what} is "${text}"; wanted at most ${LONGEST_MS}ms`);
  if (ms > 0) return ms;
  throw new UsageError(
    `${what} is "${text}"; wanted a number above 0 and a unit (ms, s, m, h or d), such as 10m or 1h30m`,
  );
}
