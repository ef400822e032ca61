/**
 * The model test as a round of the soak.
 *
 * @module
 */
import type { SoakRound } from "./round.ts";
import { runScenes } from "../../model/support/scenes.ts";

/** A few scenes that follow from the seed. */
export const soakRound: SoakRound = (seed) => runScenes({ seed, rounds: 3 });
