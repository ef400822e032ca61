/** A `get` that meets the record of another key first, as both have the same eight bits of their hash. */

import { assertEquals, assertThrows } from "@std/assert";
import { KvStore, KvStoreError } from "../../mod.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

const KEYS = 3000;
/** Enough for dozens of them to meet another key's record. */
const MISSING = 20_000;

for (const cacheBytes of [0, 1 << 20]) {
  Deno.test(`get: another key's record, read by chance, is never an answer; a cache of ${cacheBytes} bytes`, async () => {
    const store = await KvStore.openOn(new MemoryPlatform(), "/s", { durability: "write", cacheBytes });
    await Promise.all(Array.from({ length: KEYS }, (_, i) => store.set(`key ${i}`, i)));
    for (let i = 0; i < KEYS; i++) assertEquals(store.get(`key ${i}`), i);
    for (let i = 0; i < MISSING; i++) assertEquals(store.get(`none ${i}`), undefined);
    await store.close();
  });
}

Deno.test("get: that another key's record is damaged is no error of a key that is missing", async () => {
  const disk = new MemoryPlatform();
  let store = await KvStore.openOn(disk, "/s", { durability: "write" });
  await Promise.all(Array.from({ length: KEYS }, (_, i) => store.set(`key ${i}`, "damaged")));
  await store.close();
  store = await KvStore.openOn(disk, "/s", { cacheBytes: 0 });
  for (const path of disk.files().filter((path) => path.endsWith(".seg"))) {
    const bytes = disk.readFile(path);
    const isKey = (at: number) => new TextDecoder().decode(bytes.subarray(at, at + 4)) === "key ";
    disk.writeFile(path, bytes.map((byte, at) => isKey(at) ? 0 : byte));
  }
  assertThrows(() => store.get("key 1"), KvStoreError, "checksum of a record's header and key");
  for (let i = 0; i < MISSING; i++) assertEquals(store.get(`none ${i}`), undefined);
  await store.close();
});
