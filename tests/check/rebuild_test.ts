import { assert, assertEquals } from "@std/assert";
import { KvStore, type Value } from "../../mod.ts";
import { repairOn } from "../../src/check/repair.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

const SMALL = { segmentBytes: 4096, compaction: { auto: false } };

function segmentsOf(platform: MemoryPlatform): string[] {
  return platform.files().filter((path) => path.endsWith(".seg"));
}

Deno.test("rebuild: without a manifest, a finished copy stands for its inputs, and brings no deleted key back", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn<Value>(platform, "/s", SMALL);
  for (let i = 0; i < 200; i++) store.set(`key ${i}`, "v".repeat(50));
  for (let i = 0; i < 200; i += 2) store.delete(`key ${i}`);
  await store.flush();
  const inputs = new Map(segmentsOf(platform).map((path) => [path, platform.readFile(path)]));
  await store.compact();
  const expected = [...store];
  await store.close();
  // The power went when some of the inputs were gone, with the tombstones; and then MANIFEST was lost.
  const [path, bytes] = [...inputs][0]!;
  assert(!segmentsOf(platform).includes(path), "the first segment was not compacted");
  platform.writeFile(path, bytes);
  platform.remove("/s/MANIFEST");
  const { lostKeys } = await repairOn(platform, "/s", {});
  assertEquals(lostKeys, []);
  const again = await KvStore.openOn<Value>(platform, "/s", SMALL);
  assertEquals([...again], expected);
  await again.close();
});
