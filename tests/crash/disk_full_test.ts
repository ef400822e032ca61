/**
 * The disk is full at every point of a scenario, also in the middle of a write: the calls concerned reject, reads go
 * on, and so does writing once there is space; deletes and compaction make some.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { newMachine, withSeed } from "./disk.ts";
import { codeOf, contentsOf } from "./history.ts";
import { assertIntact, DIRECTORY, OPTIONS, Run, runSteps, SMALL } from "./scenario.ts";

const PLENTY = 1e9;

function usedBytes(platform: MemoryPlatform): number {
  platform.capacityBytes = PLENTY;
  const used = PLENTY - platform.freeBytes;
  platform.capacityBytes = Infinity;
  return used;
}

/**
 * Runs the scenario; the disk is full from the `n`th write on, of which `share` still fits, until a step has failed
 * for it.
 */
async function runUntilFull(n: number, share: number): Promise<boolean> {
  const platform = newMachine();
  const run = new Run(platform, { isFaulty: true });
  run.heal = () => platform.capacityBytes = Infinity;
  let writes = 0;
  let isFull = false;
  platform.onOperation = ({ kind, bytes = 0 }) => {
    if (kind !== "write" || ++writes !== n) return;
    platform.capacityBytes = usedBytes(platform) + Math.floor(bytes * share);
    isFull = true;
  };
  const where = `the disk is full in write ${n} (${share} of it fits)`;
  await runSteps(run, SMALL, async () => {
    if (!isFull || run.history.rejections === 0 || platform.capacityBytes === Infinity) return;
    const { history } = run;
    assertEquals(contentsOf(run.store!, history.keys), history.present(), `${where}: reads go on`);
    // What still fails leaves everything as it is.
    const isRefused = await run.store!.set("~", "x".repeat(2000)).then(() => false, (error) => codeOf(error) === "IO");
    if (isRefused) assertEquals(contentsOf(run.store!, history.keys), history.present(), where);
    platform.capacityBytes = Infinity;
    if (!isRefused) await run.store!.delete("~");
    await run.store!.set("~", 1);
    await run.store!.delete("~");
    assertEquals(contentsOf(run.store!, history.keys), history.present(), `${where}: writing goes on`);
    assertEquals((await run.store!.verify()).problems, [], where);
  });
  platform.capacityBytes = Infinity;
  await run.close();
  await assertIntact(platform, where);
  await run.open();
  assertEquals(contentsOf(run.store!, run.history.keys), run.history.present(), `${where}: opened again`);
  await run.close();
  return isFull;
}

for (const share of [0, 0.5, 0.99]) {
  Deno.test(`the disk is full in every write, of which ${share * 100} % fit`, async () => {
    await withSeed(2, async () => {
      let n = 1;
      while (await runUntilFull(n, share)) n++;
      assert(n > 40, `only ${n} writes`);
    });
  });
}

Deno.test("rejected records that reached the file never come back, even behind a later one", async () => {
  for (const isPowerCut of [false, true]) {
    const platform = newMachine();
    const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
    // Two of three records fit, the third is cut.
    const recordBytes = 24 + "a1".length;
    let isFull = false;
    platform.onOperation = ({ kind, path, bytes = 0 }) => {
      if (kind !== "write" || !path.endsWith(".seg") || bytes < 3 * recordBytes) return;
      platform.capacityBytes = usedBytes(platform) + 2 * recordBytes + 5;
      isFull = true;
    };
    const calls = ["a", "b", "c"].map((key) => store.set(key, "1").then(() => "done", codeOf));
    assertEquals(await Promise.all(calls), ["IO", "IO", "IO"]);
    assert(isFull);
    platform.onOperation = undefined;
    platform.capacityBytes = Infinity;
    await store.set("d", "1", { durability: isPowerCut ? "sync" : "write" });
    const left = isPowerCut ? platform.crash() : platform.kill();
    const where = isPowerCut ? "after a power cut" : "after the process died";
    const again = await KvStore.openOn(left, DIRECTORY, OPTIONS);
    assertEquals(contentsOf(again, ["a", "b", "c"]), 'd="1"', where);
    await again.close();
    await assertIntact(left, where);
  }
});

Deno.test("a full disk that stays full: nothing acknowledged is lost, through crashes too", async () => {
  for (let capacity = 3_000; capacity < 30_000; capacity += 700) {
    const platform = newMachine();
    platform.capacityBytes = capacity;
    const acknowledged = new Set<string>();
    for (let session = 0; session < 2; session++) {
      let store: KvStore;
      try {
        store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
      } catch (error) {
        assertEquals(codeOf(error), "IO");
        continue;
      }
      for (let i = 0; i < 40; i++) {
        const key = `${session} ${i}`;
        await store.set(key, "x".repeat(700)).then(
          () => acknowledged.add(key),
          (error) => assertEquals(codeOf(error), "IO"),
        );
      }
      assertEquals([...store.keys()].map(String).sort(), [...acknowledged].sort());
      await store.close().catch((error) => assertEquals(codeOf(error), "IO"));
    }
    const left = platform.crash();
    left.capacityBytes = Infinity;
    const store = await KvStore.openOn(left, DIRECTORY, OPTIONS);
    assertEquals([...store.keys()].map(String).sort(), [...acknowledged].sort(), `a disk of ${capacity} bytes`);
    await store.close();
    await assertIntact(left, `a disk of ${capacity} bytes`);
  }
});

Deno.test("deletes and compaction free a disk with one segment's space left", async () => {
  const platform = newMachine();
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  const keys = Array.from({ length: 60 }, (_, i) => `key ${i}`);
  for (const key of keys) await store.set(key, "x".repeat(700));
  // One segment, a manifest, and the segment that the tombstones go to.
  platform.capacityBytes = usedBytes(platform) + OPTIONS.segmentBytes + 1500;
  const before = usedBytes(platform);
  platform.capacityBytes = before + OPTIONS.segmentBytes + 1500;
  for (const key of keys.slice(0, 40)) await store.delete(key, { durability: "write" });
  await store.compact();
  const capacity = platform.capacityBytes;
  const after = usedBytes(platform);
  platform.capacityBytes = capacity;
  assert(after < before / 2, `${before} bytes before, ${after} after`);
  await store.set("new", "x".repeat(700));
  assertEquals([...store.keys()].length, 21);
  await store.close();
  await assertIntact(platform, "compacted on a full disk");
});
