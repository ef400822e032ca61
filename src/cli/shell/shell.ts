/** `shell`. @module */

import process from "node:process";
import type { Command } from "../command_line/definition.ts";
import { UsageError } from "../command_line/errors.ts";
import { isInteractive } from "../input_output/terminal.ts";

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
      // Imported here, so that other commands start without it.
      const { converse, runScript } = await import("./lines.ts");
      const terminal = { input: process.stdin, output: process.stderr };
      return isInteractive() ? await converse(context, table(), terminal) : await runScript(context, table());
    },
  };
}
