/**
 * What a command consists of. Parsing, help and completions all follow the one table of commands (command_table.ts), so
 * they cannot disagree.
 *
 * @module
 */

import type { Output } from "../input_output/output.ts";

/** What a shell offers for an argument or an option's value. */
export type Completion = "file" | "directory" | "command" | readonly string[];

/** An argument by position. */
export interface Argument {
  name: string;
  optional?: boolean;
  completion?: Completion;
}

/** An option of a command. It is a switch if it has no `value`. */
export interface Option {
  /** The name without dashes. Options of one name are of one kind in every command. */
  name: string;
  /** The name of its value in help. */
  value?: string;
  about: string;
  completion?: Completion;
}

/** A command: how to run, explain and complete it. */
export interface Command {
  name: string;
  aliases?: readonly string[];
  args: readonly Argument[];
  /** The ways to call it, without the command's name. Default: its arguments. */
  forms?: readonly string[];
  options: readonly Option[];
  /** One line for the list of commands. */
  summary: string;
  /** The rest of the help, with its line breaks. */
  description: string;
  /** What `--json` prints, for help. Absent if the option affects errors only. */
  json?: string;
  /** An example: a line to type, then what it prints. */
  example: readonly string[];
  /**
   * Whether the command finishes what it must after Ctrl-C. The signal just kills other commands, which leave nothing
   * behind; so it works during synchronous work too, when no handler would run.
   */
  endsGently?: (args: readonly string[]) => boolean;
  /** Runs the command and returns the exit status. */
  run: (context: Context) => Promise<number> | number;
}

/** What a command is run with. */
export interface Context {
  command: Command;
  dir: string;
  /** Arguments by position, as typed. */
  args: readonly string[];
  /** How many of `args` stood before `--`. The others have no special meaning: `-` is a value, not standard input. */
  plainArgs: number;
  /** The given options: the value, or `true` for a switch. */
  options: ReadonlyMap<string, string | true>;
  json: boolean;
  quiet: boolean;
  /** How long to keep trying while another process has the store locked. */
  waitMs: number;
  /** Aborted by Ctrl-C, with an `Interrupted` as the reason. */
  signal: AbortSignal;
  /** Runs synchronous work that may take seconds. A signal just kills the process meanwhile, as no handler would run. */
  killable: (work: () => void) => void;
  out: Output;
  /** Prints a line on standard error, except under `--quiet`. */
  note: (text: string) => void;
}
