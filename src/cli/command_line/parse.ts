/**
 * Parses the command line.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { closest } from "../text/closest.ts";
import type { Command, Option } from "./definition.ts";
import { UsageError } from "./errors.ts";

/** The options of every command. */
export const GLOBAL_OPTIONS: readonly Option[] = [
  {
    name: "dir",
    value: "DIR",
    about: "the store's directory (else KVSTORE_DIR, else ./kvstore-data)",
    completion: "directory",
  },
  { name: "json", about: "print JSON, for programs; errors too" },
  { name: "quiet", about: "print nothing but errors on standard error" },
  { name: "wait", value: "SECONDS", about: "how long to keep trying while another process holds the lock" },
  { name: "nolock", about: "do without the lock: you answer for it that nobody else writes" },
  { name: "help", about: "explain the command" },
  { name: "version", about: "print the version" },
];

/** A parsed command line. */
export interface Invocation {
  /** The command. Absent if the line names none: `--version`, `--help`, or an empty line. */
  command: Command | undefined;
  args: string[];
  plainArgs: number;
  options: Map<string, string | true>;
}

/** Parses the arguments of the process. Throws a `UsageError` if they do not fit the table of commands. */
export function parseCommandLine(argv: readonly string[], commands: readonly Command[]): Invocation {
  const table = new Map([...GLOBAL_OPTIONS, ...commands.flatMap((command) => command.options)].map((o) => [o.name, o]));
  const valued = [...table.values()].filter((option) => option.value !== undefined).map((option) => option.name);
  const switches = [...table.values()].filter((option) => option.value === undefined).map((option) => option.name);
  const likely = likelyCommand(argv, commands);
  const offered = likely === undefined ? [...table.values()] : [...likely.options, ...GLOBAL_OPTIONS];
  const parsed: Record<string, unknown> = parseArgs(withValuesAttached(argv, table, offered), {
    "--": true,
    string: ["_", ...valued],
    boolean: switches,
  });
  const plain = (parsed._ as (string | number)[]).map(String);
  const afterDashes = parsed["--"] as string[];
  const name = plain.length > 0 ? plain.shift() : afterDashes.shift();
  const command = name === undefined ? undefined : findCommand(name, commands);
  const options = new Map<string, string | true>();
  for (const option of table.keys()) {
    const value = parsed[option];
    if (typeof value === "string" || value === true) options.set(option, value);
  }
  const invocation = { command, args: [...plain, ...afterDashes], plainArgs: plain.length, options };
  if (command !== undefined && !options.has("help") && !options.has("version")) checkFits(invocation, command);
  return invocation;
}

/** Returns the commands that lists of commands have. */
export function shownOf(commands: readonly Command[]): readonly Command[] {
  return commands.filter(({ isHidden }) => !isHidden);
}

/** Returns the command with a name or alias. Throws a `UsageError` if there is none. */
export function findCommand(name: string, commands: readonly Command[]): Command {
  const found = commands.find((command) => command.name === name || command.aliases?.includes(name));
  if (found !== undefined) return found;
  const shown = shownOf(commands);
  const meant = commandsMeant(name, shown);
  const names = shown.map((command) => command.name).join(", ");
  const advice = meant.length > 0 ? didYouMean(meant.map((one) => `"${one}"`)) : `wanted one of: ${names}`;
  throw new UsageError(`there is no command "${name}"; ${advice}`, { general: true });
}

function commandsMeant(typed: string, commands: readonly Command[]): string[] {
  const elsewhere = commands.filter((command) => command.elsewhere?.includes(typed.toLowerCase()));
  if (elsewhere.length > 0) return elsewhere.map(({ name }) => name);
  const close = closest(typed.toLowerCase(), commands.flatMap(({ name, aliases }) => [name, ...aliases ?? []]));
  // Of a command and its aliases, one is enough.
  return close.filter((name, i) => {
    const command = likelyCommand([name], commands);
    return close.findIndex((other) => likelyCommand([other], commands) === command) === i;
  });
}

function didYouMean(names: readonly string[]): string {
  return `did you mean ${names.join(" or ")}?`;
}

/** Returns the command whose usage to show when parsing fails: the first word that names a command. */
export function likelyCommand(argv: readonly string[], commands: readonly Command[]): Command | undefined {
  const words = argv.map((word) => commands.find(({ name, aliases }) => name === word || aliases?.includes(word)));
  return words.find((command) => command !== undefined);
}

/**
 * Checks every option against the table and attaches its value with `=`. `parseArgs` alone would take a `true` after a
 * switch for the switch's value, which loses the key of `get --raw true`. It would not take an empty value, or one that
 * begins with a dash. And it would let `--_` overwrite the arguments. `offered` are the options that a mistyped one may
 * be meant for.
 */
function withValuesAttached(
  argv: readonly string[],
  table: Map<string, Option>,
  offered: readonly Option[],
): string[] {
  const attached: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === "--") return [...attached, ...argv.slice(i)];
    if (!arg.startsWith("-") || arg === "-") {
      attached.push(arg);
      continue;
    }
    const [, name, assigned] = /^--([^=]+)(?:=(.*))?$/s.exec(arg === "-h" ? "--help" : arg) ?? [];
    const option = table.get(name ?? "");
    if (option === undefined) {
      const typed = arg.split("=")[0]!;
      const meant = closest(typed.replace(/^-+/, ""), offered.map((one) => one.name)).map((one) => `--${one}`);
      const hint = "write keys and values that begin with a dash after --";
      throw new UsageError(`there is no option ${typed}; ${meant.length > 0 ? didYouMean(meant) : hint}`);
    }
    if (option.value === undefined) {
      if (assigned !== undefined) throw new UsageError(`--${name} takes no value, but "${arg}" gives one`);
      attached.push(`--${name}=true`);
    } else {
      const value = assigned ?? (argv[i + 1]?.startsWith("--") ? undefined : argv[++i]);
      if (!value) throw new UsageError(`--${name} needs a value: --${name} ${option.value}`);
      attached.push(`--${name}=${value}`);
    }
  }
  return attached;
}

/** Checks that the command has the given options and takes that many arguments. */
function checkFits(invocation: Invocation, command: Command): void {
  const own = new Set([...GLOBAL_OPTIONS, ...command.options].map((option) => option.name));
  for (const name of invocation.options.keys()) {
    if (!own.has(name)) throw new UsageError(`${command.name} has no option --${name}`);
  }
  const given = invocation.args.length;
  const wanted = command.args.filter((argument) => !argument.optional).length;
  if (given < wanted) {
    throw new UsageError(`${command.name} needs ${command.args[given]!.name}`);
  }
  if (given > command.args.length && !command.args.at(-1)?.repeated) {
    const extra = invocation.args[command.args.length]!;
    throw new UsageError(`${command.name} takes no further argument, but was given "${extra}"`);
  }
}
