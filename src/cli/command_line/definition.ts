/**
 * What a command consists of. Parsing, help and completions all follow the one table of commands (command_table.ts), so
 * they cannot disagree.
 *
 * @module
 */

import type { Output, Signals } from "../input_output/output.ts";
import type { Session } from "./session.ts";

/** What a shell offers for an argument or an option's value. */
export type Completion = "file" | "directory" | "command" | "key" | readonly string[];

/** An argument by position. */
export interface Argument {
  name: string;
  optional?: boolean;
  /** Whether there may be more of the last argument. */
  repeated?: boolean;
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
  /** Whether it is for scripts of this package only: no list of commands has it. */
  isHidden?: boolean;
  aliases?: readonly string[];
  /** What it is called elsewhere. Not accepted, but an error names this command then. */
  elsewhere?: readonly string[];
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

/** Asks a question on the terminal and returns the answer; `undefined` where there is no terminal to ask on. */
export type Ask = (question: string) => Promise<string | undefined>;

/** What the lines of a shell have in common. */
export interface Shell {
  /** The store that stays open from line to line. */
  session: Session;
  /** The directory of that store. */
  dir: string;
  /** The options of the shell itself, which hold for every line. */
  options: ReadonlyMap<string, string | true>;
  /** What a message about the line begins with, in a script: `line 3: `. */
  place: string;
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
  /** What has aborted `signal`, or will. */
  signals: Signals;
  out: Output;
  /** Prints a line on standard error, except under `--quiet`. */
  note: (text: string) => void;
  /** Tells a person what was done: like `note`, but only on a terminal, and not under `--json`. */
  tell: (text: string) => void;
  ask: Ask;
  /** Whether the command is a line of a shell. Standard input is the shell's then. */
  isInShell: boolean;
  /** Keeps the store open for the next line of a shell. */
  session: Session | undefined;
}
