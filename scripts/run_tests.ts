/**
 * The test suite: `deno task test`. Two processes run half of it each, side by side: the tests that start programs, which
 * wait for them most of the time, and all others. How far they are is told on standard error all along; what they print is shown if a test
 * fails, and the last line adds theirs up. With arguments it is `deno test -A` with these.
 *
 * @module
 */

import { join } from "node:path";
import { walk } from "@std/fs/walk";
import { ROOT } from "./repository.ts";

/** Folders of tests that start programs. */
const STARTS_PROGRAMS = ["adapters", "cli", "docs", "examples", "platform", "process", "scripts"];

/** `deno test` ends with it. */
const CLOSING_LINE = /^(?:ok|FAILED) \| (.*) \((?:\d+m)?\d+m?s\)$/gm;
/** A file of tests begins with it. */
const FILE_LINE = /^running \d+ tests? from \.?\/?(.*)$/gm;
/** A test that failed ends with it. */
const FAILED_LINE = /\.\.\. FAILED \(\d/g;

/** How often progress is told: where it has its own line on a terminal, and elsewhere. */
const TICK_MS = { terminal: 1000, other: 15_000 };

/** The closing line of several runs together, from what they printed; undefined if one of them has none. */
export function closingLine(outputs: string[]): string | undefined {
  const sums = new Map([["passed", 0], ["failed", 0]]);
  for (const output of outputs) {
    const counts = [...output.matchAll(CLOSING_LINE)].at(-1)?.[1];
    if (counts === undefined) return undefined;
    for (const [, count, what] of counts.matchAll(/(\d+) (passed|failed|ignored|filtered out)/g)) {
      sums.set(what!, (sums.get(what!) ?? 0) + Number(count));
    }
  }
  const text = Array.from(sums, ([what, count]) => `${count} ${what}`).join(" | ");
  return `${sums.get("failed") === 0 ? "ok" : "FAILED"} | ${text}`;
}

/** How far runs are that are to go through `files` files together, from what they have printed so far. */
export function progressLine(outputs: string[], { files, seconds }: { files: number; seconds: number }): string {
  const hasEnded = (output: string) => output.search(CLOSING_LINE) >= 0;
  const begun = outputs.map((output) => Array.from(output.matchAll(FILE_LINE), ([, file]) => file!));
  const running = begun.flatMap((names, i) => hasEnded(outputs[i]!) ? [] : names.slice(-1));
  const done = begun.flat().length - running.length;
  const failed = outputs.join("").match(FAILED_LINE)?.length ?? 0;
  const time = `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const parts = [`${done} of ${files} files`, ...failed > 0 ? [`${failed} failed`] : [], time];
  return `${parts.join(", ")}: ${running.join(" ") || "checking types"}`;
}

/** A run of `deno test`, and what it has printed so far. */
interface Run {
  output: string;
  readonly code: Promise<number>;
}

function start(paths: string[]): Run {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...paths],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) run.output += text;
  };
  const ended = Promise.all([child.status, collect(child.stdout), collect(child.stderr)]);
  const run: Run = { output: "", code: ended.then(([{ code }]) => code) };
  return run;
}

/** Tells how far `runs` are until `until`: on a terminal in a line that is written anew, else in lines. */
async function tellProgress(runs: Run[], files: number, until: Promise<unknown>): Promise<void> {
  const begin = performance.now();
  const isTerminal = Deno.stderr.isTerminal();
  const tell = () => {
    const line = progressLine(runs.map(({ output }) => output), { files, seconds: (performance.now() - begin) / 1000 });
    if (!isTerminal) return console.error(line);
    const { columns } = Deno.consoleSize();
    Deno.stderr.writeSync(new TextEncoder().encode(`\r${line.slice(0, columns - 1)}\x1b[K`));
  };
  tell();
  const timer = setInterval(tell, isTerminal ? TICK_MS.terminal : TICK_MS.other);
  await until;
  clearInterval(timer);
  if (isTerminal) Deno.stderr.writeSync(new TextEncoder().encode("\r\x1b[K"));
}

async function runSuite(): Promise<number> {
  const folder = join(ROOT, "tests");
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).filter((name) => name !== "deno.json").sort();
  const isFirst = (name: string) => STARTS_PROGRAMS.includes(name);
  let files = 0;
  for await (const _ of walk(folder, { includeDirs: false, match: [/_test\.ts$/] })) files++;
  const begin = performance.now();
  const halves = [names.filter(isFirst), names.filter((name) => !isFirst(name))];
  const runs = halves.map((half) => start(half.map((name) => join("tests", name))));
  const codes = Promise.all(runs.map(({ code }) => code));
  await tellProgress(runs, files, codes);
  const outputs = runs.map(({ output }) => output);
  for (const [i, code] of (await codes).entries()) if (code !== 0) console.log(outputs[i]);
  const line = closingLine(outputs);
  if (line === undefined) console.log("FAILED: a half of the suite ended before its end");
  else console.log(`${line} (${Math.round((performance.now() - begin) / 1000)}s)`);
  return line === undefined ? 1 : Math.max(...await codes);
}

async function main(args: string[]): Promise<number> {
  if (args.length === 0) return await runSuite();
  const command = new Deno.Command(Deno.execPath(), { args: ["test", "-A", ...args], cwd: ROOT, stdin: "null" });
  return (await command.spawn().status).code;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
