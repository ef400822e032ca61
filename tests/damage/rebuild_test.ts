/**
 * The manifest is lost, and a power cut had come at any operation of a compaction: of outputs and inputs, just those
 * count that bring no deleted key back.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { repairOn } from "../../src/check/repair.ts";
import { CHANGES, KEEP_ALL, LOSE_ALL, newMachine, randomCut, withSeed } from "../crash/support/disk.ts";
import { assertIntact, DIRECTORY, OPTIONS } from "../crash/support/scenario.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { assertKept, imageOf, repairedContents } from "./support/checks.ts";
import { layoutOf } from "./support/layout.ts";

Deno.test("a lost manifest beside what a compaction that was cut off left: no deleted key comes back", async () => {
  await withSeed(13, async () => {
    const platform = newMachine();
    const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
    for (let i = 0; i < 30; i++) await store.set(`k${i}`, `${i}`.padEnd(400, "."));
    for (let i = 0; i < 30; i += 2) await store.delete(`k${i}`);
    for (let i = 0; i < 9; i++) await store.set(`k${i * 3}`, `again ${i}`.padEnd(500, "."));
    for (let i = 0; i < 9; i += 2) await store.delete(`k${i * 3}`);
    const contents = new Map(Array.from(store, ([key, value]) => [String(key), JSON.stringify(value)]));
    const left: [string, MemoryPlatform][] = [];
    platform.onOperation = ({ kind, path, count }) => {
      if (!CHANGES.includes(kind)) return;
      const where = `before ${kind} of ${path} (operation ${count})`;
      for (const cut of [LOSE_ALL, KEEP_ALL, randomCut(count), randomCut(-count)]) {
        left.push([where, platform.image(cut)]);
      }
    };
    await store.compact();
    await store.close();
    platform.onOperation = undefined;
    let unused = 0;
    for (const [where, image] of left) {
      if (image.files().includes(`${DIRECTORY}/MANIFEST`)) image.remove(`${DIRECTORY}/MANIFEST`);
      const before = imageOf(image);
      const { movedAside, lostKeys } = await repairOn(image, DIRECTORY, {});
      assertEquals(lostKeys, [], where);
      unused += movedAside.length;
      await assertIntact(image, where);
      assertEquals(await repairedContents(image), contents, where);
      assertKept(image, [...before].filter(([path]) => path.endsWith(".seg") && before.get(path)!.length >= 44), where);
    }
    assert(unused > 5, `only ${unused} files were there that do not count`);
    // An output whose end is damaged looks unfinished; without its inputs it is all there is.
    const { segments } = layoutOf(platform);
    platform.remove(`${DIRECTORY}/MANIFEST`);
    for (const { path, bytes, headerBytes } of segments.filter(({ headerBytes }) => headerBytes > 44)) {
      platform.writeFile(path, Uint8Array.of(...bytes.subarray(0, -1), bytes.at(-1)! ^ 1));
      assert(bytes.length > headerBytes + 100);
    }
    assertEquals((await repairOn(platform, DIRECTORY, {})).lostKeys, []);
    assertEquals(await repairedContents(platform), contents, "no end of an output is intact");
  });
});
