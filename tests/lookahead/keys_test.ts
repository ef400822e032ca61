/** Reading many keys at once from a store that is large enough for `getMany` to look ahead. */

import { assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

const KEYS = 25_000;

Deno.test("looking ahead: getMany returns what get returns, whatever is missing, deleted, expired or not yet read", async () => {
  const disk = new MemoryPlatform();
  let store = await KvStore.openOn(disk, "/s", { durability: "write" });
  const writes = Array.from({ length: KEYS }, (_, i) => store.set(`key${i}`, i));
  writes.push(store.set("brief", 1, { expiresAt: 1 }), store.set("key5", new Uint8Array(100_000)));
  await Promise.all(writes);
  await store.delete("key3");
  await store.close();
  for (const count of [1, 15, 16, 17, 100]) {
    // No table of the index has been read yet.
    store = await KvStore.openOn(disk, "/s", {});
    const keys = Array.from({ length: count }, (_, i) => i % 4 === 3 ? `none${i}` : `key${(i * 7919 + 3) % KEYS}`);
    keys.push("brief", "key3", "key5", "key5");
    const found = store.getMany(keys);
    const snapshot = store.snapshot();
    assertEquals(found, keys.map((key) => store.get(key)));
    await store.delete(keys[0]!);
    assertEquals(store.getMany(keys)[0], undefined);
    assertEquals(snapshot.getMany(keys), found);
    await store.close();
  }
});
