/** `completions`. @module */

import type { Command } from "../command_line/definition.ts";
import { EXIT, UsageError } from "../command_line/errors.ts";
import { completionScript, SHELLS } from "./scripts.ts";

/** Prints a completion script. `table` returns all commands once the command runs. */
export function completionsCommand(table: () => readonly Command[]): Command {
  return {
    name: "completions",
    args: [{ name: "SHELL", completion: SHELLS }],
    options: [],
    summary: "print a script that lets a shell complete commands, options and keys",
    description: `For bash, zsh or fish. Write it to a file once; to run this command at each start of a shell takes as
long as any command:
  bash  kvstore completions bash > ~/.local/share/bash-completion/completions/kvstore
        (without the package bash-completion, any file, and a line "source FILE" in ~/.bashrc)
  zsh   kvstore completions zsh > _kvstore, in a directory of $fpath
  fish  kvstore completions fish > ~/.config/fish/completions/kvstore.fish
Write it again after an update. Keys are those of the store that the line names, or of KVSTORE_DIR.`,
    example: ["kvstore completions fish > ~/.config/fish/completions/kvstore.fish"],
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
