/**
 * Random numbers. The function is taken from the runtime when this is loaded: an environment for tests may put another
 * `crypto` in the place of the runtime's.
 *
 * @module
 */

/** Fills an array with random numbers, and returns it. */
export const fillRandom: typeof crypto.getRandomValues = crypto.getRandomValues.bind(crypto);
