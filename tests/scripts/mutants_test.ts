/** The list of mutants fits the code, the tests and docs/safety.md; `deno task test:mutants` runs them. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { mutants, promises } from "../../scripts/mutants/list.ts";
import { judge, mutate, testArguments } from "../../scripts/mutants/run.ts";
import { mutantsOf } from "../../scripts/mutants/types.ts";
import { canUseDisk } from "../support/permissions.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

function readText(path: string): string {
  return Deno.readTextFileSync(`${root}/${path}`);
}

/** Registers a test that reads the repository. */
function readingTest(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, fn, ignore: !canUseDisk });
}

Deno.test("mutants: names are unique, and every sentence has mutants or a reason", () => {
  assertEquals(new Set(mutants.map(({ id }) => id)).size, mutants.length);
  assertEquals(new Set(promises.map(({ sentence }) => sentence)).size, promises.length);
  for (const promised of promises) {
    const isCovered = "none" in promised ? promised.none.length > 0 : promised.mutants.length > 0;
    assert(isCovered, promised.sentence);
  }
  for (const { id, killers } of mutants) {
    assert(/^[a-z]+(-[a-z]+)+$/.test(id), id);
    assert(killers.length > 0, id);
  }
});

readingTest("mutants: the text of each occurs exactly once in its file, and something else stands there then", () => {
  for (const mutant of mutants) {
    assert(mutant.file.startsWith("src/"), mutant.id);
    const source = readText(mutant.file);
    assert(mutate(source, mutant) !== source, mutant.id);
  }
});

readingTest("mutants: the tests that are to notice them exist", async () => {
  const { titlesIn } = await import("../../scripts/mutants/document.ts");
  const paths = new Set(mutants.flatMap(({ killers }) => killers.map(([path]) => path)));
  const titles = new Map(Array.from(paths, (path) => [path, titlesIn({ path, text: readText(path) })]));
  const missing: string[] = [];
  for (const { id, killers } of mutants) {
    for (const [path, title] of killers) {
      if (title !== undefined && !titles.get(path)!.has(title)) missing.push(`${id}: ${path} has no test “${title}”`);
    }
  }
  assertEquals(missing, []);
});

readingTest("mutants: the tables of docs/safety.md have the same sentences, with the same mutants", async () => {
  const { DOCUMENT, mutantsNamedIn, sentencesOf } = await import("../../scripts/mutants/document.ts");
  const sentences = sentencesOf(readText(DOCUMENT));
  assertEquals([...sentences.keys()].sort(), promises.map(({ sentence }) => sentence).sort());
  for (const promised of promises) {
    const beside = sentences.get(promised.sentence)!;
    if ("none" in promised) assertEquals(beside, `none: ${promised.none}`);
    else assertEquals(mutantsNamedIn(beside).sort(), mutantsOf(promised).map(({ id }) => id).sort(), promised.sentence);
  }
});

const EXAMPLE = { id: "an-example", file: "src/a.ts", find: "a + b", replace: "a - b$&", killers: [] };

Deno.test("mutants: a text that is not there once is an error of the list", () => {
  assertEquals(mutate("return a + b;", EXAMPLE), "return a - b$&;");
  for (const source of ["return a;", "a + b + a + b"]) assertThrows(() => mutate(source, EXAMPLE), Error, "an-example");
});

Deno.test("mutants: a title becomes the filter that finds this one test", () => {
  assertEquals(testArguments(["tests/a_test.ts"]), ["tests/a_test.ts"]);
  assertEquals(testArguments(["tests/a_test.ts", "a: 2^3 (x…)"]), [
    "--filter",
    "/^a: 2\\^3 \\(x.*\\)$/",
    "tests/a_test.ts",
  ]);
  assertEquals(testArguments(["tests/contract/keys.ts", "keys: b"]), [
    "--filter",
    "/^contract, in memory: keys: b$/",
    "tests/store_contract_test.ts",
  ]);
});

Deno.test("mutants: only a test that ran and failed has noticed one", () => {
  const passed = "running 1 test from ./tests/a_test.ts\na ... ok (1ms)\n\nok | 1 passed | 0 failed (2ms)\n";
  const none = "\nok | 0 passed | 0 failed | 9 filtered out (2ms)\n";
  const failed = "a ... FAILED (1ms)\n\n ERRORS \n\na => ./tests/a_test.ts:1:6\nerror: AssertionError: no\n\n" +
    " FAILURES \n\na => ./tests/a_test.ts:1:6\n\nFAILED | 3 passed (2 steps) | 1 failed (2ms)\n\nerror: Test failed\n";
  const broken = "\n ERRORS \n\n./tests/a_test.ts (uncaught error)\nerror: SyntaxError: no\n\n FAILURES \n\n" +
    "./tests/a_test.ts (uncaught error)\n\nFAILED | 0 passed | 1 failed (2ms)\n";
  const outputs = { passed, none, failed, broken, silent: "" };
  assertEquals(Object.entries(outputs).map(([name, text]) => `${name}: ${judge(text).verdict}`), [
    "passed: survived",
    "none: no verdict",
    "failed: killed",
    "broken: no verdict",
    "silent: no verdict",
  ]);
  assertEquals(judge(failed).detail, "a");
});
