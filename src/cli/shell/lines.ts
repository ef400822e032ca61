/**
 * Runs the lines of a shell: typed at a terminal, or those of standard input.
 *
 * @module
 */

import process from "node:process";
import type { Ask, Command, Context } from "../command_line/definition.ts";
import { EXIT, InputError } from "../command_line/errors.ts";
import { withStore } from "../command_line/open_store.ts";
import { runLine } from "../command_line/run.ts";
import { Session } from "../command_line/session.ts";
import { chunks, LineAssembler } from "../input_output/input.ts";
import type { Signals } from "../input_output/output.ts";
import { reportFailure } from "../input_output/report_error.ts";
import { printable } from "../text/printable.ts";
import { VERSION } from "../version.ts";
import { completeLine, ENDINGS } from "./completer.ts";
import { Prompt, type Terminal } from "./prompt.ts";
import { wordsOf } from "./words.ts";

const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** The most keys that a completion offers. */
const MOST_OFFERED = 100;

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
    // A command may wait for what keeps no process running, as a watch on a store that only this process writes does.
    const alive = setInterval(() => {}, LONGEST_DELAY_MS);
    try {
      const shell = { session: this.#session, dir, options, place };
      return await runLine(words, this.#commands, { signals, ask, shell });
    } finally {
      clearInterval(alive);
    }
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
export async function runScript(context: Context, commands: readonly Command[]): Promise<number> {
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
