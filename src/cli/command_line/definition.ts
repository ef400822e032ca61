/**
 * What a command is. One table of these (command_table.ts) drives parsing, help and completions, so they cannot disagree.
 *
 * @module
 */

import type { Output } from "../input_output/output.ts";

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
