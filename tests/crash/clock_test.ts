/**
 * A clock that was ahead and is put right: at every operation of that, the process dies, the power fails, or the
 * operation does. What expired stays expired, and what is acknowledged afterwards lives by the clock that is right.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { casesOf, SEED } from "./support/crash_replay.ts";
import { CUT, isChange, KILLED, TORN } from "./support/crash_sweep.ts";
import { brokenDisk, newMachine, withSeed } from "./support/disk.ts";
import { usedBytes } from "./support/disk_full_sweep.ts";
import { codeOf } from "./support/history.ts";
import { assertIntact, DIRECTORY, OPTIONS } from "./support/scenario.ts";

const WAYS = { ...KILLED, ...CUT, ...TORN };
const START = 1_800_000_000_000;
const AHEAD = Date.UTC(2100, 0, 1);
const HOUR = 3_600_000;
/** Enough that the tombstones take a segment of their own. */
const VICTIMS = Array.from({ length: 120 }, (_, i) => `victim ${i}`);

/** A machine whose clock was ahead when a store was open, and is right again. */
async function setBack(): Promise<MemoryPlatform> {
  const platform = newMachine();
  platform.now = () => START;
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  await store.set("stays", 1);
  await store.batch(VICTIMS.map((key) => ({ type: "set", key, value: key, ttl: HOUR })));
  platform.now = () => AHEAD;
  assertEquals(store.size, 1);
  await store.close();
  platform.now = () => START;
  return platform;
}

/** The keys that may be there now, by what was acknowledged. */
function assertKeys(store: KvStore, acknowledged: string[], where: string): void {
  const keys = [...store.keys()].map(String);
  assert(acknowledged.every((key) => keys.includes(key)), `${where}: ${keys}`);
  assert(keys.every((key) => ["stays", "first", "second"].includes(key)), `${where}: ${keys}`);
  assertEquals(store.size, keys.length, where);
}

/** What a program does once the clock is right; notes in `acknowledged` what the store has promised by then. */
async function goOn(store: KvStore, platform: MemoryPlatform, acknowledged: string[]): Promise<void> {
  const set = (key: string) =>
    store.set(key, key, { ttl: HOUR }).then(() => void acknowledged.push(key), (error) => {
      assert(["IO", "FAILED"].includes(codeOf(error)), String(error));
    });
  await set("first");
  // Ahead again for a moment, and back again.
  platform.now = () => AHEAD;
  acknowledged.splice(0, Infinity, "stays");
  store.get("first");
  platform.now = () => START + 1;
  await set("second");
}

/** What is left opens, whatever its clock says; what expired is away, what was acknowledged is there. */
async function assertLeft(left: MemoryPlatform, acknowledged: string[], where: string): Promise<void> {
  for (const nowMs of [START, START + 2 * HOUR, START + 1]) {
    left.now = () => nowMs;
    const store = await KvStore.openOn(left, DIRECTORY, OPTIONS);
    if (nowMs === START) assertKeys(store, acknowledged, where);
    // By now all but one have expired, and stay so.
    else assertEquals([...store.keys()], ["stays"], where);
    assertEquals((await store.verify()).problems, [], where);
    await store.compact();
    await store.close();
    await assertIntact(left, where);
  }
}

Deno.test("clock: put right under a store that dies at any operation, or whose machine does", async (t) => {
  const cases = casesOf(t);
  const moments: { platform: MemoryPlatform; acknowledged: string[]; id: string }[] = [];
  await withSeed(SEED, async () => {
    const platform = await setBack();
    const acknowledged = ["stays"];
    const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
    platform.onOperation = (operation) => {
      if (!isChange(operation)) return;
      moments.push({ platform: platform.fork(), acknowledged: [...acknowledged], id: String(operation.count) });
    };
    await goOn(store, platform, acknowledged);
    await store.close();
    assertEquals(acknowledged, ["stays", "second"]);
  });
  for (const { platform, acknowledged, id } of moments) {
    for (const [way, goDown] of Object.entries(WAYS)) {
      await cases.run(`${id} ${way}`, async (random) => {
        await assertLeft(goDown(platform, random), acknowledged, `${id} ${way}`);
      });
    }
  }
  assert(moments.length > 20, `${moments.length} moments`);
});

/** How many operations there are to fail. */
async function changesOf(platform: MemoryPlatform): Promise<number> {
  platform.now = () => START;
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  let changes = 0;
  platform.onOperation = (operation) => void (changes += isChange(operation) ? 1 : 0);
  await goOn(store, platform, []);
  platform.onOperation = undefined;
  await store.close();
  return changes;
}

/** Once the disk is well, the store is, unless a sync has failed. Closes it. */
async function assertWorks(store: KvStore, where: string): Promise<void> {
  const isFailed = await store.set("third", 3).then(() => false, (error) => codeOf(error) === "FAILED");
  if (!isFailed) {
    assertEquals((await store.verify()).problems, [], where);
    await store.set("second", 2, { ttl: HOUR });
    assertEquals(store.get("second"), 2, where);
    await store.batch(["first", "second", "third"].map((key) => ({ type: "delete", key })));
  }
  await store.close().catch((error) => assertEquals(codeOf(error), "FAILED"));
}

for (const [name, isFull] of [["fails", false], ["fails as the disk is full", true]] as const) {
  Deno.test(`clock: put right while any operation ${name}`, async (t) => {
    const cases = casesOf(t);
    const prepared = await withSeed(SEED, setBack);
    const operations = await changesOf(prepared.fork());
    for (let number = 0; number < operations; number++) {
      await cases.run(`operation ${number}`, async () => {
        const platform = prepared.fork();
        platform.now = () => START;
        const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
        let count = 0;
        platform.onOperation = (operation) => {
          if (!isChange(operation) || count++ !== number) return;
          if (!isFull) throw brokenDisk(operation);
          platform.capacityBytes = usedBytes(platform);
        };
        const acknowledged = ["stays"];
        await goOn(store, platform, acknowledged);
        platform.onOperation = undefined;
        platform.capacityBytes = Infinity;
        assertKeys(store, acknowledged, `operation ${number}`);
        await assertWorks(store, `operation ${number}`);
        await assertLeft(platform, ["stays"], `operation ${number}`);
      });
    }
    assert(operations > 10, `${operations} operations`);
  });
}
