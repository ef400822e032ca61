/**
 * The whole behavioural suite in one runtime: on the source under Deno, on the installed package elsewhere.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { ROOT } from "../repository.ts";
import { compile } from "./compile.ts";
import { type Count, countOf, type Results } from "./results.ts";
import { run } from "./run.ts";
import type { Runtime } from "./runtimes.ts";

/** The suite takes half a minute; a machine that is busy may take its time. */
const LIMIT_MILLISECONDS = 400_000;
/** For a single case under Bun, whose runner would give it five seconds. */
const CASE_MILLISECONDS = 60_000;

/** What becomes of the compiled suite: its ESM and its CommonJS. */
export interface Suite {
  /** Path of the suite that imports the package. */
  esm: string;
  /** Path of the suite that requires it. */
  script: string;
}

/** The column of the suite in a realm of its own. */
export const IN_REALM = "contract in a realm";

/** Compiles the suite, and what runs it in a realm of its own, against the installed package. */
export async function compileInRealm(project: string): Promise<string[]> {
  const target = { folder: join(project, "realm"), format: "script" } as const;
  return [
    await compile("scripts/npm/programs/realm.ts", target),
    await compile("scripts/npm/programs/contract.ts", target),
  ];
}

/**
 * Runs the suite, which the first of the files is or is given to; returns what the runtime's own test runner counted.
 */
export async function runContract(
  runtime: Runtime,
  { files, scratch, results, column }: { files: string[]; scratch: string; results: Results; column: string },
): Promise<Count> {
  const temporary = await Deno.makeTempDir({ dir: scratch, prefix: "contract-" });
  const { args, cwd } = commandOf(runtime, files);
  // the cases' temporary folders go where they are removed for sure
  const env = { TMPDIR: temporary, TMP: temporary, TEMP: temporary };
  const { code, stdout, stderr } = await run(runtime.program, args, {
    cwd,
    env,
    limitMilliseconds: LIMIT_MILLISECONDS,
  });
  const count = countOf(runtime.kind, stdout + stderr);
  results.pass(runtime.name, column, count?.passed ?? 0);
  if (code !== 0 || count === undefined || count.failed > 0) {
    const shown = failuresIn(stdout + stderr);
    results.fail(runtime.name, column, `exit status ${code}\n${shown}`, Math.max(1, count?.failed ?? 0));
  }
  return count ?? { passed: 0, failed: 0 };
}

function commandOf(runtime: Runtime, files: string[]): { args: string[]; cwd: string } {
  const cwd = dirname(files[0]!);
  switch (runtime.kind) {
    case "deno":
      // All cases on the disk as well, and none twice in memory.
      return {
        args: ["test", "-A", "--no-check", "--filter", "/^(contract|kv)/", ...files, "--", "--sweep"],
        cwd: ROOT,
      };
    case "node":
      // what `node --test` does in a process of its own, which would outlive a time limit
      return { args: ["--test-reporter=tap", ...files], cwd };
    case "bun":
      return { args: ["test", `--timeout=${CASE_MILLISECONDS}`, ...files], cwd };
  }
}

/** The lines of a runner's output that are about failures; all of it if there are none. */
function failuresIn(output: string): string {
  const lines = output.split("\n");
  const about = /^(not ok|\(fail\))|\.\.\. FAILED|^\s*(error|failureType|message|stack):|uncaught/;
  const found = lines.filter((line, i) => about.test(line) || (i > 0 && /^\s*error: \|-/.test(lines[i - 1]!)));
  return (found.length > 0 ? found : lines).slice(0, 60).join("\n");
}
