/**
 * The process dies, or the power fails, before every operation that changes something on the disk: afterwards the
 * store opens, holds a prefix of the history with everything that was acknowledged, and goes on.
 *
 * Of the large scenario every third operation is taken, and of the hundreds of writes of an index image every 41st.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Durability, KvStore, KvStoreError } from "../../mod.ts";
import { verifyOn } from "../../src/store/verify.ts";
import type { MemoryPlatform, Operation, PowerCut } from "../support/memory_platform.ts";
import { CHANGES, copyOf, KEEP_ALL, LOSE_ALL, newMachine, randomCut, withSeed } from "./disk.ts";
import { contentsOf, type History } from "./history.ts";
import { assertIntact, DIRECTORY, LARGE, OPTIONS, Run, runSteps, SMALL, type Step } from "./scenario.ts";

const SEED = Number(Deno.args.find((arg) => arg.startsWith("--seed="))?.slice("--seed=".length) ?? 4711);

/** What a crash left, and what may be in it. */
interface Crashed {
  platform: MemoryPlatform;
  history: History;
  after: Durability;
  name: string;
}

/** A store that opens, holds what it may, and goes on working. */
async function assertRecovers({ platform, history, after, name }: Crashed, isThorough: boolean): Promise<void> {
  try {
    assertEquals((await verifyOn(platform, DIRECTORY, {})).problems, [], `${name}: verify before opening`);
  } catch (error) {
    const isMissing = error instanceof KvStoreError && error.code === "NOT_FOUND";
    assert(isMissing && history.isPossible("", after), `${name}: ${error}`);
  }
  let expected: string | undefined;
  for (let round = 0; round < (isThorough ? 3 : 1); round++) {
    const store = await open(platform, name);
    const found = contentsOf(store, history.keys);
    if (expected === undefined) history.settle(found, after, name);
    else assertEquals(found, expected, `${name}: opened again`);
    assertEquals((await store.verify()).problems, [], `${name}: verify of the open store`);
    if (round === 0 && isThorough) {
      await store.batch([{ type: "set", key: "~", value: name }, { type: "delete", key: "big2" }]);
      await store.compact();
    }
    expected = contentsOf(store, history.keys);
    await store.close();
  }
  await assertIntact(platform, name);
}

async function open(platform: MemoryPlatform, name: string): Promise<KvStore> {
  try {
    return await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  } catch (error) {
    throw new Error(`${name}: the store does not open: ${error instanceof Error ? error.message : error}`);
  }
}

const isChange = ({ kind, path }: Operation) => CHANGES.includes(kind) && path !== "/data/store/LOCK";

/** Runs the steps once and notes what power cuts before every operation that `isWanted` leave. */
async function powerCuts(
  steps: Step[],
  cuts: (count: number) => Record<string, PowerCut>,
  isWanted: (operation: Operation) => boolean = () => true,
): Promise<Crashed[]> {
  const platform = newMachine();
  const run = new Run(platform);
  const crashed: Crashed[] = [];
  platform.onOperation = (operation) => {
    if (!isChange(operation) || !isWanted(operation)) return;
    const { kind, path, count } = operation;
    for (const [cut, left] of Object.entries(cuts(count))) {
      const name = `power cut before ${kind} of ${path} (operation ${count}, ${cut})`;
      crashed.push({ platform: platform.image(left), history: run.history.copy(), after: "sync", name });
    }
  };
  await runSteps(run, steps);
  await run.close();
  return crashed;
}

/** Runs the steps until the process dies before the operation that is the `n`th to change something. */
async function killAt(n: number, steps: Step[]): Promise<Crashed | undefined> {
  const platform = newMachine();
  const run = new Run(platform, { isFaulty: true });
  let after: MemoryPlatform | undefined;
  let name = "";
  let changes = 0;
  platform.onOperation = (operation) => {
    if (after !== undefined || !isChange(operation) || ++changes < n) return;
    run.history.isFrozen = true;
    name = `killed before ${operation.kind} of ${operation.path} (change ${n})`;
    after = platform.kill();
  };
  try {
    await runSteps(run, steps);
    await run.close();
  } catch (error) {
    // The dead machine refuses everything.
    if (after === undefined) throw error;
  }
  return after && { platform: after, history: run.history, after: "write", name };
}

Deno.test(`power cuts at every operation: acknowledged writes survive (--seed=${SEED})`, async () => {
  await withSeed(SEED, async () => {
    const crashed = await powerCuts(SMALL, (count) => ({
      "all unsynced lost": LOSE_ALL,
      "all unsynced kept": KEEP_ALL,
      "torn 1": randomCut(SEED + count),
      "torn 2": randomCut(SEED + 100_000 + count),
      "torn 3": randomCut(SEED + 200_000 + count),
    }));
    console.log(`${crashed.length} power cuts, seed ${SEED}`);
    for (const one of crashed) await assertRecovers(one, true);
  });
});

