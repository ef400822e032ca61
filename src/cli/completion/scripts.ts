/**
 * Completion scripts for shells, made from the table of commands.
 *
 * @module
 */

import type { Command } from "../command_line/definition.ts";
import { shownOf } from "../command_line/parse.ts";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

/** The shells with a completion script. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** Returns the completion script for a shell. */
export function completionScript(shell: typeof SHELLS[number], commands: readonly Command[]): string {
  const shown = shownOf(commands);
  if (shell === "bash") return bashScript(shown);
  return shell === "zsh" ? zshScript(shown) : fishScript(shown);
}
