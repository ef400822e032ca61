/** What docs/safety.md names is there. */

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { mutants } from "../../scripts/mutants/list.ts";
import { canUseDisk } from "../support/permissions.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

function readText(path: string): string {
  return Deno.readTextFileSync(`${root}/${path}`);
}

/** Registers a test that reads the document, and the compiler with it. */
function documentTest(
  name: string,
  fn: (document: string, read: typeof import("../../scripts/mutants/document.ts")) => void,
): void {
  Deno.test({
    name,
    ignore: !canUseDisk,
    fn: async () => {
      const read = await import("../../scripts/mutants/document.ts");
      fn(readText(read.DOCUMENT), read);
    },
  });
}

documentTest("safety: every test that the document names exists, file and title", (document, read) => {
  const named = read.testsNamedIn(document);
  assert(named.length > 40, `only ${named.length} tests are named`);
  const files = new Map(named.map(([path]) => [path, readText(path)]));
  const titles = new Map(Array.from(files, ([path, text]) => [path, read.titlesIn({ path, text })]));
  const missing = named.filter(([path, title]) => title !== undefined && !titles.get(path)!.has(title));
  assertEquals(missing.map(([path, title]) => `${path} has no test “${title}”`), []);
});

documentTest(
  "safety: every mutant that the document names exists, and every line of its tables has one",
  (document, read) => {
    const ids = new Set(mutants.map(({ id }) => id));
    const missing: string[] = [];
    let lines = 0;
    for (const line of document.split("\n")) {
      const cells = line.startsWith("|") ? line.slice(1, -1).split("|").map((cell) => cell.trim()) : [];
      if (cells.length !== 4 || cells[0] === "what happens" || cells[0]!.startsWith("--")) continue;
      const named = read.mutantsNamedIn(cells[3]!);
      assert(named.length > 0 && read.testsNamedIn(cells[2]!).length > 0, line);
      missing.push(...named.filter((id) => !ids.has(id)));
      lines++;
    }
    assertEquals(missing, [], "there are no such mutants");
    assert(lines > 30, `only ${lines} lines`);
  },
);

documentTest("safety: what is looked for can be missing", (_, read) => {
  assertEquals(read.testsNamedIn("`tests/a_test.ts` “a\n… b”, `tests/b.ts`"), [
    ["tests/a_test.ts", "a … b"],
    ["tests/b.ts", undefined],
  ]);
  const text = "const a = `x ${1} y`; Deno.test('it\\'s', () => {});";
  assertEquals([...read.titlesIn({ path: "a.ts", text })], ["x … y", "it's"]);
  const table =
    "| sentence | mutants |\n| --- | --- |\n| It holds. | `a-b`, `c-d` |\n\n| other | table |\n| - | - |\n| a | b |";
  assertEquals([...read.sentencesOf(table)], [["It holds.", "`a-b`, `c-d`"]]);
  assertEquals(read.mutantsNamedIn("`a-b`, `c-d-e`, `fdatasync`"), ["a-b", "c-d-e"]);
});
