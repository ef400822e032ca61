/** `KvStore.open(":memory:")`: without a disk. */

import { assertEquals, assertRejects } from "@std/assert";
import { KvStore, KvStoreError } from "../../mod.ts";
import { canUseDisk } from "../support/permissions.ts";

Deno.test({
  name: "memory: a store needs no permission, is new each time, and gone at its end",
  permissions: "none",
  fn: async () => {
    const store = await KvStore.open<number>(":memory:");
    const other = await KvStore.open(":memory:");
    for (let i = 0; i < 1000; i++) store.set(`k${i}`, i);
    await store.flush();
    await store.deleteRange({ gte: "k5" });
    await store.compact();
    assertEquals([store.size, store.get("k42"), other.size], [store.count({ prefix: "k" }), 42, 0]);
    assertEquals((await store.verify()).problems, []);
    await Promise.all([store.close(), other.close()]);
    await using next = await KvStore.open(":memory:");
    assertEquals(next.size, 0);
    const error = await assertRejects(() => KvStore.open(":memory:", { readOnly: true }), KvStoreError);
    assertEquals(error.code, "NOT_FOUND");
  },
});

Deno.test({
  name: "memory: a backup goes to the disk",
  ignore: !canUseDisk,
  fn: async () => {
    const root = Deno.makeTempDirSync({ prefix: "kvstore-memory-" });
    try {
      await using store = await KvStore.open(":memory:");
      await store.set("a", 1);
      await store.backup(`${root}/copy`);
      await using copy = await KvStore.open(`${root}/copy`, { create: false });
      assertEquals([...copy], [["a", 1]]);
    } finally {
      Deno.removeSync(root, { recursive: true });
    }
  },
});