Deno.test(`power cuts while images of the index are written (--seed=${SEED})`, async () => {
  await withSeed(SEED, async () => {
    const cuts = (count: number) => ({ "all unsynced lost": LOSE_ALL, torn: randomCut(SEED + count) });
    const crashed = await powerCuts(LARGE, cuts, ({ kind, path, count }) => {
      if (!path.includes("INDEX")) return count % 3 === 0;
      return kind !== "write" || count % 41 === 0;
    });
    console.log(`${crashed.length} power cuts, seed ${SEED}`);
    for (const one of crashed) await assertRecovers(one, false);
  });
});

Deno.test("power cuts during a compaction: what made a record stale is durable before it goes", async () => {
  await withSeed(SEED, async () => {
    const platform = newMachine();
    const run = new Run(platform);
    await run.open();
    const keys = Array.from({ length: 24 }, (_, i) => `key ${i}`);
    for (const key of keys) run.set(key, key.repeat(80));
    // So that there is something to win in every segment.
    for (let i = 0; i < keys.length; i += 5) run.set(keys[i]!, "overwritten");
    await run.settled();
    const crashed: Crashed[] = [];
    platform.onOperation = (operation) => {
      if (!isChange(operation)) return;
      const name = `power cut during a compaction, before ${operation.kind} of ${operation.path}`;
      crashed.push({ platform: platform.image(LOSE_ALL), history: run.history.copy(), after: "sync", name });
    };
    // Between the groups of a compaction, keys that it has not come to yet are written: to the page cache only.
    const turn = platform.syncTurn;
    platform.syncTurn = async () => {
      const key = keys.pop();
      if (key !== undefined) run.set(key, "newer", "write");
      await turn();
    };
    run.compact();
    await run.settled();
    platform.syncTurn = turn;
    await run.close();
    assert(keys.length < 23, "compaction had several groups");
    for (const one of crashed) await assertRecovers(one, false);
  });
});

Deno.test("the process dies at every operation: written records survive", async () => {
  await withSeed(SEED, async () => {
    let n = 1;
    for (let dead = await killAt(n, SMALL); dead !== undefined; dead = await killAt(++n, SMALL)) {
      await assertRecovers(dead, true);
    }
    assert(n > 200, `only ${n} operations`);
  });
});

Deno.test("what a store acknowledges after the death of its predecessor survives a power cut", async () => {
  await withSeed(SEED, async () => {
    for (let n = 1;; n++) {
      const dead = await killAt(n, SMALL);
      if (dead === undefined) break;
      const { history, name } = dead;
      const store = await open(dead.platform, name);
      history.settle(contentsOf(store, history.keys), "write", name);
      await history.write(store.set("~", n), "sync", ["~"], (contents) => void contents.set("~", n));
      const left = dead.platform.crash();
      await assertRecovers(
        { platform: left, history, after: "sync", name: `${name}, opened, then a power cut` },
        false,
      );
    }
  });
});

Deno.test(`a second crash at every operation of recovery (every 12th first crash; --seed=${SEED})`, async () => {
  await withSeed(SEED, async () => {
    let count = 0;
    for (let n = 3;; n += 12) {
      const dead = await killAt(n, SMALL);
      if (dead === undefined) break;
      const cut = { ...dead, platform: copyOf(dead.platform.image(randomCut(SEED + n))), after: "sync" as const };
      for (const first of [dead, cut]) {
        for (const second of await crashesOfRecovery(first, n)) {
          count++;
          await assertRecovers(second, false);
        }
      }
    }
    console.log(`${count} second crashes`);
  });
});

/** Opens what a crash left, and notes what a second crash at each operation of that leaves. */
async function crashesOfRecovery({ platform, history, after, name }: Crashed, n: number): Promise<Crashed[]> {
  const crashed: Crashed[] = [];
  platform.onOperation = (operation) => {
    if (!isChange(operation)) return;
    const where = `${name}, then before ${operation.kind} of ${operation.path}`;
    const note = (kind: string, left: MemoryPlatform, durability: Durability) =>
      crashed.push({ platform: left, history: history.copy(), after: durability, name: `${where} (${kind})` });
    note("killed", copyOf(platform), after);
    note("power cut", platform.image(LOSE_ALL), "sync");
    note("power cut, torn", platform.image(randomCut(SEED + n + operation.count)), "sync");
  };
  const store = await open(platform, name);
  platform.onOperation = undefined;
  await store.close();
  return crashed;
}
