/**
 * The disk is full at every point of a scenario, also in the middle of a write: the calls concerned reject, reads go
 * on, and so does writing once there is space; deletes and compaction make some.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { onExpiring } from "./support/crash_cases.ts";
import { casesOf } from "./support/crash_replay.ts";
import { newMachine } from "./support/disk.ts";
import { sweepFull, usedBytes } from "./support/disk_full_sweep.ts";
import { codeOf, contentsOf } from "./support/history.ts";
import { assertIntact, DIRECTORY, OPTIONS, SMALL } from "./support/scenario.ts";

/** The copy, and the segment that is begun so that the last one can take part, are listed before anything goes. */
const MANIFEST_ENTRY_BYTES = 36;

for (const share of [0, 0.5, 0.99]) {
  Deno.test(`the disk is full in every write, of which ${share * 100} % fit`, async (t) => {
    const cases = casesOf(t);
    await sweepFull(await onExpiring(SMALL), cases, share);
    assert(cases.met > 100, `only ${cases.met} writes`);
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
  const reserve = platform.readFile(`${DIRECTORY}/RESERVE`).length;
  const before = usedBytes(platform) - reserve;
  platform.capacityBytes = reserve + before + OPTIONS.segmentBytes + 1500;
  for (const key of keys.slice(0, 40)) await store.delete(key, { durability: "write" });
  await store.compact();
  const capacity = platform.capacityBytes;
  const after = usedBytes(platform) - platform.readFile(`${DIRECTORY}/RESERVE`).length;
  platform.capacityBytes = capacity;
  assert(after < before / 2, `${before} bytes before, ${after} after`);
  await store.set("new", "x".repeat(700));
  assertEquals([...store.keys()].length, 21);
  await store.close();
  await assertIntact(platform, "compacted on a full disk");
});

Deno.test("a full compaction needs one segment and a manifest of free space", async (t) => {
  const cases = casesOf(t);
  for (const valueBytes of [100, 333, 600, 970, 1200, 1950, 3900]) {
    for (const every of [2, 3, 5, 9]) {
      await cases.run(`${valueBytes} ${every}`, async () => {
        const platform = newMachine();
        const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
        const keys = Array.from({ length: Math.ceil(60_000 / valueBytes) }, (_, i) => `key ${i}`);
        for (const key of keys) await store.set(key, "x".repeat(valueBytes), { durability: "write" });
        for (let i = 0; i < keys.length; i += every) await store.set(keys[i]!, "short", { durability: "write" });
        await store.flush();
        const before = usedBytes(platform);
        const manifestBytes = platform.readFile(`${DIRECTORY}/MANIFEST`).length;
        const freeBytes = OPTIONS.segmentBytes + manifestBytes + 2 * MANIFEST_ENTRY_BYTES;
        platform.capacityBytes = before + freeBytes;
        await store.compact();
        const { capacityBytes } = platform;
        const after = usedBytes(platform);
        platform.capacityBytes = capacityBytes;
        assert(after < before, `${before} bytes before, ${after} after`);
        for (const [i, key] of keys.entries()) {
          assertEquals(store.get(key), i % every === 0 ? "short" : "x".repeat(valueBytes));
        }
        await store.close();
        await assertIntact(platform, "compacted on a full disk");
      });
    }
  }
});
