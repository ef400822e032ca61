/**
 * How much of their sweeps tests run. As typed, they run one case in seventeen, evenly spread, which takes seconds. The gate
 * runs every case: `-- --sweep`. `-- --full` (`deno task long:crash`) also takes every operation where a case of the gate
 * stands for several.
 *
 * @module
 */

/** Whether a case stands for itself alone. */
export const IS_FULL: boolean = Deno.args.includes("--full");

/** Whether every case runs. */
export const IS_WHOLE: boolean = IS_FULL || Deno.args.includes("--sweep");

/** Of how many cases one runs. A prime: where a sweep goes through its ways to fail in turn, each of them gets its share. */
export const CASES_IN_TURN: number = IS_WHOLE ? 1 : 17;

/** Says of one case of a sweep after the other whether it runs. */
export function turns(): () => boolean {
  let count = 0;
  return () => count++ % CASES_IN_TURN === 0;
}
