/**
 * The fuzzer as a round of the soak.
 *
 * @module
 */
import type { SoakRound } from "./round.ts";
import { runRound } from "../../fuzz/support/round.ts";

/** Feeds mutated files, which follow from the seed, to the decoders and to whole stores. */
export const soakRound: SoakRound = async (seed) => {
  const outcomes = await runRound(seed);
  const faults = [...outcomes.values()].reduce((sum, count) => sum + count, 0);
  return { faults, states: faults };
};
