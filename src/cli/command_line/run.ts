/**
 * Runs one command line: that of the process, or a line of a shell.
 *
 * @module
 */

import process from "node:process";
import { type Signals, StreamOutput } from "../input_output/output.ts";
import { reportError, reportFailure } from "../input_output/report_error.ts";
import { onOneLine } from "../text/printable.ts";
import { VERSION } from "../version.ts";
import { checkArgumentsAreUtf8, directoryOfEnvironment } from "./check_utf8.ts";
import type { Ask, Command, Context, Shell } from "./definition.ts";
import { EXIT, type Interrupted, PipeClosed, UsageError } from "./errors.ts";
import { commandHelp, commandUsage, generalHelp, generalUsage, shortHelp } from "./help_text.ts";
import { type Invocation, likelyCommand, parseCommandLine } from "./parse.ts";

/** What a command line runs in. */
export interface Surroundings {
  signals: Signals;
  ask: Ask;
  /** The shell that the line was typed into. */
  shell?: Shell;
}

/**
 * Runs a command line and returns the exit status. Reports every failure itself. In a shell it throws `PipeClosed`, as
 * nobody would read what further lines print.
 */
export async function runLine(
  argv: readonly string[],
  commands: readonly Command[],
  surroundings: Surroundings,
): Promise<number> {
  const { signals, shell } = surroundings;
  const signal = signals.signal;
  const dashes = argv.indexOf("--");
  let json = argv.slice(0, dashes < 0 ? argv.length : dashes).includes("--json") || shell?.options.has("json") === true;
  try {
    if (shell === undefined) checkArgumentsAreUtf8(argv);
    const invocation = parseCommandLine(argv, commands);
    json ||= invocation.options.has("json");
    const out = new StreamOutput(signal);
    const text = informationAsked(invocation, commands);
    if (text !== undefined) {
      out.add(text);
      await out.flush();
      return EXIT.done;
    }
    if (invocation.command === undefined) {
      if (json) throw new UsageError("no command given");
      process.stderr.write(shortHelp(commands));
      return EXIT.usage;
    }
    if (invocation.command.endsGently?.(invocation.args)) signals.listen();
    const context = contextOf(invocation, invocation.command, surroundings, out);
    const status = await context.command.run(context);
    return signal.aborted ? (signal.reason as Interrupted).status : status;
  } catch (error) {
    if (signal.aborted) return (signal.reason as Interrupted).status;
    if (error instanceof PipeClosed) {
      if (shell !== undefined) throw error;
      return EXIT.done;
    }
    const status = reportFailure(error, { json, place: shell?.place ?? "" });
    if (error instanceof UsageError && !json) process.stderr.write(usageFor(error, argv, commands) + "\n");
    return status;
  }
}

/** Returns what `--version` or `--help` prints. */
function informationAsked({ command, options }: Invocation, commands: readonly Command[]): string | undefined {
  if (options.has("version")) return `kvstore ${VERSION}\n`;
  if (!options.has("help")) return undefined;
  return command === undefined ? generalHelp(commands) : commandHelp(command);
}

function usageFor(error: UsageError, argv: readonly string[], commands: readonly Command[]): string {
  const command = error.general ? undefined : likelyCommand(argv, commands);
  if (command !== undefined) return commandUsage(command);
  return `${generalUsage()}\n"kvstore help" lists the commands`;
}

function contextOf(
  { args, plainArgs, options: given }: Invocation,
  command: Command,
  { signals, ask, shell }: Surroundings,
  out: StreamOutput,
): Context {
  const options = new Map([...shell?.options ?? [], ...given]);
  const quiet = options.has("quiet");
  const json = options.has("json");
  const named = given.get("dir") as string | undefined;
  const tells = !quiet && !json && process.stdout.isTTY && process.stderr.isTTY;
  return {
    command,
    dir: named || shell?.dir || directoryOfEnvironment() || "./kvstore-data",
    args,
    plainArgs,
    options,
    json,
    quiet,
    waitMs: waitMs(options.get("wait") as string | undefined),
    signal: signals.signal,
    signals,
    out,
    note: (text) => {
      if (!quiet) reportError("NOTE", text, false);
    },
    tell: (text) => {
      if (tells) reportError("NOTE", text, false);
    },
    ask: (question) => ask(onOneLine(question)),
    isInShell: shell !== undefined,
    session: named === undefined ? shell?.session : undefined,
  };
}

function waitMs(seconds: string | undefined): number {
  if (seconds === undefined) return 0;
  if (/^[0-9]+(\.[0-9]+)?$/.test(seconds)) return Number(seconds) * 1000;
  throw new UsageError(`--wait is "${seconds}"; wanted a number of seconds, such as 2 or 0.5`);
}
