/**
 * The table of what `@deno/kv` does otherwise fits the conformance suite, and what does not fit the table is noticed.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { cases } from "./support/conformance.ts";
import { casesNamed, FAILING, PACKAGE_DIFFERENCES, unlikeTheTable } from "./support/deno_kv_package.ts";

Deno.test("the differences of @deno/kv: each name stands for cases of the suite, and no case is there twice", () => {
  const names = Object.values(PACKAGE_DIFFERENCES).flat();
  assertEquals(names.filter((name) => casesNamed(name).length === 0), []);
  assertEquals(names.flatMap(casesNamed).length, FAILING.size);
});

Deno.test("the differences of @deno/kv: a case that fails beside them is one, and one of them that passes", () => {
  const failed = [...FAILING].map((name): [string, string] => [name, "Error"]);
  assertEquals(unlikeTheTable(failed), []);
  for (const { name } of cases.filter(({ name }) => !FAILING.has(name))) {
    assertEquals(unlikeTheTable([...failed, [name, "Error"]]), [`${name}: Error`]);
  }
  for (const name of FAILING) {
    const others = failed.filter(([other]) => other !== name);
    assertEquals(unlikeTheTable(others), [`${name}: passes, unlike the table`]);
  }
});
