/**
 * Runs the command that the arguments of the process name.
 *
 * @module
 */

import process from "node:process";
import { runLine } from "./command_line/run.ts";
import { COMMANDS } from "./command_table.ts";
import { Signals } from "./input_output/output.ts";
import { askOnTerminal } from "./input_output/terminal.ts";

/** Runs the command line of this process and sets its exit status. */
export function main(): void {
  const signals = new Signals();
  const ask = (question: string) => askOnTerminal(question, signals.signal);
  runLine(process.argv.slice(2), COMMANDS, { signals, ask }).then((status) => {
    signals.ignore();
    // A pending read of standard input would keep the process alive. All output has been written by now.
    if (signals.signal.aborted) process.exit(status);
    process.exitCode = status;
  });
}
