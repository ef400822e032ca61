/**
 * Some rounds of the fuzzer, the same each time; `deno task long:fuzz` runs others for as long as it is told to.
 *
 * @module
 */
import { assert } from "@std/assert";
import { runRound } from "./support/round.ts";

const ROUNDS = 60;

Deno.test("fuzz: mutated files are refused or harmless, and every kind of outcome is met", async () => {
  const met = new Set<string>();
  for (let seed = 1; seed <= ROUNDS; seed++) for (const outcome of (await runRound(seed)).keys()) met.add(outcome);
  const wanted = [
    ...["manifest taken", "manifest CORRUPT", "manifest FORMAT", "image taken", "image refused"],
    ...[
      "segment header taken",
      "segment header CORRUPT",
      "segment header FORMAT",
      "notation taken",
      "notation refused",
    ],
    "open opened, verify clean, repair nothing",
    "open opened, verify damage, repair plan",
    "open CORRUPT, verify damage, repair plan",
    "open FORMAT, verify FORMAT, repair FORMAT",
  ];
  for (const outcome of wanted) assert(met.has(outcome), `no case came to: ${outcome}`);
});
