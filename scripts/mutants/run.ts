/**
 * Runs tests over a copy of the repository, with and without a mutant in it.
 *
 * @module
 */

import { dirname, join } from "node:path";
import type { SourceText } from "../checks/source.ts";
import { listFiles, ROOT } from "../repository.ts";
import type { Killer } from "./types.ts";

/** A run of tests that takes longer has not noticed anything. */
const TIME_LIMIT_MS = 120_000;

/** What became of a run. */
export interface Outcome {
  /** `killed` is what is wanted of a mutant, `survived` of the code as it is. */
  verdict: "killed" | "survived" | "time-out" | "no verdict";
  /** The test that failed, or what else there is to say. */
  detail: string;
  /** How long it took. */
  seconds: number;
}

/** Copies the repository to a new temporary folder, for the caller to remove. */
export async function copyRepository(): Promise<string> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "kvstore-mutants-" }));
  for (const file of await listFiles(ROOT)) {
    await Deno.mkdir(join(folder, dirname(file)), { recursive: true });
    await Deno.copyFile(join(ROOT, file), join(folder, file));
  }
  return folder;
}

/**
 * What `deno test` has to be told to run a killer. Cases of a suite are run by another file, and some files put a word
 * before every title.
 */
export function testArguments({ file, title }: Killer): string[] {
  const [runner, prefix] = file.startsWith("tests/contract/")
    ? ["tests/contract/contract_test.ts", "^contract, in memory: "]
    : [file === "tests/platform/support/suite.ts" ? "tests/platform/platform_test.ts" : file, "^([a-z]+: )?"];
  const pattern = title.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("…", ".*");
  return ["--filter", `/${prefix}${pattern}$/`, runner];
}

async function deno(folder: string, args: string[]): Promise<{ code: number; text: string; isLate: boolean }> {
  const signal = AbortSignal.timeout(TIME_LIMIT_MS);
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd: folder,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal,
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr), isLate: signal.aborted };
}

/** Says what the output of `deno test` means. Only a test that ran and failed has noticed anything. */
export function judge(text: string): Omit<Outcome, "seconds"> {
  const [, result, passed, failed] = /^(ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/m.exec(text) ?? [];
  if (result === "ok" && Number(passed) > 0) return { verdict: "survived", detail: `${passed} tests passed` };
  if (result === "ok") return { verdict: "no verdict", detail: "no test has that name, or all were ignored" };
  const names = text.slice(text.lastIndexOf("\n FAILURES ")).matchAll(/^(.+) => \.\/tests\/.+$/gm);
  const [first] = Array.from(names, ([, name]) => name!);
  if (Number(failed) > 0 && first !== undefined) return { verdict: "killed", detail: first };
  return { verdict: "no verdict", detail: text.trim().split("\n").slice(-12).join("\n") };
}

/** Runs one killer. */
export async function runKiller(folder: string, killer: Killer): Promise<Outcome> {
  const start = performance.now();
  const { text, isLate } = await deno(folder, ["test", "-A", "--no-check", ...testArguments(killer), "--", "--sweep"]);
  const seconds = (performance.now() - start) / 1000;
  if (isLate) return { verdict: "time-out", detail: killer.title, seconds };
  return { ...judge(text), seconds };
}

/** Puts a changed file into the copy, type-checks it, runs killers until one notices, and takes it out again. */
export async function runMutant(folder: string, changed: SourceText, killers: Killer[]): Promise<Outcome> {
  const path = join(folder, changed.path);
  const source = await Deno.readTextFile(path);
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  try {
    await Deno.writeTextFile(path, changed.text);
    const checked = await deno(folder, ["check", changed.path]);
    if (checked.code !== 0) {
      return { verdict: "no verdict", detail: `it does not type-check:\n${checked.text.trim()}`, seconds: seconds() };
    }
    let last: Outcome | undefined;
    for (const killer of killers) {
      last = await runKiller(folder, killer);
      if (last.verdict === "killed") break;
    }
    return {
      ...last ?? { verdict: "no verdict", detail: "none of its tests passes over the code as it is" },
      seconds: seconds(),
    };
  } finally {
    await Deno.writeTextFile(path, source);
  }
}
