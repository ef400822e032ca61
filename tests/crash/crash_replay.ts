/**
 * What a test of sweeps is told on the command line: `-- --seed=N` (other random cuts), `-- --only=CASE` (one case).
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

/** The cases of a test's sweep. */
export function casesOf({ name, origin }: Deno.TestContext): Cases {
  const file = /tests\/crash\/\w+\.ts$/.exec(origin)?.[0] ?? origin;
  return new Cases(SEED, {
    only: given("only"),
    command: (id) => `deno test -A ${file} --filter '${name}' -- --seed=${SEED} '--only=${id}'`,
  });
}
