/**
 * A round: a few mutated stores and many mutated files for the decoders, all of it from one seed.
 *
 * @module
 */
import { Random } from "../../support/random.ts";
import { caseOf, runCase, shrunk } from "./case.ts";
import { decodeMutated } from "./decoders.ts";

/** Stores in a round. */
const STORES = 4;
/** Files for the decoders in a round. */
const FILES = 30;
/** Rounds have seeds one apart; the cases of one must not be those of the next. */
const SEEDS_APART = 1000;

/** What a round came to: how often what. */
export type Outcomes = Map<string, number>;

/** Runs a round. A failure says how to run it again, and gives the entry for the corpus. */
export async function runRound(seed: number): Promise<Outcomes> {
  const outcomes: Outcomes = new Map();
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const replay = `deno task long:fuzz --seed ${seed} --rounds 1`;
  const random = new Random(seed);
  try {
    for (let i = 0; i < FILES; i++) count(decodeMutated(random));
  } catch (error) {
    throw new Error(`run it again with: ${replay}`, { cause: error });
  }
  for (let i = 0; i < STORES; i++) {
    const one = caseOf(seed * SEEDS_APART + i);
    try {
      count(await runCase(one));
    } catch (error) {
      const entry = JSON.stringify({ what: "", ...await shrunk(one), outcome: "" });
      throw new Error(`run it again with: ${replay}\nfor tests/fuzz/corpus/stores.json: ${entry}`, { cause: error });
    }
  }
  return outcomes;
}
