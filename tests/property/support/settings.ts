/**
 * What decides which cases are generated: variables of the environment, for whoever looks for more or for one failure.
 *
 * @module
 */

const DEFAULT_SEED = 1;

/** What is generated. */
export interface Settings {
  /** Where it begins. The same every time: a gate is to say something of the change before it. */
  seed: number;
  /** How many cases. */
  rounds: number;
  /** Where a failure is run again, the way to it from the seed. */
  path: string | undefined;
}

/** The settings of this run. */
export function settings(defaultRounds: number): Settings {
  return {
    seed: Number(variable("KVSTORE_TEST_SEED") ?? DEFAULT_SEED),
    rounds: Number(variable("KVSTORE_TEST_ROUNDS") ?? defaultRounds),
    path: variable("KVSTORE_TEST_PATH"),
  };
}

/** Text from the environment, where that may be read. */
function variable(name: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return undefined;
  return Deno.env.get(name) || undefined;
}
