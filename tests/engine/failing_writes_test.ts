/**
 * Writes that fail, and compaction beside them. Story: a compaction began anew whenever a pending write had been rolled back, as
 * the records that it superseded counted again. On a full disk, with a program that goes on trying, one write fails
 * after the other, and the compaction that was to make room never ended; and whoever had asked for it was told of the
 * errors of others. Now whatever is pending is written, or rolled back, before each table of the index is looked at.
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { engineOf } from "../../src/store.ts";
import { nextTurn } from "../../src/platform/turn.ts";
import { MemoryPlatform, type Operation } from "../support/memory_platform.ts";
import { verifyOn } from "../../src/check/verify.ts";

Deno.test("compaction: ends while one write after the other fails", async () => {
  const platform = new MemoryPlatform();
  const options = { segmentBytes: 64 * 1024, compaction: { auto: false } };
  const store = await KvStore.openOn(platform, "/store", options);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 3000; i++) await store.set(`k${i}`, `${round}`.repeat(100), { durability: "write" });
  }
  await store.flush();
  const before = store.stats();
  let isFull = true;
  const refused = new Uint8Array(1000);
  platform.onOperation = ({ kind, bytes = 0 }: Operation) => {
    // The writes of the program alone: outputs of the compaction are larger, headers and MANIFEST smaller.
    if (kind === "write" && bytes > 1000 && bytes < 1200 && isFull) throw new Error("no space left on device");
  };
  let failures = 0;
  const trying = (async () => {
    while (isFull) {
      await store.set(`k${failures % 3000}`, refused).catch(() => failures++);
      await nextTurn();
    }
  })();
  let isOver = false;
  await Promise.race([
    store.compact().finally(() => isOver = true),
    new Promise((resolve) => setTimeout(resolve, 10_000)),
  ]);
  isFull = false;
  await trying;
  assertEquals([isOver, failures > 0], [true, true]);
  assertEquals(store.stats().liveBytes, before.liveBytes);
  for (let i = 0; i < 3000; i++) assertEquals(store.get(`k${i}`), "1".repeat(100));
  await store.close();
  assertEquals((await verifyOn(platform, "/store", {})).problems, []);
});

Deno.test("if memory runs out once a large group is written, it is not written again", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn(platform, "/s", { durability: "write", segmentBytes: 1 << 20 });
  const pending = store.set("pending", 1);
  const { tail } = engineOf(store).writer!;
  const { dropPublished } = tail;
  const { Uint8Array } = globalThis;
  tail.dropPublished = function () {
    const construct = () => {
      throw new RangeError("Array buffer allocation failed");
    };
    globalThis.Uint8Array = new Proxy(Uint8Array, { construct });
    try {
      dropPublished.call(this);
    } finally {
      globalThis.Uint8Array = Uint8Array;
    }
  };
  await store.set("large", new Uint8Array(17 << 20)).catch((error) => assert(error instanceof RangeError));
  tail.dropPublished = dropPublished;
  await pending;
  await store.set("later", 1);
  const keys = [...store.keys()];
  await store.close();
  const again = await KvStore.openOn(platform, "/s", {});
  assertEquals([[...again.keys()], (await again.verify()).problems], [keys, []]);
  await again.close();
});
