/** `torture`. @module */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { optionText, wholeNumber } from "../command_line/arguments.ts";
import type { Command, Context } from "../command_line/definition.ts";
import { EXIT, InputError, PipeClosed, UsageError } from "../command_line/errors.ts";
import { StreamOutput } from "../input_output/output.ts";
import { type Bar, progressBar } from "../input_output/progress_bar.ts";
import { counted, grouped, humanBytes } from "../text/format.ts";
import { commandAgain, startOfProcess } from "./relaunch.ts";
import { type Tally, Torture, TortureError } from "./rounds.ts";
import { runTask, taskOfProcess } from "./writer.ts";

const DEFAULT_SECONDS = 60;
const MAX_SEED = 2 ** 32 - 1;

/** Kills writing processes and checks what they leave. */
export const torture: Command = {
  name: "torture",
  args: [],
  options: [
    { name: "seconds", value: "N", about: `how long to run, in seconds (default ${DEFAULT_SECONDS})` },
    { name: "seed", value: "N", about: "the seed of the writes (the moments of the kills are random)" },
  ],
  summary: "kill writing processes on this machine's disk, and check what they leave",
  description:
    `Starts processes that open a store, write, compact and close, and kills each with SIGKILL at a random moment.
After each kill the store must open and hold every acknowledged write, in the order of the calls and with every
batch whole, and verify must find no damage. The stores are in a new directory inside the store's directory, or
in the nearest existing directory above it. That directory is removed at the end, unless something was wrong. An
existing store is left alone.

A killed process loses what it had not written yet. A power cut also loses bytes that were written and not
synced; this command cannot try that. With Deno, run it with -A. Exits with 1 if something was wrong.`,
  json: '{"seed":7,"seconds":60,"rounds":240,"kills":{"open":…},"acknowledged":…,"failures":[],…}',
  example: ["kvstore torture --seconds 10", "rounds                41  …"],
  endsGently: () => true,
  run: async (context) => {
    const task = taskOfProcess();
    return task === undefined ? await tortureFor(context) : await runTask(task);
  },
};

async function tortureFor(context: Context): Promise<number> {
  const seconds = wholeNumber(optionText(context, "seconds") ?? String(DEFAULT_SECONDS), "--seconds", 1);
  const seed = wholeNumber(optionText(context, "seed") ?? String(Math.floor(Math.random() * MAX_SEED)), "--seed", 0);
  if (seed > MAX_SEED) throw new UsageError(`--seed is ${seed}; wanted a whole number up to ${MAX_SEED}`);
  const directory = newDirectory(context.dir);
  let keep = false;
  try {
    const command = commandAgain(startOfProcess(), directory);
    if (command === undefined) throw new TortureError("it is unknown how it was started");
    const place = { store: join(directory, "store"), crashed: join(directory, "crashed") };
    const tortured = new Torture(seed, command, place);
    const begun = Date.now();
    const error = await rounds(context, tortured, seconds).catch((error: unknown) => error);
    keep = tortured.tally.failures.length > 0;
    const took = Math.round((Date.now() - begun) / 1000);
    if (tortured.tally.rounds > 0) await report(context, { seed, seconds: took, directory }, tortured.tally);
    if (error !== undefined) throw error;
    return keep ? EXIT.absent : EXIT.done;
  } catch (error) {
    if (!(error instanceof TortureError)) throw error;
    throw new InputError(`the command line cannot be started again as another process: ${error.message}`);
  } finally {
    if (!keep) rmSync(directory, { recursive: true, force: true });
  }
}

/** Makes a directory on the file system on which the store would be. */
function newDirectory(dir: string): string {
  let base = resolve(dir);
  while (!existsSync(base) && dirname(base) !== base) base = dirname(base);
  try {
    return mkdtempSync(join(base, "kvstore-torture-"));
  } catch (error) {
    throw new InputError(`cannot make a directory in ${base}: ${(error as Error).message}`);
  }
}

async function rounds(context: Context, tortured: Torture, seconds: number): Promise<void> {
  const { signal } = context;
  const bar = progressBar(context, "torturing", "seconds");
  const begun = Date.now();
  const stop = () => tortured.stop();
  signal.addEventListener("abort", stop);
  const ticking = setInterval(() => tick(bar, begun, seconds), 500);
  try {
    while (Date.now() - begun < seconds * 1000 && !signal.aborted && tortured.tally.failures.length === 0) {
      await tortured.round(signal);
    }
  } finally {
    clearInterval(ticking);
    signal.removeEventListener("abort", stop);
    await bar.stop();
  }
}

function tick(bar: Bar, begun: number, seconds: number): void {
  bar.update({ doneBytes: Math.min(seconds, Math.round((Date.now() - begun) / 1000)), totalBytes: seconds });
}

/** Prints the report, also after Ctrl-C. A reader that is gone does not change the exit status. */
async function report(context: Context, run: Run, tally: Tally): Promise<void> {
  const out = new StreamOutput(undefined);
  out.add(context.json ? JSON.stringify(reportForm(run, tally)) + "\n" : reportText(run, tally));
  try {
    await out.flush();
  } catch (error) {
    if (!(error instanceof PipeClosed)) throw error;
  }
}

interface Run {
  seed: number;
  seconds: number;
  directory: string;
}

function reportForm({ directory, ...run }: Run, tally: Tally): unknown {
  const form = { ...run, ...tally };
  return tally.failures.length === 0 ? form : { ...form, directory };
}

/** Writes the report as text. */
export function reportText({ seed, seconds, directory }: Run, tally: Tally): string {
  const { kills, failures } = tally;
  const killed = Object.values(kills).reduce((sum, count) => sum + count);
  const phases = `opening ${grouped(kills.open)}, writing ${grouped(kills.write)}, compacting ${
    grouped(kills.compact)
  }`;
  const rows: [string, string][] = [
    ["seed", String(seed)],
    ["seconds", grouped(seconds)],
    ["rounds", `${grouped(tally.rounds)} on ${counted(tally.stores, "store")}`],
    ["killed", `${grouped(killed)}: ${phases}, closing ${grouped(kills.close)}, starting ${grouped(kills.start)}`],
    ["ended unkilled", grouped(tally.ended)],
    ["acknowledged", `${counted(tally.acknowledged, "write")}, ${humanBytes(tally.bytes)} of keys and values`],
    ["syncs", grouped(tally.syncs)],
    ["states checked", grouped(tally.statesChecked)],
    ["failures", failures.length === 0 ? "none" : grouped(failures.length)],
  ];
  const lines = rows.map(([name, text]) => `${name.padEnd(16)}${text}`);
  for (const failure of failures) lines.push(`failure: ${failure}`);
  if (failures.length > 0) {
    lines.push(`kept: ${join(directory, "crashed")} as the kill left it, ${join(directory, "store")} as it is now`);
    lines.push(
      `kvstore verify --dir '${join(directory, "crashed")}'`,
      `kvstore log --dir '${join(directory, "crashed")}'`,
    );
  } else {
    lines.push("a power cut, which also loses what was written and not synced, was not tried");
  }
  return lines.map((line) => line + "\n").join("");
}
