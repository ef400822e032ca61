/**
 * Generates scenes and runs them; one that fails is made smaller.
 *
 * @module
 */
import fc from "fast-check";
import type { SoakFigures } from "../../soak/support/round.ts";
import { Random } from "../../support/random.ts";
import { scenes } from "./commands.ts";
import { Run } from "./run.ts";

/** So long a failing scene is made smaller. */
const MAX_SHRINK_MS = 40_000;

/**
 * Salts, ids and seeds of hashes decide what collides: with these from the scene, too, it can be run again as it was.
 */
async function withSeededCrypto(seed: number, action: () => Promise<void>): Promise<void> {
  const original = crypto.getRandomValues;
  const random = new Random(seed);
  crypto.getRandomValues = <T extends ArrayBufferView | null>(array: T): T => {
    if (array !== null) {
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(random.bytes(array.byteLength));
    }
    return array;
  };
  try {
    await action();
  } finally {
    crypto.getRandomValues = original;
  }
}

/**
 * Runs generated scenes. If one fails, rejects with a smaller one that fails, too, and with the command that runs it.
 */
export async function runScenes(
  { seed, rounds, path }: { seed: number; rounds: number; path?: string | undefined },
): Promise<SoakFigures> {
  const figures = { faults: 0, states: 0 };
  let shrinkUntil = Infinity;
  const property = fc.asyncProperty(scenes, async (scene) => {
    // What is left to try when the time is over counts as passed, so that the smallest failure so far is reported.
    if (performance.now() > shrinkUntil) return;
    const run = new Run(scene);
    try {
      await withSeededCrypto(scene.seed, () => run.run());
    } catch (error) {
      shrinkUntil = Math.min(shrinkUntil, performance.now() + MAX_SHRINK_MS);
      const trace = run.session.trace.map((line) => `  ${line}`).join("\n");
      throw new Error(`the last steps:\n${trace}\n${error instanceof Error ? error.stack : error}`);
    } finally {
      figures.faults += run.session.machine.accidents;
      figures.states += run.session.states;
    }
  });
  const replay = path === undefined ? { numRuns: rounds } : { numRuns: 1, path, endOnFailure: true };
  const found = await fc.check(property, { seed, ...replay });
  if (!found.failed) return figures;
  const { commands, ...rest } = found.counterexample![0];
  const again = `KVSTORE_TEST_SEED=${seed} KVSTORE_TEST_PATH=${found.counterexamplePath}`;
  const lines = commands.map((command) => `  ${JSON.stringify(command)}`);
  throw new Error(
    `to be run again with\n  ${again} deno test -A tests/model/model_test.ts\nafter ${found.numRuns} runs and ` +
      `${found.numShrinks} times smaller: ${JSON.stringify(rest)}, ${lines.length} commands\n${lines.join("\n")}\n` +
      (found.errorInstance as Error).message,
  );
}
