/**
 * What can be done next, and how often.
 *
 * @module
 */
import { KvStoreError } from "../../src/errors.ts";
import type { Random } from "../support/random.ts";

/** Something that can be done: how often it comes, and what it is. */
export type WeightedStep = [weight: number, step: () => void | Promise<void>];

/** Steps that come more often than this are what every round consists of. */
const COMMON_WEIGHT = 8;

/** The steps of one round. */
export class Steps {
  readonly #steps: WeightedStep[];
  readonly #random: Random;
  readonly #total: number;

  /**
   * Each uncommon step is made more or less frequent, or left out: some rounds do without compaction, some without crashes,
   * and so on, as one thing often hides another (swarm testing: Groce et al., 2012).
   */
  constructor(steps: WeightedStep[], random: Random, factors: number[]) {
    this.#random = random;
    this.#steps = steps.map((
      [weight, step],
    ) => [weight < COMMON_WEIGHT ? weight * random.pick(factors) : weight, step]);
    this.#total = this.#steps.reduce((sum, [weight]) => sum + weight, 0);
  }

  /** One of them. */
  pick(): WeightedStep[1] {
    let left = this.#random.fraction() * this.#total;
    return this.#steps.find(([weight]) => (left -= weight) < 0)![1];
  }
}

/** Closing ends what is under way. */
export function isClosed(error: unknown): boolean {
  return error instanceof KvStoreError && error.code === "CLOSED";
}
