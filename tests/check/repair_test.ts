import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { repairOn } from "../../src/check/repair.ts";
import { verifyOn } from "../../src/check/verify.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

/** Changes one bit of a file. */
function flip(platform: MemoryPlatform, path: string, at: number): void {
  const bytes = platform.readFile(path);
  bytes[at]! ^= 1;
  platform.writeFile(path, bytes);
}

// A repair reserved as many numbers as it needed. With a file that has one of them already, it ran past them, and the
// manifest that reserves more was written before the copies were whole: it listed the undamaged segments alone, and the
// next open went on without the others.
Deno.test("repair: cut off at any write, it leaves the damage to be found, whatever numbers are taken", async () => {
  let keptRecords: number | undefined;
  for (let n = 1, isReached = true; isReached; n++) {
    const platform = new MemoryPlatform();
    const store = await KvStore.openOn<string>(platform, "/s", { segmentBytes: 4096, compaction: { auto: false } });
    for (let i = 0; i < 60; i++) await store.set(`key ${i}`, "v".repeat(150));
    await store.close();
    const segments = platform.files().filter((path) => path.endsWith(".seg"));
    flip(platform, segments[0]!, 44 + 24 + 10);
    flip(platform, segments.at(-1)!, 20);
    platform.remove("/s/MANIFEST");
    let writes = 0;
    platform.onOperation = ({ kind }) => {
      if (kind === "write" && ++writes >= n) throw new Error("no space");
    };
    const error = await repairOn(platform, "/s", {}).then(() => undefined, (error) => error);
    platform.onOperation = undefined;
    isReached = error !== undefined;
    if (isReached) {
      // What is left of the damage is a value: no open meets it.
      await KvStore.openOn(platform, "/s", {}).then((opened) => opened.close(), () => {});
      const { problems } = await verifyOn(platform, "/s", {});
      assert(problems.length > 0, `cut off at write ${n}: nothing is found any more`);
    }
    const report = await repairOn(platform, "/s", {});
    if (!isReached) assertEquals(report.problems, []);
    const repaired = await KvStore.openOn(platform, "/s", { readOnly: true });
    keptRecords ??= repaired.size;
    assertEquals(repaired.size, keptRecords, `cut off at write ${n}`);
    await repaired.close();
  }
});
