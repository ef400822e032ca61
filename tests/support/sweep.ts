/**
 * How much of their sweeps tests run. As typed, they run one case in seventeen, evenly spread, which takes seconds. The gate
 * runs one in three: `-- --sweep`. `-- --full` (`deno task long:sweeps`) runs every case, and takes every operation where
 * a case of the gate stands for several.
 *
 * @module
 */

/** Whether a case stands for itself alone. */
export const IS_FULL: boolean = Deno.args.includes("--full");

/** Whether the gate runs it, or more than the gate. */
export const IS_THOROUGH: boolean = IS_FULL || Deno.args.includes("--sweep");

/** Of how many cases one runs. Primes: where a sweep goes through its ways to fail in turn, each of them gets its share. */
export const CASES_IN_TURN: number = IS_FULL ? 1 : IS_THOROUGH ? 3 : 17;

/** Says of one case of a sweep after the other whether it runs. */
export function turns(): () => boolean {
  let count = 0;
  return () => count++ % CASES_IN_TURN === 0;
}
