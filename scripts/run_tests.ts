/**
 * The test suite: `deno task test`. Three processes at a time run the folders of tests/, one folder after the other,
 * while the types are checked. Standard error tells all along how many files are done, of how many. The last line adds
 * all results up; what a process printed is shown if it fails.
 *
 * `--long` runs what the gate adds: the files `*_long.ts`, which `deno test` does not find by itself, and more cases of
 * the sweeps of which the suite runs one in so many (tests/support/sweep.ts). Other arguments go to `deno test -A`.
 *
 * @module
 */

import { walk } from "@std/fs/walk";
import { join, relative } from "node:path";
import { ROOT } from "./repository.ts";

/**
 * Folders with tests that need the disk, processes or the network. All others run without permissions here, too, as
 * plain `deno test` runs them.
 */
export const WITH_PERMISSIONS: string[] = [
  "tests/adapters",
  "tests/cli",
  "tests/contract",
  "tests/docs",
  "tests/examples",
  "tests/kv",
  "tests/platform",
  "tests/process",
  "tests/scripts",
  "tests/store",
];
/** Folders that take long: they begin, so that nothing is left to wait for at the end. */
const SLOW_FOLDERS = ["tests/cli", "tests/contract", "tests/crash", "tests/process", "tests/scripts", "tests/damage"];
/** Of the files that sweep those that take longest. */
const SLOW_SWEEPS = [
  "queue_crash_test.ts",
  "model_test.ts",
  "fault_test.ts",
  "crash_test.ts",
  "crash_many_test.ts",
  "truncation_test.ts",
  "contract_test.ts",
];
/** What files that sweep import. */
const SWEEPING = /support\/(sweep|crash_replay)\.ts"/;

/**
 * How many processes run at once: one more than the two cores that there should be, as tests often wait for the disk.
 */
const WORKERS = 3;

/** `deno test` ends with it. */
const CLOSING_LINE = /^(?:ok|FAILED) \| (.*) \((?:\d+m)?\d+m?s\)$/gm;
/** A file of tests begins with it. */
const FILE_LINE = /^running \d+ tests? from \.?\/?(.*)$/gm;
/** A test that failed ends with it. */
const FAILED_LINE = /\.\.\. FAILED \(\d/g;

/** How often progress is told: where it has its own line on a terminal, and elsewhere. */
const TICK_MS = { terminal: 1000, other: 15_000 };

/** The closing line of several runs together, from what they printed. A run without a closing line has failed. */
export function closingLine(outputs: string[]): string {
  const sums = new Map([["passed", 0], ["failed", 0]]);
  for (const output of outputs) {
    const counts = [...output.matchAll(CLOSING_LINE)].at(-1)?.[1] ?? "1 failed";
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

/** What one process does. */
interface Job {
  args: string[];
  /** What it has printed so far. */
  output: string;
}

function job(...args: string[]): Job {
  return { args, output: "" };
}

function testJob(path: string, ...args: string[]): Job {
  const isFree = path.endsWith("_long.ts") || WITH_PERMISSIONS.some((folder) => `${path}/`.startsWith(`${folder}/`));
  return job("test", isFree ? "-A" : "--no-prompt", "--no-check", path, ...args);
}

/** Paths of files in tests/ whose names end so, in order. */
async function testFiles(ending: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { path } of walk(join(ROOT, "tests"), { includeDirs: false })) {
    if (path.endsWith(ending)) files.push(relative(ROOT, path).replaceAll("\\", "/"));
  }
  return files.sort();
}

/** Puts first what is slow. */
function slowFirst(paths: string[], isSlow: (path: string) => boolean): string[] {
  return [...paths.filter(isSlow), ...paths.filter((path) => !isSlow(path))];
}

/** The suite as plain `deno test` finds it: a job for each folder, and for each file beside the folders. */
async function suite(): Promise<{ files: number; jobs: Job[] }> {
  const files = await testFiles("_test.ts");
  const paths = new Set(files.map((file) => file.split("/").slice(0, 2).join("/")));
  const jobs = slowFirst([...paths], (path) => SLOW_FOLDERS.includes(path)).map((path) => testJob(path));
  return { files: files.length, jobs: [job("check", "--quiet", "tests"), ...jobs] };
}

/** What takes longer: a job for each file. */
async function longTests(): Promise<{ files: number; jobs: Job[] }> {
  const long = await testFiles("_long.ts");
  const sweeps = (await testFiles("_test.ts")).filter((file) => SWEEPING.test(Deno.readTextFileSync(join(ROOT, file))));
  const isSlow = (file: string) => SLOW_SWEEPS.some((name) => file.endsWith(`/${name}`));
  const ordered = slowFirst([...long, ...sweeps], (file) => long.includes(file) || isSlow(file));
  const jobs = ordered.map((file) => long.includes(file) ? testJob(file) : testJob(file, "--", "--gate"));
  return { files: jobs.length, jobs };
}

/** Runs a job to its end. Returns its exit status. */
async function run(job: Job): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: job.args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) job.output += text;
  };
  const [{ code }] = await Promise.all([child.status, collect(child.stdout), collect(child.stderr)]);
  return code;
}

/** Tells how far `jobs` are until `until`: on a terminal in a line that is written anew, else in lines. */
async function tellProgress(jobs: Job[], files: number, until: Promise<unknown>): Promise<void> {
  const begin = performance.now();
  const isTerminal = Deno.stderr.isTerminal();
  const tell = () => {
    const line = progressLine(jobs.map(({ output }) => output), { files, seconds: (performance.now() - begin) / 1000 });
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

async function runAll({ files, jobs }: { files: number; jobs: Job[] }): Promise<number> {
  const begin = performance.now();
  const queue = [...jobs];
  const failed: Job[] = [];
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (await run(next) !== 0) failed.push(next);
    }
  };
  const workers = Promise.all(Array.from({ length: WORKERS }, work));
  await tellProgress(jobs, files, workers);
  await workers;
  for (const { args, output } of failed) console.log(`deno ${args.join(" ")}\n${output}`);
  const counted = jobs.filter((job) => job.args[0] === "test" || failed.includes(job));
  console.log(
    `${closingLine(counted.map(({ output }) => output))} (${Math.round((performance.now() - begin) / 1000)}s)`,
  );
  return failed.length === 0 ? 0 : 1;
}

async function main(args: string[]): Promise<number> {
  if (args.length === 0) return await runAll(await suite());
  if (args.length === 1 && args[0] === "--long") return await runAll(await longTests());
  const command = new Deno.Command(Deno.execPath(), { args: ["test", "-A", ...args], cwd: ROOT, stdin: "null" });
  return (await command.spawn().status).code;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
