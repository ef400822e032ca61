/**
 * Completes a line of the shell, after the table of commands.
 *
 * @module
 */

import type { Argument, Command, Completion, Option } from "../command_line/definition.ts";
import { GLOBAL_OPTIONS, shownOf } from "../command_line/parse.ts";
import { quoted, splitLine } from "./words.ts";

/** Returns some of the keys that begin with a prefix. */
export type KeysWith = (prefix: string) => Promise<string[]>;

/** What ends the shell. */
export const ENDINGS: readonly string[] = ["exit", "quit"];

/**
 * Returns the words that the end of a line can become, and the part of the line that one of them replaces. Takes keys
 * from `keysWith`.
 */
export async function completeLine(
  line: string,
  commands: readonly Command[],
  keysWith: KeysWith,
): Promise<[words: string[], typed: string]> {
  const shown = shownOf(commands);
  const { words } = splitLine(line);
  const { text, start } = words.at(-1)?.end === line.length ? words.pop()! : { text: "", start: line.length };
  const place = placeAfter(words.map((word) => word.text), text, shown);
  const offered = place === "key" ? await keysWith(text) : wordsFor(place, shown);
  const found = offered.filter((word) => word.startsWith(text)).map(quoted);
  // A word that is complete is followed by the next.
  return [found.length === 1 ? [`${found[0]} `] : found, line.slice(start)];
}

/** Returns what can stand after the words of a line, where `text` has been typed. */
function placeAfter(words: readonly string[], text: string, commands: readonly Command[]): Completion | undefined {
  const valued = [...GLOBAL_OPTIONS, ...commands.flatMap(({ options }) => options)].filter(({ value }) => value);
  let expected: Option | undefined;
  let hasDashes = false;
  let isForeign = false;
  const plain: string[] = [];
  for (const word of words) {
    if (expected !== undefined) expected = undefined;
    else if (hasDashes || !word.startsWith("-")) plain.push(word);
    else if (word === "--") hasDashes = true;
    else {
      expected = valued.find(({ name }) => word === `--${name}`);
      // Keys of another store, or keys that are written otherwise.
      isForeign ||= /^--(dir|key-base64)\b/.test(word);
    }
  }
  if (expected !== undefined) return expected.completion;
  const [name, ...args] = plain;
  const command = commands.find((one) => one.name === name || (name !== undefined && one.aliases?.includes(name)));
  if (!hasDashes && text.startsWith("-")) {
    return [...command?.options ?? [], ...GLOBAL_OPTIONS].map((option) => `--${option.name}`);
  }
  if (name === undefined) return [...commands.flatMap((one) => [one.name, ...one.aliases ?? []]), ...ENDINGS];
  const completion = argumentAt(command, args.length)?.completion;
  return completion === "key" && isForeign ? undefined : completion;
}

function argumentAt(command: Command | undefined, position: number): Argument | undefined {
  const last = command?.args.at(-1);
  return command?.args[position] ?? (last?.repeated ? last : undefined);
}

function wordsFor(place: Completion | undefined, commands: readonly Command[]): readonly string[] {
  if (place === "command") return commands.map(({ name }) => name);
  // Files are left to the shells of the system.
  return typeof place === "object" ? place : [];
}
