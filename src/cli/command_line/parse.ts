/**
 * From the arguments of the process to a command and what was asked of it.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import type { Command, Option } from "./definition.ts";
import { UsageError } from "./errors.ts";

/** Options that every command takes. */
export const GLOBAL_OPTIONS: readonly Option[] = [
  {
    name: "dir",
    value: "DIR",
    about: "the store's directory (else KVSTORE_DIR, else ./kvstore-data)",
    completion: "directory",
  },
  { name: "json", about: "output for programs, errors too" },
  { name: "quiet", about: "nothing on standard error but errors" },
  { name: "wait", value: "SECONDS", about: "keep trying so long while another process holds the lock" },
  { name: "help", about: "explain the command" },
  { name: "version", about: "print the version" },
];

/** The command line, taken apart and checked against the table. */
export interface Invocation {
  /** Absent where there is no command on the line: `--version`, `--help`, or nothing at all. */
  command: Command | undefined;
  args: string[];
  plainArgs: number;
  options: Map<string, string | true>;
}

/** Takes the arguments apart. Throws a `UsageError` for whatever the table does not know. */
export function parseCommandLine(argv: readonly string[], commands: readonly Command[]): Invocation {
  const table = new Map([...GLOBAL_OPTIONS, ...commands.flatMap((command) => command.options)].map((o) => [o.name, o]));
  const valued = [...table.values()].filter((option) => option.value !== undefined).map((option) => option.name);
  const switches = [...table.values()].filter((option) => option.value === undefined).map((option) => option.name);
  const parsed: Record<string, unknown> = parseArgs(withValuesAttached(argv, table), {
    "--": true,
    string: ["_", ...valued],
    boolean: switches,
  });
  const plain = (parsed._ as (string | number)[]).map(String);
  const rest = parsed["--"] as string[];
  const name = plain.length > 0 ? plain.shift() : rest.shift();
  const command = name === undefined ? undefined : findCommand(name, commands);
  const options = new Map<string, string | true>();
  for (const option of table.keys()) {
    const value = parsed[option];
    if (typeof value === "string" || value === true) options.set(option, value);
  }
  const invocation = { command, args: [...plain, ...rest], plainArgs: plain.length, options };
  if (command !== undefined && !options.has("help") && !options.has("version")) checkFits(invocation, command);
  return invocation;
}

/** The command of that name or alias. */
export function findCommand(name: string, commands: readonly Command[]): Command {
  const found = commands.find((command) => command.name === name || command.aliases?.includes(name));
  if (found !== undefined) return found;
  const names = commands.map((command) => command.name).join(", ");
  throw new UsageError(`there is no command "${name}"; wanted one of: ${names}`, { general: true });
}

/** The command whose usage helps where the command line cannot be taken apart: the first word that names one. */
export function likelyCommand(argv: readonly string[], commands: readonly Command[]): Command | undefined {
  const words = argv.map((word) => commands.find(({ name, aliases }) => name === word || aliases?.includes(word)));
  return words.find((command) => command !== undefined);
}

/**
 * Checks every option against the table and attaches its value with `=`. `parseArgs` alone takes a `true` behind a
 * switch for the switch's value (the key would be lost in `get --raw true`), leaves an empty text or one that begins
 * with a dash behind an option that wants a value, and lets `--_` overwrite the arguments.
 */
function withValuesAttached(argv: readonly string[], table: Map<string, Option>): string[] {
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
      const hint = "keys and values that begin with a dash are written behind --";
      throw new UsageError(`there is no option ${arg.split("=")[0]}; ${hint}`);
    }
    if (option.value === undefined) {
      if (assigned !== undefined) throw new UsageError(`--${name} takes no value, and "${arg}" gives one`);
      attached.push(`--${name}=true`);
    } else {
      const value = assigned ?? (argv[i + 1]?.startsWith("--") ? undefined : argv[++i]);
      if (!value) throw new UsageError(`--${name} wants a value: --${name} ${option.value}`);
      attached.push(`--${name}=${value}`);
    }
  }
  return attached;
}

/** Checks that the options are the command's own and that the number of arguments is right. */
function checkFits(invocation: Invocation, command: Command): void {
  const own = new Set([...GLOBAL_OPTIONS, ...command.options].map((option) => option.name));
  for (const name of invocation.options.keys()) {
    if (!own.has(name)) throw new UsageError(`${command.name} has no option --${name}`);
  }
  const given = invocation.args.length;
  const wanted = command.args.filter((argument) => !argument.optional).length;
  if (given < wanted) {
    throw new UsageError(`${command.name} wants ${command.args[given]!.name}, and there is none`);
  }
  if (given > command.args.length) {
    const extra = invocation.args[command.args.length]!;
    throw new UsageError(`${command.name} was given "${extra}", which is more than it takes`);
  }
}
