/** The list of mutants fits the code, the tests and docs/safety.md; `deno task long:mutants` runs them. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { mutants, promises } from "../../scripts/mutants/list.ts";
import { judge, testArguments } from "../../scripts/mutants/run.ts";
import { type Mutant, mutantsOf } from "../../scripts/mutants/types.ts";
import { canUseDisk } from "../support/permissions.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

function readText(path: string): string {
  return Deno.readTextFileSync(`${root}/${path}`);
}

/** Registers a test that reads the repository. */
function readingTest(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, fn, ignore: !canUseDisk });
}

/** What `check` throws for some of them. */
function problemsOf(list: Mutant[], check: (mutant: Mutant) => void): string[] {
  return list.flatMap((mutant) => {
    try {
      check(mutant);
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
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

readingTest(
  "mutants: the text of each occurs exactly once where it says, and something else stands there then",
  async () => {
    const { declarationsIn, mutate, readSources } = await import("../../scripts/mutants/anchors.ts");
    const files = await readSources(root, "src/");
    const declarations = files.flatMap(declarationsIn);
    const texts = new Map(files.map(({ path, text }) => [path, text]));
    const problems = problemsOf(mutants, (mutant) => {
      const { path, text } = mutate(declarations, mutant);
      assert(text !== texts.get(path), mutant.id);
    });
    assertEquals(problems, []);
  },
);

readingTest("mutants: the tests that are to notice them exist, each title in one file", async () => {
  const { filesByTitle, killersOf, readSources } = await import("../../scripts/mutants/anchors.ts");
  const files = filesByTitle(await readSources(root, "tests/"));
  const runners = new Set<string>();
  const problems = problemsOf(mutants, (mutant) => {
    for (const killer of killersOf(files, mutant)) runners.add(testArguments(killer).at(-1)!);
  });
  assertEquals(problems, []);
  for (const runner of runners) assert(runner.endsWith("_test.ts") && readText(runner).length > 0, runner);
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

const CODE = `
/** Not this: total(a, b). */
export function sum(a: number, b: number): number {
  return total(a, b);
}

export const LIMIT = 8, OTHER = 8;

export class Sum {
  #parts: number[] = [];

  constructor(readonly limit: number) {
    this.#parts.push(limit);
  }

  /** Adds one. */
  add(a: number, b: number): string {
    this.#parts.push(total(a, b)); // once
    if (a > b) this.#parts.push(0);
    return \`{\${[a, b].map((one) => \`\${one};\`)}} \${a}\`;
  }
}
`;

function example(where: string, find: string, replace = "$&"): Mutant {
  return { id: "an-example", in: where, find, replace, killers: ["a: b", "a: …"] };
}

readingTest(
  "mutants: a text is found in a function, a member of a class or a constant, whatever file that is in",
  async () => {
    const { declarationsIn, mutate } = await import("../../scripts/mutants/anchors.ts");
    const other = { path: "src/other.ts", text: "function sum() { return none; }\n" };
    for (const path of ["src/a.ts", "src/b/c.ts"]) {
      const declarations = [other, { path, text: CODE }].flatMap(declarationsIn);
      for (
        const [where, find, from] of [
          ["sum", "total(a, b)", "return total(a, b)"],
          ["LIMIT", "LIMIT = 8", "const LIMIT = 8"],
          ["Sum.#parts", "= []", "#parts: number[] = []"],
          ["Sum.constructor", "this.#parts.push(limit);", "this.#parts.push(limit);\n  }"],
          ["Sum.add", "total(a, b)", "push(total(a, b)); //"],
          ["Sum.add", "`{${[a, b].map((one) => `${one};`)}} ${a}`", "`{${[a, b].map((one) => `${one};`)}} ${a}`"],
        ] as const
      ) {
        const text = CODE.replace(from, () => from.replace(find, () => "$&"));
        assert(text !== CODE, find);
        assertEquals(mutate(declarations, example(where, find)), { path, text });
      }
      assertEquals(mutate(declarations, example("sum", "none", "1")).path, other.path);
    }
  },
);

readingTest("mutants: white space, comments and trailing commas are no part of a text, strings are", async () => {
  const { declarationsIn, mutate } = await import("../../scripts/mutants/anchors.ts");
  const text = 'function f() {\n  return g(\n    { a, b },\n    [1, 2], // two\n    "x  y",\n  );\n}\n';
  const declarations = declarationsIn({ path: "src/a.ts", text });
  for (
    const find of ['g({a,b},[1,2],"x  y")', 'g(\n{ a, b, }, /* one */ [1, 2,], "x  y",)', 'g({ a, b }, [1, 2], "x  y"']
  ) {
    const rest = find.endsWith(")") ? "" : ",\n  )";
    assertEquals(
      mutate(declarations, example("f", find, "0")).text,
      `function f() {\n  return 0${rest};\n}\n`,
    );
  }
  assertEquals(mutate(declarations, example("f", "[1, 2],", "")).text, text.replace("[1, 2],", ""));
  assertThrows(() => mutate(declarations, example("f", '"x y"')), Error, "0 times");
});

readingTest("mutants: what is not there once is an error that names the mutant and says what was wanted", async () => {
  const { declarationsIn, mutate } = await import("../../scripts/mutants/anchors.ts");
  const declarations = declarationsIn({ path: "src/a.ts", text: CODE });
  for (
    const [where, find, message] of [
      ["Sum.sum", "total(a, b)", "an-example: nothing in src/ is called Sum.sum"],
      ["sum", "a + b", "an-example: its text occurs 0 times in sum (src/a.ts), wanted is once: a + b"],
      [
        "Sum.add",
        "this.#parts.push",
        "an-example: its text occurs 2 times in Sum.add (src/a.ts), wanted is once: this.",
      ],
      ["sum", " ", "0 times"],
    ] as const
  ) assertThrows(() => mutate(declarations, example(where, find)), Error, message);
  const twice = [...declarations, ...declarationsIn({ path: "src/b.ts", text: CODE })];
  assertThrows(() => mutate(twice, example("sum", "total(a, b)")), Error, "2 times in sum (src/a.ts, src/b.ts)");
});

readingTest("mutants: a title stands for the test that has it, if that is in one file", async () => {
  const { filesByTitle, killersOf } = await import("../../scripts/mutants/anchors.ts");
  const tests = [
    { path: "tests/a_test.ts", text: 'Deno.test("a: b", () => {});' },
    { path: "tests/b_test.ts", text: "Deno.test(`a: ${1}`, () => {});" },
  ];
  const mutant = example("", "");
  assertEquals(killersOf(filesByTitle(tests), mutant), [
    { file: "tests/a_test.ts", title: "a: b" },
    { file: "tests/b_test.ts", title: "a: …" },
  ]);
  const twice = filesByTitle([...tests, { ...tests[0]!, path: "tests/c_test.ts" }]);
  assertThrows(() => killersOf(twice, mutant), Error, "an-example: “a: b” stands in tests/a_test.ts, tests/c_test.ts");
  const missing = filesByTitle(tests.slice(0, 1));
  assertThrows(() => killersOf(missing, mutant), Error, "an-example: no file in tests/ has a test “a: …”");
});

Deno.test("mutants: a title becomes the filter that finds this one test", () => {
  assertEquals(testArguments({ file: "tests/a_test.ts", title: "a: 2^3 (x…)" }), [
    "--filter",
    "/^([a-z]+: )?a: 2\\^3 \\(x.*\\)$/",
    "tests/a_test.ts",
  ]);
  assertEquals(testArguments({ file: "tests/contract/keys.ts", title: "keys: b" }), [
    "--filter",
    "/^contract, in memory: keys: b$/",
    "tests/contract/contract_test.ts",
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
