/**
 * The model test as a round of the soak.
 *
 * @module
 */
import type { SoakRound } from "../support/soak.ts";
import { runScenes } from "./run.ts";

/** A few scenes that follow from the seed. */
export const soakRound: SoakRound = (seed) => runScenes({ seed, rounds: 3 });
