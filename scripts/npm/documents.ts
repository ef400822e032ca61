/**
 * The programs that the README and the documents behind it show, word for word, on the installed package: they have to
 * run on every runtime that is named, and `await using` is a syntax error on Node before 24.
 *
 * @module
 */

import { join } from "node:path";
import ts from "typescript";
import { blocksOf } from "../../tests/docs/support/blocks.ts";
import { ROOT } from "../repository.ts";
import { assertSame, type Results } from "./results.ts";
import { run } from "./run.ts";
import type { Runtime } from "./runtimes.ts";

/** The documents whose programs run on every runtime. The recipes are for those that have `await using`. */
const DOCUMENTS = ["README.md", "docs/library.md", "docs/adapters.md", "docs/kv.md"];

/** The programs in TypeScript, the README's first. */
export function documentPrograms(): string[] {
  return DOCUMENTS.flatMap((path) => blocksOf(Deno.readTextFileSync(join(ROOT, path))))
    .filter(({ language }) => language === "ts").map(({ text }) => text);
}

/** A program without its types, and with whatever else `target` lacks put in other words. */
export function withoutTypes(program: string, target: ts.ScriptTarget = ts.ScriptTarget.ESNext): string {
  return ts.transpileModule(program, { compilerOptions: { target, module: ts.ModuleKind.ESNext } }).outputText;
}

/** Runs each program in an empty folder of a project that has the package and those that adapters are for. */
export async function checkDocuments(
  project: string,
  runtime: Runtime,
  { column, results }: { column: string; results: Results },
): Promise<void> {
  for (const [i, program] of documentPrograms().entries()) {
    await results.check(runtime.name, column, `program ${i + 1} of the documents`, async () => {
      const cwd = await Deno.makeTempDir({ dir: project, prefix: "document-" });
      await Deno.writeTextFile(join(cwd, "main.mjs"), withoutTypes(program));
      const { code, stderr } = await run(runtime.program, ["main.mjs"], { cwd });
      assertSame([code, stderr], [0, ""], "exit status and standard error");
    });
  }
}
