/**
 * What a test of sweeps is told on the command line: `-- --seed=N` (other random cuts), `-- --only=CASE` (one case),
 * `-- --full` (every operation also where the gate takes every so many).
 *
 * @module
 */

import { Cases } from "./crash_cases.ts";

function given(name: string): string | undefined {
  const start = `--${name}=`;
  return Deno.args.find((arg) => arg.startsWith(start))?.slice(start.length);
}

/** The seed of these tests. */
export const SEED: number = Number(given("seed") ?? 4711);

/** Of how many operations a sweep takes one: so many in the gate. */
export function oneIn(count: number): number {
  return Deno.args.includes("--full") ? 1 : count;
}

/** The cases of a test's sweep. */
export function casesOf({ name, origin }: Deno.TestContext): Cases {
  const file = /tests\/crash\/\w+\.ts$/.exec(origin)?.[0] ?? origin;
  return new Cases(SEED, {
    only: given("only"),
    command: (id) => `deno test -A ${file} --filter '${name}' -- --seed=${SEED} '--only=${id}'`,
  });
}
