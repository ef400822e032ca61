/**
 * Help, made from the table of commands.
 *
 * @module
 */

import type { Command, Option } from "./definition.ts";
import { wrapped } from "../text/format.ts";
import { GLOBAL_OPTIONS, shownOf } from "./parse.ts";

const SHORT_WIDTH = 80;
const FIRST_STEPS: [call: string, about: string][] = [
  ["kvstore set greeting hello", "store a value; creates the store"],
  ["kvstore get greeting", "print it"],
  ["kvstore list", "print the keys"],
  ["kvstore shell", "take commands line by line"],
];
const SUFFIX = "[--dir DIR] [--json] [--quiet] [--wait SECONDS] [--nolock]";

/** Returns the help that lists all commands. */
export function generalHelp(commands: readonly Command[]): string {
  const rows = shownOf(commands).map((command): [string, string] => [callOf(command), command.summary]);
  return `An embedded key-value store in a directory of log files.

${generalUsage()}

Commands:
${columns(rows)}
Options (anywhere before --):
${columns(GLOBAL_OPTIONS.map(optionRow))}
Keys and values are taken as typed. Write those that begin with a dash after --:
  kvstore set -- -5 minus

Exit status: 0 done; 1 not found, damaged, declined; 2 wrong usage; 3 the store could not do it; 130 interrupted.
"kvstore help COMMAND" explains a command and shows an example.
`;
}

/** Returns what to read first. */
export function shortHelp(commands: readonly Command[]): string {
  const names = wrapped(shownOf(commands).map(({ name }) => name).join(", "), SHORT_WIDTH - 2);
  return `An embedded key-value store in a directory of log files.

${generalUsage()}

To begin with:
${columns(FIRST_STEPS)}
Commands:
${names.map((line) => `  ${line}\n`).join("")}
"kvstore help" explains them, "kvstore help COMMAND" one of them, with an example.
`;
}

/** Returns the line that says how to call the program. */
export function generalUsage(): string {
  return `Usage: kvstore ${SUFFIX} COMMAND`;
}

/** Returns the lines that say how to call a command. */
export function commandUsage(command: Command): string {
  const forms = command.forms ?? [argumentsOf(command)];
  // An option that has a form of its own is left out of the other forms.
  const others = command.options.filter((option) => !forms.some((form) => form.includes(`--${option.name}`)));
  const options = others.map((option) => `[${optionCall(option)}]`);
  const lines = forms.map((form) =>
    ["kvstore", command.name, form, ...options].filter((part) => part !== "").join(" ")
  );
  return `Usage: ${lines.join("\n       ")}`;
}

/** Returns the help for a command. */
export function commandHelp(command: Command): string {
  const [call, ...output] = command.example;
  const aliases = command.aliases === undefined ? "" : `\nAlso called: ${command.aliases.join(", ")}\n`;
  const own = command.options.length === 0 ? "" : `\nOptions:\n${columns(command.options.map(optionRow))}`;
  const json = command.json === undefined ? "" : `\nWith --json: ${command.json}\n`;
  const example = [`$ ${call}`, ...output.map((line) => line.startsWith("kvstore ") ? `$ ${line}` : line)];
  return `kvstore ${command.name}: ${command.summary}

${commandUsage(command)}
${aliases}
${command.description}
${own}
Options of every command:
${columns(GLOBAL_OPTIONS.map(optionRow))}${json}
Example:
${example.map((line) => `  ${line}\n`).join("")}`;
}

function callOf(command: Command): string {
  const form = argumentsOf(command);
  return form === "" ? command.name : `${command.name} ${form}`;
}

function argumentsOf(command: Command): string {
  const calls = command.args.map(({ name, optional, repeated }) => {
    const call = repeated ? `${name}...` : name;
    return optional ? `[${call}]` : call;
  });
  return calls.join(" ");
}

function optionCall(option: Option): string {
  return option.value === undefined ? `--${option.name}` : `--${option.name} ${option.value}`;
}

function optionRow(option: Option): [string, string] {
  return [optionCall(option), option.about];
}

function columns(rows: readonly [string, string][]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join("");
}
