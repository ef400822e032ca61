/**
 * What a test of sweeps is told on the command line: `-- --seed=N` (other random cuts), `-- --only=CASE` (one case).
 * How many cases it runs otherwise is up to tests/support/sweep.ts.
 *
 * @module
 */

import { CASES_IN_TURN, IS_FULL } from "../../support/sweep.ts";
import { Cases } from "./crash_cases.ts";

function given(name: string): string | undefined {
  const start = `--${name}=`;
  return Deno.args.find((arg) => arg.startsWith(start))?.slice(start.length);
}

/** The seed of these tests. */
export const SEED: number = Number(given("seed") ?? 4711);

/** Of how many operations a sweep takes one, unless it is to take them all. */
export function oneIn(count: number): number {
  return IS_FULL ? 1 : count;
}

/** The cases of a test's sweep. */
export function casesOf({ name, origin }: Deno.TestContext): Cases {
  const file = /tests\/crash\/\w+\.ts$/.exec(origin)?.[0] ?? origin;
  return new Cases(SEED, {
    only: given("only"),
    oneIn: CASES_IN_TURN,
    command: (id) => `deno test -A ${file} --filter '${name}' -- --seed=${SEED} '--only=${id}'`,
  });
}
