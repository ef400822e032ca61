/**
 * The programs that the README shows, word for word, on the installed package: what stands first has to run on every
 * runtime that is named, and Node before 24 takes `await using` for a mistake.
 *
 * @module
 */

import { join } from "node:path";
import ts from "typescript";
import { blocksOf } from "../../tests/docs/blocks.ts";
import { ROOT } from "../stage.ts";
import { assertSame, type Results } from "./results.ts";
import { run } from "./run.ts";
import type { Runtime } from "./runtimes.ts";

/** The programs in TypeScript. */
export function readmePrograms(): string[] {
  const readme = Deno.readTextFileSync(join(ROOT, "README.md"));
  return blocksOf(readme).filter(({ language }) => language === "ts").map(({ text }) => text);
}

/** A program without its types, and with whatever else `target` lacks put in other words. */
export function withoutTypes(program: string, target: ts.ScriptTarget = ts.ScriptTarget.ESNext): string {
  return ts.transpileModule(program, { compilerOptions: { target, module: ts.ModuleKind.ESNext } }).outputText;
}

/** Runs each program in an empty folder of a project that has the package and those that adapters are for. */
export async function checkReadme(
  project: string,
  runtime: Runtime,
  { column, results }: { column: string; results: Results },
): Promise<void> {
  for (const [i, program] of readmePrograms().entries()) {
    await results.check(runtime.name, column, `program ${i + 1} of the README`, async () => {
      const cwd = await Deno.makeTempDir({ dir: project, prefix: "readme-" });
      await Deno.writeTextFile(join(cwd, "main.mjs"), withoutTypes(program));
      const { code, stderr } = await run(runtime.program, ["main.mjs"], { cwd });
      assertSame([code, stderr], [0, ""], "exit status and standard error");
    });
  }
}
