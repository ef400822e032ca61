/**
 * How much of their sweeps tests run. As typed, they run one case in fifty-three, evenly spread, which takes seconds.
 *
 * - `-- --gate`: what the gate adds to the suite, one case in eleven;
 * - `-- --sweep`: every case;
 * - `-- --full` (`deno task long:sweeps`): every case, and every operation where a case otherwise stands for several.
 *
 * @module
 */

/** Whether a case stands for itself alone. */
export const IS_FULL: boolean = Deno.args.includes("--full");

/** Whether the gate runs it, behind the suite. */
export const IS_GATE: boolean = Deno.args.includes("--gate");

/** Whether more runs than in the suite. */
export const IS_THOROUGH: boolean = IS_FULL || IS_GATE || Deno.args.includes("--sweep");

/**
 * Of how many cases one runs. Primes: where a sweep goes through its ways to fail in turn, each of them gets its share.
 */
export const CASES_IN_TURN: number = IS_GATE ? 11 : IS_THOROUGH ? 1 : 53;

/** Says of one case of a sweep after the other whether it runs. */
export function turns(): () => boolean {
  let count = 0;
  return () => count++ % CASES_IN_TURN === 0;
}
