/** `help` and `completions`. @module */

import type { Command } from "../command.ts";
import { completionScript, SHELLS } from "../completions.ts";
import { EXIT, UsageError } from "../errors.ts";
import { commandHelp, generalHelp } from "../help.ts";
import { findCommand } from "../parse.ts";

/** The two commands that need the whole table; `table` is asked for it when they run. */
export function commandsAboutCommands(table: () => readonly Command[]): Command[] {
  const completions: Command = {
    name: "completions",
    args: [{ name: "SHELL", completion: SHELLS }],
    options: [],
    summary: "print a script that lets a shell complete commands and options",
    description: `For bash, zsh or fish. Where the script goes:
  bash  source <(kvstore completions bash), in ~/.bashrc
  zsh   kvstore completions zsh > _kvstore, in a directory of $fpath
  fish  kvstore completions fish > ~/.config/fish/completions/kvstore.fish`,
    example: ["source <(kvstore completions bash)"],
    run: async (context) => {
      const shell = SHELLS.find((candidate) => candidate === context.args[0]);
      if (shell === undefined) {
        throw new UsageError(`SHELL is "${context.args[0]}"; wanted ${SHELLS.join(", ")}`);
      }
      context.out.add(completionScript(shell, table()));
      await context.out.flush();
      return EXIT.done;
    },
  };
  const help: Command = {
    name: "help",
    args: [{ name: "COMMAND", optional: true, completion: "command" }],
    options: [],
    summary: "explain a command",
    description: "Without COMMAND, lists all of them.",
    example: ["kvstore help set"],
    run: async (context) => {
      const name = context.args[0];
      context.out.add(name === undefined ? generalHelp(table()) : commandHelp(findCommand(name, table())));
      await context.out.flush();
      return EXIT.done;
    },
  };
  return [completions, help];
}
