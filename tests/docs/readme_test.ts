/**
 * What the README and the documents behind it show runs as it stands there, and the README stays short.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { canUseDisk } from "../support/permissions.ts";
import { blocksOf } from "./support/blocks.ts";

/**
 * The first program was a SyntaxError on Node 20 and 22, which have no `await using`: only compiled copies of it had
 * been run there. The package's tests run it as it stands now, on every runtime; this one needs none.
 */
Deno.test({
  name: "README: the programs are what the oldest Node takes, but for types",
  ignore: !canUseDisk,
  async fn() {
    const [{ default: ts }, { documentPrograms, withoutTypes }] = await Promise.all([
      import("typescript"),
      import("../../scripts/npm/documents.ts"),
    ]);
    const programs = documentPrograms();
    assert(programs.length > 5);
    for (const program of programs) assertEquals(withoutTypes(program, ts.ScriptTarget.ES2022), withoutTypes(program));
  },
});

Deno.test({
  name: "README: at most 200 lines and two charts, and a first program of ten lines",
  ignore: !canUseDisk,
  fn() {
    const readme = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
    assert(readme.trimEnd().split("\n").length <= 200);
    assertEquals(readme.match(/docs\/bench\/[\w-]+\.svg/g)?.length, 2);
    const first = blocksOf(readme).find(({ language }) => language === "ts")!;
    assert(first.text.split("\n").filter((line) => line !== "").length <= 10);
  },
});
