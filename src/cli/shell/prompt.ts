/**
 * Lines that are typed at a terminal.
 *
 * @module
 */

import { createInterface, type Interface } from "node:readline";
import { Signals } from "../input_output/output.ts";

/** Completes a line: the words that its end can become, and the part of the line that they replace. */
export type Completer = (line: string) => Promise<[words: string[], typed: string]>;

/** A terminal, or what stands for it in a test. */
export interface Terminal {
  input: NodeJS.ReadableStream & { setRawMode?: (isRaw: boolean) => unknown };
  output: NodeJS.WritableStream;
}

const PROMPT = "kvstore> ";

/**
 * Reads lines, with editing and a history of those that were typed. While a command runs, the terminal is as it was
 * before, so that Ctrl-C is a signal.
 */
export class Prompt {
  readonly #terminal: Terminal;
  readonly #lines: Interface;
  /** Lines that came at once with another, as pasted ones do. */
  readonly #typed: string[] = [];
  #isClosed = false;
  #onLine: ((line: string | undefined) => void) | undefined;

  constructor(terminal: Terminal, completer: Completer) {
    this.#terminal = terminal;
    this.#lines = createInterface({
      ...terminal,
      terminal: true,
      prompt: PROMPT,
      historySize: 1000,
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
        completer(line).then((result) => done(null, result), () => done(null, [[], line]));
      },
    });
    this.#lines.on("line", (line) => {
      if (this.#onLine === undefined) this.#typed.push(line);
      else this.#onLine(line);
    });
    // Ctrl-D, or the end of the terminal.
    this.#lines.on("close", () => {
      this.#isClosed = true;
      this.#onLine?.(undefined);
    });
    // Ctrl-C drops the line: what stands before the cursor, and what stands behind it.
    this.#lines.on("SIGINT", () => {
      this.#lines.write(null, { ctrl: true, name: "e" });
      this.#lines.write(null, { ctrl: true, name: "u" });
      terminal.output.write("^C\n");
      this.#onLine?.("");
    });
  }

  /** Returns the next line, an empty one after Ctrl-C, and `undefined` at the end. */
  async next(): Promise<string | undefined> {
    if (this.#typed.length > 0) return this.#typed.shift();
    return await this.#read(PROMPT);
  }

  /** Asks a question and returns the answer: an empty one after Ctrl-C or Ctrl-D. */
  async ask(question: string): Promise<string> {
    this.#takeTerminal();
    const answer = await this.#read(question);
    this.#leaveTerminal();
    return answer ?? "";
  }

  /** Runs a command, with the terminal as it was before. Ctrl-C interrupts it, and a second one ends the process. */
  async during<T>(command: (signals: Signals) => Promise<T>): Promise<T> {
    const signals = new Signals();
    // First: from then on Ctrl-C is a signal, which would end the process.
    signals.listen();
    this.#leaveTerminal();
    try {
      return await command(signals);
    } finally {
      // The terminal has written ^C.
      if (signals.signal.aborted) this.#terminal.output.write("\n");
      this.#takeTerminal();
      signals.ignore();
    }
  }

  close(): void {
    this.#lines.close();
  }

  /** From now on keys come one by one. */
  #takeTerminal(): void {
    if (!this.#isClosed) this.#terminal.input.setRawMode?.(true);
  }

  #leaveTerminal(): void {
    if (this.#isClosed) return;
    this.#lines.pause();
    this.#terminal.input.setRawMode?.(false);
  }

  #read(prompt: string): Promise<string | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#onLine = (line) => {
        this.#onLine = undefined;
        resolve(line);
      };
      this.#lines.setPrompt(prompt);
      this.#lines.prompt();
    });
  }
}
