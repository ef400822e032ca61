import { Random } from "../support/random.ts";
import { PROFILES } from "./data.ts";
import { Round } from "./round.ts";

const STEPS = 300;
const DEFAULT_ROUNDS = 60;

/** A number from the environment, where that may be read. */
function setting(name: string): number | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return undefined;
  const text = Deno.env.get(name);
  return text === undefined || text === "" ? undefined : Number(text);
}

/** Runs one round; rejects with what went wrong and how it came to that. */
async function runRound(seed: number, steps: number): Promise<void> {
  const random = new Random(seed);
  // How many times a second passes after opening, which is when automatic compaction sets in: time is not simulated, and so it is dear.
  const patience = random.chance(0.15) ? 2 : 0;
  const profile = random.pick(patience > 0 ? PROFILES.slice(1, 4) : [...PROFILES, ...PROFILES.slice(0, 4)]);
  const round = new Round(random, profile, patience);
  try {
    await round.run(profile.keys > 100 ? Math.ceil(steps / 4) : steps);
  } catch (error) {
    const trace = round.subject.trace.map((line) => `  ${line}`).join("\n");
    throw new Error(`${profile.name}; the last steps:\n${trace}\n${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

/** Salts, ids and seeds of hashes decide what collides: with these from the seed, too, a round can be run again as it was. */
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

Deno.test("model: a store does what a Map does, through crashes, failures and compactions", async () => {
  // The same rounds every time: a gate is to say something of the change before it. Other seeds are for whoever looks for more.
  const first = setting("KVSTORE_TEST_SEED") ?? 1;
  const rounds = setting("KVSTORE_TEST_ROUNDS") ?? DEFAULT_ROUNDS;
  for (let seed = first; seed < first + rounds; seed++) {
    try {
      await withSeededCrypto(seed, () => runRound(seed, STEPS));
    } catch (error) {
      const again = `KVSTORE_TEST_SEED=${seed} KVSTORE_TEST_ROUNDS=1 deno test -A tests/model/model_test.ts`;
      throw new Error(
        `seed ${seed}, to be run again with\n  ${again}\n${error instanceof Error ? error.message : error}`,
        {
          cause: error,
        },
      );
    }
  }
});
