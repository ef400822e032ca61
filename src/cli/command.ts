/**
 * What a command is. One table of these (commands.ts) drives parsing, help and completions, so they cannot disagree.
 *
 * @module
 */

import { UsageError } from "./errors.ts";
import type { Output } from "./output.ts";

/** What a shell may offer in some place of the command line. */
export type Completion = "file" | "directory" | "command" | readonly string[];

/** An argument by position. */
export interface Argument {
  name: string;
  optional?: boolean;
  completion?: Completion;
}

/** An option. Without `value` it is a switch. */
export interface Option {
  /** Without the dashes. The same name means the same kind of option in every command. */
  name: string;
  /** What its value is called in help. */
  value?: string;
  about: string;
  completion?: Completion;
}

/** A command, ready to be run, explained and completed. */
export interface Command {
  name: string;
  aliases?: readonly string[];
  args: readonly Argument[];
  /** The ways to call it, where the arguments alone do not tell: what comes after the command's name. */
  forms?: readonly string[];
  options: readonly Option[];
  /** One line for the list of commands. */
  summary: string;
  /** What else there is to know, in lines that are already broken. */
  description: string;
  /** What `--json` prints, for help; absent where it changes nothing but errors. */
  json?: string;
  /** One example: a line to type, and what it does or prints. */
  example: readonly string[];
  /**
   * Whether Ctrl-C lets it put things in order first. Others leave nothing behind, so the signal just ends them, also
   * in the middle of synchronous work, where no handler would be heard.
   */
  endsGently?: (args: readonly string[]) => boolean;
  /** Does it and returns the exit status. */
  run: (context: Context) => Promise<number> | number;
}

/** What a running command gets. */
export interface Context {
  command: Command;
  dir: string;
  /** Arguments by position, as typed. */
  args: readonly string[];
  /** How many of `args` stood in front of `--`; the others mean themselves even where they look special. */
  plainArgs: number;
  /** Options given: a text, or `true` for switches. */
  options: ReadonlyMap<string, string | true>;
  json: boolean;
  quiet: boolean;
  /** How long to keep trying while another process holds the store's lock. */
  waitMs: number;
  /** Aborted by Ctrl-C, with an `Interrupted` as its reason. */
  signal: AbortSignal;
  out: Output;
  /** One line for people on standard error; nothing under `--quiet`. */
  note: (text: string) => void;
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
