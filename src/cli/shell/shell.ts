/** `shell`. @module */

import process from "node:process";
import { withStore } from "../command_line/open_store.ts";
import type { Ask, Command, Context } from "../command_line/definition.ts";
import { EXIT, InputError, UsageError } from "../command_line/errors.ts";
import { runLine } from "../command_line/run.ts";
import { Session } from "../command_line/session.ts";
import { chunks, LineAssembler } from "../input_output/input.ts";
import type { Signals } from "../input_output/output.ts";
import { printable } from "../text/printable.ts";
import { reportFailure } from "../input_output/report_error.ts";
import { isInteractive } from "../input_output/terminal.ts";
import { VERSION } from "../version.ts";
import { completeLine, ENDINGS } from "./completer.ts";
import { Prompt, type Terminal } from "./prompt.ts";
import { wordsOf } from "./words.ts";

/** The most keys that a completion offers. */
const MOST_OFFERED = 100;

/** Runs commands line by line on one open store. `table` returns all commands once the command runs. */
export function shellCommand(table: () => readonly Command[]): Command {
  return {
    name: "shell",
    elsewhere: ["repl", "cli", "interactive"],
    args: [],
    options: [],
    summary: "run commands that are typed, or that standard input has, one on each line",
    description:
      `A line has a command as it is written after "kvstore", with the quotes of a shell: 'as it is', "with \\" in it",
$'with \\n and \\u00e9'. Nothing else is special: no variables, patterns or pipes. The options of the shell
itself, such as --json, hold for every line.

On a terminal it has a prompt, completes commands, options and keys with Tab, and keeps the lines in memory to
go back to. Ctrl-C drops a line or interrupts a command. Ctrl-D or exit ends the shell.

Elsewhere it prints no prompt, goes on after a line that fails, and exits with the highest status of its lines.

The store is opened once. The first line that writes takes the lock, and the shell keeps it to its end.`,
    example: ["printf 'set a 1\\nget a\\n' | kvstore shell", "1"],
    endsGently: () => !isInteractive(),
    run: async (context) => {
      if (context.isInShell) throw new UsageError("this is a shell; it cannot run another one");
      const terminal = { input: process.stdin, output: process.stderr };
      return isInteractive() ? await converse(context, table(), terminal) : await runScript(context, table());
    },
  };
}

/** Runs the lines of a shell. */
class Lines {
  readonly #context: Context;
  readonly #commands: readonly Command[];
  readonly #session = new Session();

  constructor(context: Context, commands: readonly Command[]) {
    this.#context = context;
    this.#commands = commands;
  }

  /** Runs a line and returns its status; `undefined` if it ends the shell. */
  async run(
    line: string,
    { ask, place, signals }: { ask: Ask; place: string; signals: Signals },
  ): Promise<number | undefined> {
    const { dir, options, json } = this.#context;
    let words: string[];
    try {
      words = wordsOf(line);
    } catch (error) {
      return reportFailure(error, { json, place });
    }
    if (words.length === 0) return EXIT.done;
    if (words.length === 1 && ENDINGS.includes(words[0]!)) return undefined;
    return await runLine(words, this.#commands, {
      signals,
      ask,
      shell: { session: this.#session, dir, options, place },
    });
  }

  /** Returns some of the keys that begin with a prefix, or none if there is no store to read. */
  async keysWith(prefix: string): Promise<string[]> {
    const context = { ...this.#context, session: this.#session, waitMs: 0 };
    try {
      return await withStore(context, "read", (store) => {
        const keys = [...store.keys({ prefix, limit: MOST_OFFERED })];
        return keys.filter((key): key is string => typeof key === "string");
      });
    } catch {
      return [];
    }
  }

  async end(): Promise<void> {
    await this.#session.release();
  }
}

/** Runs lines that somebody types, until Ctrl-D or `exit`. */
export async function converse(context: Context, commands: readonly Command[], terminal: Terminal): Promise<number> {
  const lines = new Lines(context, commands);
  const prompt = new Prompt(terminal, (line) => completeLine(line, commands, (prefix) => lines.keysWith(prefix)));
  let status: number = EXIT.done;
  const terminate = () => {
    status = EXIT.terminated;
    prompt.close();
  };
  process.once("SIGTERM", terminate);
  const ask = (question: string) => prompt.ask(question);
  try {
    if (!context.quiet) terminal.output.write(`${printable(greeting(context.dir))}\n`);
    for (let line = await prompt.next(); line !== undefined; line = await prompt.next()) {
      const typed = line;
      const end = await prompt.during((signals) => lines.run(typed, { ask, place: "", signals }));
      if (end === undefined) break;
    }
  } finally {
    process.removeListener("SIGTERM", terminate);
    prompt.close();
    await lines.end();
  }
  return status;
}

function greeting(dir: string): string {
  return `kvstore ${VERSION} on ${dir}; "help" lists the commands, Ctrl-D ends`;
}

/** Runs the lines of standard input. */
async function runScript(context: Context, commands: readonly Command[]): Promise<number> {
  const lines = new Lines(context, commands);
  let worst: number = EXIT.done;
  let number = 0;
  try {
    for await (const line of linesOf(context)) {
      number++;
      context.signal.throwIfAborted();
      const surroundings = { ask: context.ask, place: `line ${number}: `, signals: context.signals };
      const status = await lines.run(line, surroundings);
      if (status === undefined) break;
      worst = Math.max(worst, status);
    }
  } finally {
    await lines.end();
  }
  return worst;
}

async function* linesOf(context: Context): AsyncGenerator<string> {
  const assembler = new LineAssembler();
  const split = function* ({ text, fault }: ReturnType<LineAssembler["end"]>) {
    // Behind the last line feed is no line.
    if (text !== "") { for (const line of text.replace(/\n$/, "").split("\n")) yield line.replace(/\r$/, ""); }
    if (fault !== undefined) throw new InputError(`standard input: ${fault}`);
  };
  for await (const chunk of chunks("-", context)) yield* split(assembler.push(chunk));
  yield* split(assembler.end());
}
