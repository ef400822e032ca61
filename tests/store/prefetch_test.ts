/** `prefetch` and `getAsync`: which parts of which files are read ahead, and how many at a time. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvStore, KvStoreError, type OpenOptions } from "../../mod.ts";
import type { Extent } from "../../src/platform/types.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

/** A disk that answers reads ahead only when told. */
class SlowDisk extends MemoryPlatform {
  readonly asked: Extent[] = [];
  waiting: (() => void)[] = [];
  most = 0;

  override async readAhead(extent: Extent): Promise<void> {
    this.asked.push(extent);
    await new Promise<void>((resolve) => {
      this.most = Math.max(this.most, this.waiting.push(resolve));
    });
  }

  /** Answers until nothing is asked any more. */
  async answer(): Promise<void> {
    while (this.waiting.length > 0) {
      this.waiting.shift()!();
      for (let i = 0; i < 20; i++) await Promise.resolve();
    }
  }
}

async function storeOn(disk: SlowDisk, options: OpenOptions): Promise<KvStore> {
  const store = await KvStore.openOn(disk, "/s", { ...options, compaction: { auto: false } });
  for (let i = 0; i < 200; i++) store.set(`k${i}`, `value ${i}`);
  await store.flush();
  return store;
}

Deno.test("prefetch: reads the records of the keys that have one, at most 64 at a time for all callers together", async () => {
  const disk = new SlowDisk();
  const store = await storeOn(disk, { cacheBytes: 0, segmentBytes: 4096 });
  const pending = store.set("pending", 1);
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
  const reads = [store.prefetch(["none", "pending", ...keys.slice(0, 90)]), store.prefetch(keys.slice(90))];
  reads.push(store.getAsync("k150").then((value) => assertEquals(value, "value 150")));
  for (let i = 0; i < 20; i++) await Promise.resolve();
  await disk.answer();
  await Promise.all([...reads, pending]);
  assertEquals(disk.most, 64);
  const asked = disk.asked.map(({ path, offset, length }) => `${path} ${offset} ${length}`);
  const wanted = await Promise.all([...keys, "k150"].map(async (key) => {
    const [version] = await store.history(key);
    return `/s/${version!.segment} ${version!.offset} ${version!.bytes}`;
  }));
  assertEquals(asked.sort(), wanted.sort());
  assert(new Set(disk.asked.map(({ path }) => path)).size > 1);
  await store.close();
});

Deno.test("prefetch: what the block cache has is not read again", async () => {
  const disk = new SlowDisk();
  const store = await storeOn(disk, { cacheBytes: 1 << 20 });
  const keys = [...store.keys()];
  for (const key of keys) store.get(key);
  await store.prefetch(["k0"]);
  assertEquals([await store.getAsync("k1"), disk.asked], ["value 1", []]);
  await store.close();
});

Deno.test("prefetch: a file that cannot be read is the matter of the read that follows", async () => {
  const disk = new SlowDisk();
  disk.readAhead = () => Promise.reject(new Error("gone"));
  const store = await storeOn(disk, { cacheBytes: 0 });
  await store.prefetch(store.keys());
  assertEquals(await store.getAsync("k7"), "value 7");
  await store.close();
});

Deno.test("prefetch: of a store that is closed meanwhile it is CLOSED, and reads no further", async () => {
  const disk = new SlowDisk();
  const store = await storeOn(disk, { cacheBytes: 0 });
  const reading = store.prefetch(store.keys());
  for (let i = 0; i < 20; i++) await Promise.resolve();
  await store.close();
  await disk.answer();
  for (const call of [reading, store.prefetch([]), store.getAsync("k1")]) {
    assertEquals((await assertRejects(() => call, KvStoreError)).code, "CLOSED");
  }
  assertEquals(disk.asked.length, 64);
});
