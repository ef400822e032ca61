/**
 * What standard output can show, and questions to whoever sits at the terminal.
 *
 * @module
 */

import process from "node:process";
import { type Paint, painter } from "../text/format.ts";
import { unlessAborted } from "./output.ts";

/**
 * Returns the width to draw for, and how to paint: on a terminal its width and colours, elsewhere the default and none.
 */
export function drawingStyle(defaultWidth: number): { width: number; paint: Paint } {
  const isTerminal = process.stdout.isTTY === true;
  return {
    width: (isTerminal && process.stdout.columns) || defaultWidth,
    // An empty NO_COLOR counts as absent (no-color.org).
    paint: painter(isTerminal && !process.env.NO_COLOR),
  };
}

/** Whether there is somebody to ask, and a place to see the question. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks a question and returns the answer: an empty one at the end of the input, `undefined` without a terminal. */
export async function askOnTerminal(question: string, signal: AbortSignal): Promise<string | undefined> {
  if (!isInteractive()) return undefined;
  // Most commands start without it.
  const { createInterface } = await import("node:readline");
  // Without editing, Ctrl-C stays a signal.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    const answer = new Promise<string>((resolve) => {
      lines.once("close", () => resolve(""));
      lines.question(question, resolve);
    });
    return await unlessAborted(answer, signal);
  } finally {
    lines.close();
  }
}
