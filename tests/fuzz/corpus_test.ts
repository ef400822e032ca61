/**
 * The corpus: mutated stores and lines of imports that found a defect once, or reach a branch of their own. Each must
 * come to what stands beside it, and pass the whole oracle on the way.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { runCase } from "./support/case.ts";
import notation from "./corpus/notation.json" with { type: "json" };
import stores from "./corpus/stores.json" with { type: "json" };
import { checkNotation } from "./support/decoders.ts";
import type { Mutation } from "./support/mutations.ts";

for (const { what, base, mutations, outcome } of stores) {
  Deno.test(`fuzz corpus: ${base}: ${what}`, async () => {
    assertEquals(await runCase({ base, mutations: mutations as Mutation[] }), outcome);
  });
}

Deno.test("fuzz corpus: lines of an import", () => {
  for (const { what, line, times, outcome } of notation) {
    assertEquals(checkNotation(line.replaceAll("…", (_) => "[".repeat(times))), outcome, what);
  }
});
