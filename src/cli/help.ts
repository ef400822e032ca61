/** `help`. @module */

import type { Command } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { commandHelp, generalHelp } from "./command_line/help_text.ts";
import { findCommand } from "./command_line/parse.ts";

/** Explains a command. `table` returns all commands once the command runs. */
export function helpCommand(table: () => readonly Command[]): Command {
  return {
    name: "help",
    args: [{ name: "COMMAND", optional: true, completion: "command" }],
    options: [],
    summary: "explain a command",
    description: "Without COMMAND, lists all commands.",
    example: ["kvstore help set"],
    run: async (context) => {
      const name = context.args[0];
      context.out.add(name === undefined ? generalHelp(table()) : commandHelp(findCommand(name, table())));
      await context.out.flush();
      return EXIT.done;
    },
  };
}
