import { Random } from "../support/random.ts";
import { runRound } from "./round.ts";

const STEPS = 300;
const DEFAULT_ROUNDS = 60;

/** A number from the environment, where that may be read. */
function setting(name: string): number | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return undefined;
  const text = Deno.env.get(name);
  return text === undefined || text === "" ? undefined : Number(text);
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
  const first = setting("KVSTORE_TEST_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]!;
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
