/** What expires in tables of an index that have not been read. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { nextTurn } from "../../src/platform/turn.ts";
import { engineOf } from "../../src/store.ts";
import { Clock } from "../model/support/machine.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

// What had expired in tables that nobody had read counted as live until something read them; compaction by itself never
// came to it.
Deno.test("index: figures count what has expired in tables that have not been read, and so does compaction", async () => {
  const platform = new MemoryPlatform();
  let now = 1000;
  platform.now = () => now;
  const options = { segmentBytes: 65_536, compaction: { auto: false } };
  const store = await KvStore.openOn(platform, "/s", options);
  for (let i = 0; i < 3000; i++) {
    store.set(`key ${i}`, "v".repeat(100), { durability: "write", expiresAt: 2000 + i % 2 });
  }
  await store.close();
  now = 2000;
  for (const readOnly of [true, false]) {
    const again = await KvStore.openOn(platform, "/s", { ...options, readOnly });
    const stats = again.stats();
    assertEquals([again.size, again.stats()], [1500, stats]);
    assert(stats.liveBytes < 1500 * 200 && stats.staleBytes >= 1500 * 100, JSON.stringify(stats));
    await again.close();
  }
  now = 3000;
  const clock = new Clock();
  platform.startTimer = clock.startTimer;
  const last = await KvStore.openOn(platform, "/s", { ...options, compaction: { auto: true, minStaleBytes: 0 } });
  clock.pass(60_000);
  for (let turns = 0; turns < 200; turns++) await nextTurn();
  assert(last.stats().diskBytes < 65_536, JSON.stringify(last.stats()));
  assertEquals((await last.verify()).problems, []);
  await last.close();
});

/** Opens a store of keys that expire in a minute, whose tables are not read. `pass` lets time pass. */
async function openExpiring(): Promise<{ platform: MemoryPlatform; store: KvStore; pass(ms: number): Promise<void> }> {
  const platform = new MemoryPlatform();
  const clock = new Clock();
  platform.now = clock.now;
  platform.startTimer = clock.startTimer;
  const options = { segmentBytes: 65_536, compaction: { minStaleBytes: 16_384 }, durability: "write" } as const;
  const first = await KvStore.openOn(platform, "/s", options);
  for (let i = 0; i < 3000; i++) first.set(`key ${i}`, "v".repeat(100), { ttl: 60_000 });
  await first.close();
  const store = await KvStore.openOn(platform, "/s", options);
  const pass = async (ms: number) => {
    clock.pass(ms);
    store.get("another key");
    for (let turns = 0; turns < 200; turns++) await nextTurn();
  };
  // Compaction looks once when nothing has expired yet.
  await pass(2000);
  return { platform, store, pass };
}

// Only what had expired in tables that something had read woke compaction.
Deno.test("index: what expires in tables that have not been read is compacted, while the store is open", async () => {
  const { platform, store, pass } = await openExpiring();
  await pass(60_000);
  await pass(60_000);
  const segments = platform.files().filter((path) => path.endsWith(".seg"));
  const bytes = segments.reduce((sum, path) => sum + platform.readFile(path).length, 0);
  assert(bytes < 65_536, `${bytes} bytes`);
  await store.close();
});

Deno.test("index: what expires in tables that have not been read does not wake a store that has failed for ever", async () => {
  const { platform, store, pass } = await openExpiring();
  platform.onOperation = ({ kind }) => {
    if (kind === "sync") throw new Error("no sync");
  };
  await assertRejects(() => store.set("key 1", 1, { durability: "sync" }));
  await pass(60_000);
  assertEquals(engineOf(store).wakeAtBytes, Infinity);
  await assertRejects(() => store.close());
});

Deno.test("index: getMany reads the tables of its keys, not those in which others have expired", async () => {
  const platform = new MemoryPlatform();
  let now = 1000;
  platform.now = () => now;
  const options = { compaction: { auto: false }, durability: "write" } as const;
  const first = await KvStore.openOn(platform, "/s", options);
  for (let i = 0; i < 20_000; i++) first.set(`key ${i}`, i, i % 2 === 0 ? {} : { expiresAt: 2000 });
  await first.close();
  const store = await KvStore.openOn(platform, "/s", options);
  now = 2000;
  let bytesRead = 0;
  platform.onOperation = ({ kind, path, bytes }) => {
    if (kind === "read" && path === "/s/INDEX") bytesRead += bytes!;
  };
  assertEquals(store.getMany(["key 1", "key 2"]), [undefined, 2]);
  platform.onOperation = undefined;
  const imageBytes = platform.readFile("/s/INDEX").length;
  assert(bytesRead > 0 && bytesRead < imageBytes / 10, `${bytesRead} of ${imageBytes} bytes`);
  await store.close();
});
