/**
 * What the long runs have in common: a round is one random history, crash or damage, all of it following from a seed.
 *
 * @module
 */

/** What a round did. */
export interface SoakFigures {
  /** Faults injected: failed, shortened or cut-off operations, power cuts, kills, damaged or mutated files. */
  faults: number;
  /** States of a store that were compared with what they should be. */
  states: number;
}

/** Runs a round; throws, with the command that runs just this one again, if anything is not as it should be. */
export type SoakRound = (seed: number) => Promise<SoakFigures>;
