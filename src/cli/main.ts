/**
 * Runs the command that the arguments of the process name.
 *
 * @module
 */

import process from "node:process";
import { checkArgumentsAreUtf8, directoryOfEnvironment } from "./command_line/check_utf8.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT, type Interrupted, PipeClosed, UsageError } from "./command_line/errors.ts";
import { commandHelp, commandUsage, generalHelp, generalUsage } from "./command_line/help_text.ts";
import { type Invocation, likelyCommand, parseCommandLine } from "./command_line/parse.ts";
import { COMMANDS } from "./command_table.ts";
import { Signals, StreamOutput } from "./input_output/output.ts";
import { reportError, reportFailure } from "./input_output/report_error.ts";
import { VERSION } from "./version.ts";

/** Runs the command line of this process and sets its exit status. */
export function main(): void {
  const signals = new Signals();
  run(process.argv.slice(2), signals).then((status) => {
    signals.ignore();
    // A pending read of standard input would keep the process alive. All output has been written by now.
    if (signals.signal.aborted) process.exit(status);
    process.exitCode = status;
  });
}

/** Runs a command line and returns the exit status. Reports every failure itself. */
async function run(argv: readonly string[], signals: Signals): Promise<number> {
  const signal = signals.signal;
  const dashes = argv.indexOf("--");
  let json = argv.slice(0, dashes < 0 ? argv.length : dashes).includes("--json");
  try {
    checkArgumentsAreUtf8(argv);
    const invocation = parseCommandLine(argv, COMMANDS);
    json = invocation.options.has("json");
    const out = new StreamOutput(signal);
    const text = informationAsked(invocation);
    if (text !== undefined) {
      out.add(text);
      await out.flush();
      return EXIT.done;
    }
    if (invocation.command === undefined) throw new UsageError("no command given");
    if (invocation.command.endsGently?.(invocation.args)) signals.listen();
    const context = contextOf(invocation, invocation.command, signals, out);
    const status = await context.command.run(context);
    return signal.aborted ? (signal.reason as Interrupted).status : status;
  } catch (error) {
    if (signal.aborted) return (signal.reason as Interrupted).status;
    if (error instanceof PipeClosed) return EXIT.done;
    const status = reportFailure(error, json);
    if (error instanceof UsageError && !json) process.stderr.write(usageFor(error, argv) + "\n");
    return status;
  }
}

/** Returns what `--version` or `--help` prints. */
function informationAsked({ command, options }: Invocation): string | undefined {
  if (options.has("version")) return `kvstore ${VERSION}\n`;
  if (!options.has("help")) return undefined;
  return command === undefined ? generalHelp(COMMANDS) : commandHelp(command);
}

function usageFor(error: UsageError, argv: readonly string[]): string {
  const command = error.general ? undefined : likelyCommand(argv, COMMANDS);
  if (command !== undefined) return commandUsage(command);
  return `${generalUsage()}\n"kvstore help" lists the commands`;
}

function contextOf(invocation: Invocation, command: Command, signals: Signals, out: StreamOutput): Context {
  const { args, plainArgs, options } = invocation;
  const quiet = options.has("quiet");
  const json = options.has("json");
  const dir = (options.get("dir") as string | undefined) || directoryOfEnvironment() || "./kvstore-data";
  return {
    command,
    dir,
    args,
    plainArgs,
    options,
    json,
    quiet,
    waitMs: waitMs(options.get("wait") as string | undefined),
    signal: signals.signal,
    killable: (work) => signals.without(work),
    out,
    note: (text) => {
      if (!quiet) reportError("NOTE", text, false);
    },
  };
}

function waitMs(seconds: string | undefined): number {
  if (seconds === undefined) return 0;
  if (/^[0-9]+(\.[0-9]+)?$/.test(seconds)) return Number(seconds) * 1000;
  throw new UsageError(`--wait is "${seconds}"; wanted a number of seconds, such as 2 or 0.5`);
}
