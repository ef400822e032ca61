/**
 * The conformance suite of the Kv interface on the package `@deno/kv`, in the version that the benchmark compares with:
 * it fails where the table of its differences says so, and nowhere else.
 *
 * @module
 */

import { join } from "node:path";
import peers from "../../bench/peers/package.json" with { type: "json" };
import { cases } from "../../tests/kv/support/conformance.ts";
import { unlikeTheTable } from "../../tests/kv/support/deno_kv_package.ts";
import { compile } from "./compile.ts";
import type { Output } from "./programs/deno_kv.ts";
import type { Results } from "./results.ts";
import { npm, runOk } from "./run.ts";
import type { Runtime } from "./runtimes.ts";

const NAME = "@deno/kv";

/** The suite takes seven seconds; a machine that is busy may take its time. */
const LIMIT_MILLISECONDS = 400_000;

/** Installs the package into a new folder, and counts the cases that pass. Where it has no native module, none does. */
export async function checkDenoKv(
  folder: string,
  runtime: Runtime,
  { cache, results }: { cache: string; results: Results },
): Promise<void> {
  try {
    const output = await outputOf(folder, runtime, cache);
    if ("missing" in output) {
      console.log(`${NAME} cannot be loaded here, its cases are left out: ${output.missing.split("\n")[0]}`);
      return;
    }
    const passed = cases.length - output.failed.length;
    console.log(`${NAME} passes ${passed} cases and fails ${output.failed.length}`);
    results.pass(runtime.name, NAME, passed);
    for (const problem of unlikeTheTable(output.failed)) results.fail(runtime.name, NAME, problem);
  } catch (error) {
    // others run beside it, and go on
    results.fail(runtime.name, NAME, String(error));
  }
}

async function outputOf(folder: string, { program }: Runtime, cache: string): Promise<Output> {
  await Deno.mkdir(folder);
  const manifest = { private: true, dependencies: { [NAME]: peers.dependencies[NAME] } };
  await Deno.writeTextFile(join(folder, "package.json"), JSON.stringify(manifest));
  await npm(["install", "--prefix", folder], folder, cache);
  // the cases need nothing of our package
  const target = { folder: join(folder, "esm"), format: "esm" } as const;
  const compiled = await compile("scripts/npm/programs/deno_kv.ts", target);
  return JSON.parse(await runOk(program, [compiled, NAME], { cwd: folder, limitMilliseconds: LIMIT_MILLISECONDS }));
}
