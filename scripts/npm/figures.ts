/**
 * What the package costs: size, number of files, and time to import it.
 *
 * @module
 */

import { join } from "node:path";
import { ROOT } from "../repository.ts";
import { measureInstalled } from "./consumers.ts";
import type { Tarball } from "./pack.ts";
import { table } from "./results.ts";
import { runOk } from "./run.ts";
import type { Runtime } from "./runtimes.ts";

/** Processes of each kind. */
const SAMPLES = 11;

/** A Markdown table for docs/npm.md. */
export async function figures(tarball: Tarball, project: string, runtimes: Runtime[]): Promise<string> {
  const installed = await measureInstalled(project);
  const rows = [
    ["tarball", kilobytes(tarball.sizeBytes)],
    ["installed", kilobytes(installed.sizeBytes)],
    ["files", String(installed.files)],
    ["dependencies", "0"],
  ];
  for (const runtime of runtimes) {
    rows.push([`import, ${runtime.name}`, `${(await importMilliseconds(runtime, project)).toFixed(1)} ms`]);
  }
  return table(["kvstore for npm", ""], rows);
}

/** The median of fresh processes that import the package, minus that of empty ones, turn and turn about. */
async function importMilliseconds(runtime: Runtime, project: string): Promise<number> {
  const isDeno = runtime.kind === "deno";
  const folder = join(project, "import");
  await Deno.mkdir(folder, { recursive: true });
  const [empty, full] = [join(folder, "empty.mjs"), join(folder, "full.mjs")];
  await Deno.writeTextFile(empty, "");
  await Deno.writeTextFile(full, `import "@kvstore/kvstore";\n`);
  const programs = isDeno ? [empty, join(ROOT, "mod.ts")] : [empty, full];
  const times: number[][] = [[], []];
  for (let i = 0; i <= SAMPLES; i++) {
    for (const [j, program] of programs.entries()) {
      const start = performance.now();
      await runOk(runtime.program, isDeno ? ["run", "--no-check", program] : [program], { cwd: project });
      // the first ones fill the caches
      if (i > 0) times[j]!.push(performance.now() - start);
    }
  }
  return median(times[1]!) - median(times[0]!);
}

/** The middle of an odd number of numbers. */
function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000)} kB`;
}
