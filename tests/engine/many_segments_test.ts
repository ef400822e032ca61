/** A store of a thousand segments, as 64 GiB are: whatever is done with it, the same few files are open. */

import { assert, assertEquals } from "@std/assert";
import { MAX_OPEN_FILES } from "../../src/platform/pool.ts";
import { KvStore } from "../../src/store.ts";
import { surveyOn } from "../../src/check/survey.ts";
import { repairOn } from "../../src/check/repair.ts";
import { verifyOn } from "../../src/check/verify.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

const SEGMENTS = 1024;
const OPTIONS = { segmentBytes: 4096, cacheBytes: 0, compaction: { auto: false } };
const VALUE = "v".repeat(3000);

/** Beside the pool: the active segment twice, a copy, MANIFEST, an image that is read and one that is written. */
const MOST = MAX_OPEN_FILES + 6;

Deno.test("many segments: every call works with a fixed number of open files", async () => {
  const platform = new MemoryPlatform();
  platform.makeDirectory("/s");
  let most = 0;
  platform.onOperation = () => void (most = Math.max(most, platform.openHandles));
  let store = await KvStore.openOn(platform, "/s", OPTIONS);
  const keys: string[] = [];
  for (; store.stats().segments < SEGMENTS; keys.push(`key ${keys.length}`)) {
    await store.set(`key ${keys.length}`, VALUE, { durability: "write" });
  }
  await store.close();
  store = await KvStore.openOn(platform, "/s", OPTIONS);
  const readAll = (one: { get(key: string): unknown }) =>
    assertEquals(keys.every((key) => one.get(key) === VALUE), true);
  readAll(store);
  const snapshot = store.snapshot();
  for (const key of keys.slice(0, 500)) await store.set(key, VALUE, { durability: "write" });
  await store.compact();
  assert(store.stats().pinnedSegments >= 500);
  readAll(snapshot);
  readAll(store);
  assertEquals((await store.verify()).problems, []);
  await store.backup("/copy");
  const reader = await KvStore.openOn(platform, "/s", { ...OPTIONS, readOnly: true });
  readAll(reader);
  assertEquals((await reader.history(keys[0]!)).length, 1);
  await reader.close();
  snapshot.close();
  await store.close();
  assertEquals((await verifyOn(platform, "/copy", {})).problems, []);
  platform.remove("/copy/MANIFEST");
  assertEquals((await repairOn(platform, "/copy", {})).lostKeys, []);
  surveyOn(platform, "/s").close();
  assert(most <= MOST, `${most} files were open`);
  assertEquals(platform.openHandles, 0);
});
