import { assertEquals, assertRejects } from "@std/assert";
import { filesOnJsr, withWholeLinks } from "../../scripts/npm/links.ts";
import { countOf, Results, table } from "../../scripts/npm/results.ts";
import { twoAtATime } from "../../scripts/npm/run.ts";

Deno.test("the numbers of every test runner are read, and a run that broke off has none", () => {
  const deno = "running 3 tests\na ... ok (1ms)\n\nFAILED | 2 passed (1 step) | 1 failed | 4 ignored (9ms)\n";
  assertEquals(countOf("deno", deno), { passed: 2, failed: 1 });
  assertEquals(countOf("deno", "ok | 470 passed | 0 failed (13s)\n"), { passed: 470, failed: 0 });
  const node = "not ok 1 - # pass 9\n# tests 3\n# suites 0\n# pass 1\n# fail 1\n# cancelled 1\n# skipped 1\n# todo 0\n";
  assertEquals(countOf("node", node), { passed: 1, failed: 3 });
  assertEquals(countOf("bun", "(fail) a\n\n 470 pass\n 2 fail\n 5 expect() calls\n"), { passed: 470, failed: 2 });
  for (const kind of ["deno", "node", "bun"] as const) assertEquals(countOf(kind, "killed after 3 passed"), undefined);
});

Deno.test("results count by row and column, and go on after a failure", async () => {
  const results = new Results();
  await results.check("row", "a", "good", () => {});
  results.pass("row", "a", 4);
  results.fail("row", "b", "broken\nin two lines", 2);
  await results.check("row", "b", "bad", () => Promise.reject(new Error("refused")));
  const counts = [results.count("row", "a"), results.count("row", "b"), results.total()];
  assertEquals(counts, [{ passed: 5, failed: 0 }, { passed: 0, failed: 3 }, { passed: 5, failed: 3 }]);
  assertEquals(results.failures, ["row, b: broken\nin two lines", "row, b: bad: refused"]);
});

Deno.test("a table is Markdown, with numbers set to the right", () => {
  const expected = "| name | size |\n| ---- | ---: |\n| a    |    1 |\n| bcde |  1,2 |\n| f    |      |";
  assertEquals(table(["name", "size"], [["a", 1], ["bcde", "1,2"], ["f", ""]]), expected);
});

Deno.test("two things are done at a time, and an error comes out", async () => {
  let running = 0;
  const most: number[] = [];
  await twoAtATime([1, 2, 3, 4, 5], async () => {
    most.push(++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
  });
  assertEquals([most.length, Math.max(...most)], [5, 2]);
  await assertRejects(() => twoAtATime([1], () => Promise.reject(new Error("refused"))), Error, "refused");
});

// On npm's page of the package 38 of the README's 40 links led nowhere.
Deno.test("links of a document that leaves the repository are whole, or gone", () => {
  const base = filesOnJsr({ name: "@a/b", version: "1.2.3" });
  const published = { include: ["mod.ts", "docs/"], exclude: ["docs/own/"] };
  const text =
    "[a](docs/x.md#y), ![b](docs/p.svg), [c](mod.ts), [d](examples), [e](docs/own/z.md), [f](#g), [h](https://i/)";
  const whole = "[a](https://jsr.io/@a/b/1.2.3/docs/x.md#y), ![b](https://jsr.io/@a/b/1.2.3/docs/p.svg), " +
    "[c](https://jsr.io/@a/b/1.2.3/mod.ts), d, e, [f](#g), [h](https://i/)";
  assertEquals(withWholeLinks(text, base, published), whole);
});
