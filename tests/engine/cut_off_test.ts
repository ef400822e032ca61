/**
 * Calls that are cut off where no stack is left. Of a batch that was, a part stayed announced: the index pointed behind
 * what was written, and its keys were CORRUPT; or what was staged of it was written with the next call.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvStore, KvStoreError } from "../../mod.ts";
import { engineOf } from "../../src/store.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

const OPTIONS = { durability: "write", compaction: { auto: false } } as const;
const batch = (n: number) => ["a", "b", "c"].map((key) => ({ type: "set" as const, key, value: { n } }));

Deno.test("a batch that a stack overflow cuts off fails the store with a code, and nothing of it is there after reopening", async () => {
  for (const cutAt of [0, 1, 2]) {
    const platform = new MemoryPlatform();
    const store = await KvStore.openOn(platform, "/s", OPTIONS);
    await store.batch(batch(1));
    const engine = engineOf(store);
    const { onRecord } = engine;
    let calls = 0;
    engine.onRecord = function (...given) {
      onRecord.apply(this, given);
      if (calls++ === cutAt) throw new RangeError("Maximum call stack size exceeded");
    };
    await assertRejects(() => store.batch(batch(2)), RangeError);
    engine.onRecord = onRecord;
    const error = await assertRejects(() => store.set("d", 1), KvStoreError);
    assertEquals(error.code, "FAILED");
    await store.close().catch(() => {});
    const again = await KvStore.openOn(platform, "/s", OPTIONS);
    assertEquals(JSON.stringify([...again]), JSON.stringify(["a", "b", "c"].map((key) => [key, { n: 1 }])));
    assertEquals((await again.verify()).problems, []);
    await again.close();
  }
});

Deno.test("what a call that was cut off left staged is not written with the next one", async () => {
  const store = await KvStore.openOn(new MemoryPlatform(), "/s", OPTIONS);
  const { tail } = engineOf(store).writer!;
  tail.stage(1, 0, { bytes: Uint8Array.of(120), start: 0, length: 1 }, "left");
  await store.set("a", 1);
  assertEquals([...store], [["a", 1]]);
  await store.close();
});

Deno.test("wherever a caller's stack ends, the store goes on or fails with a code, and opens again as it was", async () => {
  for (let round = 0; round < 8; round++) {
    const platform = new MemoryPlatform();
    const store = await KvStore.openOn(platform, "/s", OPTIONS);
    await store.batch(batch(1));
    let n = round * 7;
    const recurse = (): void => {
      store.batch(batch(++n)).catch(() => {});
      recurse();
    };
    try {
      recurse();
    } catch (error) {
      assert(error instanceof RangeError);
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
    const outcome = await store.set("d", 1).then(() => "done", (error) => error.code);
    assert(outcome === "done" || outcome === "FAILED", outcome);
    const found = outcome === "done" ? [...store] : undefined;
    await store.close().catch(() => {});
    const again = await KvStore.openOn(platform, "/s", OPTIONS);
    const [a, b, c] = again.getMany(["a", "b", "c"]) as { n: number }[];
    assert(a!.n === b!.n && b!.n === c!.n, "a part of a batch");
    if (found !== undefined) assertEquals([...again], found);
    assertEquals((await again.verify()).problems, []);
    await again.close();
  }
});
