/**
 * The gate: all that must hold before a change goes in. `--check` stops before the tests. `--skip-tests` leaves out the
 * suite, for callers that have just run it. The last line is `N passed, N failed`: test cases and examples, and one for
 * every other step that failed.
 *
 * @module
 */

import { join } from "node:path";
import config from "../deno.json" with { type: "json" };
import { ROOT } from "./repository.ts";
import { WITH_PERMISSIONS } from "./run_tests.ts";

/**
 * The sources of the page of `kvstore inspect`: for browsers, so that they have types, and a deno.json, of their own.
 */
const PAGE = join(ROOT, "src/cli/inspect/browser");

interface Step {
  name: string;
  args: string[];
  /** Where it runs (default: the repository). */
  cwd?: string;
  /** What is worth showing also when all is well. */
  show?: RegExp;
  /** Whether its test cases count: `deno test` without permissions repeats a part of the suite. */
  counts?: boolean;
  /** Whether it tells on standard error how far it is. */
  tells?: boolean;
}

/** Our own scripts end with it. */
const NUMBERS = /^(\d+) passed, (\d+) failed$/gm;
/** `deno test` ends with it. */
const CLOSING_LINE = /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed.*$/gm;

/** What takes less than a minute: `deno task check`. Steps of one group run side by side. */
function checkSteps(): Step[][] {
  return [
    [
      { name: "format", args: ["fmt", "--check"] },
      { name: "lint", args: ["lint"] },
      { name: "types, also of examples", args: ["check", "--doc"] },
      { name: "documentation of all exports", args: ["run", "-A", "scripts/check_docs.ts"] },
      { name: "imports, sizes, publish list", args: ["run", "-A", "scripts/check.ts"], show: /^.* findings$/gm },
    ],
    [
      { name: "format of the page's sources", args: ["fmt", "--check"], cwd: PAGE },
      { name: "lint of the page's sources", args: ["lint"], cwd: PAGE },
      { name: "types of the page's sources", args: ["check"], cwd: PAGE },
    ],
  ];
}

/** The tests, and what else runs the code. Steps of one group run side by side. */
function testSteps(scratch: string): Step[][] {
  const configFile = join(ROOT, "deno.json");
  // Tests have no examples; what docs/growing.md shows is one application, which a test follows from line to line.
  // Run from elsewhere, Deno does not heed what deno.json excludes: a package that was built has the same examples.
  const ignored = ["tests", "docs/growing.md", ...config.exclude].map((path) => join(ROOT, path)).join();
  return [
    [{ name: "tests", args: ["run", "-A", "scripts/run_tests.ts"], show: CLOSING_LINE, counts: true, tells: true }],
    // What the suite leaves out, and more cases of its sweeps.
    [{
      name: "long tests",
      args: ["run", "-A", "scripts/run_tests.ts", "--long"],
      show: CLOSING_LINE,
      counts: true,
      tells: true,
    }],
    [
      // The suite runs the tests of all other folders so.
      { name: "tests without permissions", args: ["test", ...WITH_PERMISSIONS], show: CLOSING_LINE },
      {
        name: "suites of the adapters on the npm package",
        args: ["run", "-A", "scripts/npm/this_node.ts"],
        show: /^(?:@deno\/kv .*|\d+ passed, \d+ failed)$/gm,
        counts: true,
      },
    ],
    [{
      name: "examples in documentation",
      args: ["test", "-A", "--doc", "--permit-no-files", "--config", configFile, "--ignore=" + ignored, ROOT],
      // the stores that examples make go away with the folder
      cwd: scratch,
      show: CLOSING_LINE,
      counts: true,
    }],
    [{ name: "publish dry run", args: ["run", "-A", "scripts/jsr.ts", "jsr:dry"], show: /^jsr:dry: .*$/gm }],
  ];
}

interface Outcome {
  name: string;
  passed: number;
  failed: number;
}

async function run({ name, args, cwd = ROOT, show, counts, tells }: Step): Promise<Outcome> {
  console.log(`${name}: deno ${args.join(" ")}`);
  const start = performance.now();
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: tells ? "inherit" : "piped",
  });
  const ended = await command.output();
  const decoder = new TextDecoder();
  const { success } = ended;
  const output = decoder.decode(ended.stdout);
  if (!success) console.log(output + (tells ? "" : decoder.decode(ended.stderr)));
  else if (show) { for (const [line] of output.matchAll(show)) console.log(`  ${line}`); }
  console.log(`  ${success ? "ok" : "FAILED"} (${((performance.now() - start) / 1000).toFixed(1)} s): ${name}`);
  const [, passed, failed] = [...output.matchAll(CLOSING_LINE), ...output.matchAll(NUMBERS)].at(-1) ?? [];
  return {
    name,
    passed: counts ? Number(passed ?? 0) : 0,
    failed: success ? 0 : Math.max(1, Number(failed ?? 0)),
  };
}

async function main(args: string[]): Promise<number> {
  const unknown = args.find((arg) => arg !== "--skip-tests" && arg !== "--check");
  if (unknown !== undefined) throw new Error(`unknown option ${unknown}; there are --check and --skip-tests`);
  console.log("deno.json links scripts/offline in the place of @std and @deno/dnt; `deno task jsr:test` uses JSR's\n");
  const scratch = await Deno.makeTempDir({ prefix: "kvstore-examples-" });
  const outcomes: Outcome[] = [];
  for (const group of args.includes("--check") ? checkSteps() : [...checkSteps(), ...testSteps(scratch)]) {
    const steps = group.filter(({ name }) => name !== "tests" || !args.includes("--skip-tests"));
    outcomes.push(...await Promise.all(steps.map(run)));
  }
  await Deno.remove(scratch, { recursive: true });
  const failed = outcomes.filter((outcome) => outcome.failed > 0);
  console.log(failed.length === 0 ? "\nall is well" : `\nfailed: ${failed.map(({ name }) => name).join("; ")}`);
  const sum = (key: "passed" | "failed") => outcomes.reduce((total, outcome) => total + outcome[key], 0);
  console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
  return failed.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
