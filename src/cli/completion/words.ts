/**
 * What the scripts for all shells need to know of the table of commands.
 *
 * @module
 */

import type { Command, Completion, Option } from "../command_line/definition.ts";
import { GLOBAL_OPTIONS } from "../command_line/parse.ts";

/** A command's name and its aliases. */
export function namesOf(command: Command): string[] {
  return [command.name, ...(command.aliases ?? [])];
}

/** The options of all commands that have a value. */
export function valuedOptions(commands: readonly Command[]): Option[] {
  const all = [...GLOBAL_OPTIONS, ...commands.flatMap((command) => command.options)];
  const byName = new Map(all.map((option) => [option.name, option]));
  return [...byName.values()].filter((option) => option.value !== undefined);
}

/** What is offered at a place: one of these words, or what the shell or the store has. */
export function wordsOf(
  completion: Completion | undefined,
  commands: readonly Command[],
): readonly string[] | "file" | "directory" | "key" | undefined {
  return completion === "command" ? commands.map(({ name }) => name) : completion;
}

/** An argument of a command that something is offered for. */
export interface OfferedArgument {
  command: Command;
  /** Where it stands among the arguments. */
  position: number;
  isRepeated: boolean;
  completion: Completion;
}

/** The arguments of all commands that something is offered for. */
export function offeredArguments(commands: readonly Command[]): OfferedArgument[] {
  return commands.flatMap((command) =>
    command.args.flatMap(({ completion, repeated }, position) =>
      completion === undefined ? [] : [{ command, position, isRepeated: repeated ?? false, completion }]
    )
  );
}
