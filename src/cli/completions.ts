/** `completions`. @module */

import { completionScript, SHELLS } from "./command_line/completion_scripts.ts";
import type { Command } from "./command_line/definition.ts";
import { EXIT, UsageError } from "./command_line/errors.ts";

/** Prints a completion script. `table` returns all commands once the command runs. */
export function completionsCommand(table: () => readonly Command[]): Command {
  return {
    name: "completions",
    args: [{ name: "SHELL", completion: SHELLS }],
    options: [],
    summary: "print a script that lets a shell complete commands and options",
    description: `For bash, zsh or fish. To install the script:
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
}
