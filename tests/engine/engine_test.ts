import { assert, assertEquals, assertThrows } from "@std/assert";
import { KvStore, KvStoreError, type Value } from "../../mod.ts";
import { formOf } from "../../src/engine/partition.ts";
import { VALUE_TYPE } from "../../src/engine/record.ts";
import type { Lock } from "../../src/platform/types.ts";
import { OpenStore } from "../../src/store/open_store.ts";
import { manifestOf } from "../../src/store/directory.ts";
import { OPENING } from "../../src/store/opening.ts";
import { openWriter } from "../../src/engine/open.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";
import { IS_FULL, turns } from "../support/sweep.ts";

/** Lets the `n`th array of these numbers that is made fail, as where memory runs out. */
async function withoutMemory<T>(n: number, action: () => Promise<T>): Promise<{ result?: T; isReached: boolean }> {
  const original = globalThis.Uint32Array;
  let made = 0;
  const failing = new Proxy(original, {
    construct(target, parameters: [number]) {
      if (++made === n) throw new RangeError("Array buffer allocation failed");
      return new target(...parameters);
    },
  });
  globalThis.Uint32Array = failing;
  try {
    return { result: await action(), isReached: made >= n };
  } finally {
    globalThis.Uint32Array = original;
  }
}

Deno.test("where memory runs out in the middle of a batch, nothing of it has happened", async () => {
  let n = 1;
  const isDue = turns();
  for (let isReached = true; isReached; n += 7) {
    if (!isDue()) continue;
    const platform = new MemoryPlatform();
    const store = await KvStore.openOn<Value>(platform, "/s", { compaction: { auto: false } });
    for (let i = 0; i < 40; i++) store.set(`old ${i}`, i);
    await store.delete("old 7");
    using snapshot = n % 2 === 0 ? store.snapshot() : undefined;
    const before = [...store.entries()];
    const size = store.size;
    const operations = Array.from(
      { length: 3000 },
      (_, i) =>
        i % 3 === 0 ? { type: "delete" as const, key: `old ${i}` } : { type: "set" as const, key: `${i}`, value: i },
    );
    const earlier = store.set("earlier", "in the same group");
    const outcome = await withoutMemory(n, () => store.batch(operations).then(() => "done", (error) => error));
    isReached = outcome.isReached;
    await earlier;
    if (outcome.result !== "done") {
      assert(outcome.result instanceof RangeError, `${outcome.result}`);
      assertEquals([...store.entries()].filter(([key]) => key !== "earlier"), before, `array ${n}`);
      assertEquals(store.size, size + 1);
    }
    if (snapshot !== undefined) assertEquals([...snapshot.entries()], before);
    await store.batch(operations);
    assertEquals(store.get("2999"), 2999);
    assertEquals((await store.verify()).problems, [], `array ${n}`);
    await store.close();
    const again = await KvStore.openOn<Value>(platform, "/s", { readOnly: true });
    assertEquals([again.get("earlier"), again.get("2999")], ["in the same group", 2999]);
    await again.close();
  }
  assert(n > 100, `only ${n} arrays`);
});

// A compaction that had no memory for telling a snapshot of what had expired left the index pointing at replaced
// segments. The next compaction took the copies for stale. And a note of the snapshot that was made halfway hid the key
// from it.
Deno.test("where memory runs out in a compaction, behind its switch too, no later one drops what is needed", async () => {
  let failures = 0;
  let n = 1;
  const isDue = turns();
  for (let isReached = true; isReached; n++) {
    if (!isDue()) continue;
    const platform = new MemoryPlatform();
    let now = 1000;
    platform.now = () => now;
    const options = { segmentBytes: 4096, compaction: { auto: false } };
    const store = await KvStore.openOn<Value>(platform, "/s", options);
    for (let i = 0; i < 240; i++) await store.set(`${i}`, i, i % 3 === 0 ? {} : { expiresAt: 2000 });
    const snapshot = store.snapshot();
    now = 2000;
    const before = [...store.entries()];
    const outcome = await withoutMemory(n, () => store.compact().then(() => "done", (error) => error));
    isReached = outcome.isReached;
    assertEquals([[...store.entries()], [...snapshot.entries()].length], [before, 240], `array ${n}`);
    snapshot.close();
    // Something to win, so that the copies are looked at again.
    const changed = await store.set("0", "changed").then(() => true, (error) => assertEquals(error.code, "FAILED"));
    await store.compact().catch((error) => assertEquals(error.code, "FAILED"));
    assertEquals([...store.entries()].slice(1), before.slice(1));
    await store.close().catch((error) => assertEquals(error.code, "FAILED"));
    if (changed !== true) failures++;
    const again = await KvStore.openOn<Value>(changed === true ? platform : platform.kill(), "/s", options);
    assertEquals([...again.entries()].slice(1), before.slice(1), `array ${n}`);
    assertEquals(again.get("0"), changed === true ? "changed" : 0);
    assertEquals((await again.verify()).problems, [], `array ${n}`);
    await again.close();
  }
  assert(failures > (IS_FULL ? 3 : 0), `${failures} of ${n}`);
});

Deno.test("an entry of the index that points at the record of another key is CORRUPT, never that one's value", () => {
  const platform = new MemoryPlatform();
  platform.writeFile("/s/NOTE", new Uint8Array(1));
  const lock = platform.lock("/s/LOCK", "") as Lock;
  const opened = openWriter({ platform, directory: "/s", lock }, manifestOf(platform, "/s", lock), OPENING);
  const engine = new OpenStore(opened, { segmentBytes: 1 << 20, cacheBytes: 0 }, () => {});
  for (const name of ["a", "b"]) {
    const writer = engine.beginWrite();
    engine.stageSet(engine.key.encode(name), { type: VALUE_TYPE.utf8, data: `of ${name}` }, 0);
    writer.publish();
  }
  const read = (name: string) => {
    const key = engine.key.encode(name);
    return engine.read(engine.find(key)!, key);
  };
  assertEquals([read("a"), read("b")], ["of a", "of b"]);
  const { segment, offset, length } = engine.find(engine.key.encode("b"))!;
  engine.index.changeable().put(engine.key.encode("a"), segment, offset, formOf(length, true));
  assertEquals(assertThrows(() => read("a"), KvStoreError).code, "CORRUPT");
  assertEquals(read("b"), "of b");
});

Deno.test("forgetting a batch that is refused needs no memory", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn<Value>(platform, "/s", { compaction: { auto: false } });
  const slice = Uint8Array.prototype.slice;
  Uint8Array.prototype.slice = () => {
    throw new RangeError("Array buffer allocation failed");
  };
  try {
    const bad = [{ type: "set" as const, key: "a", value: 1 }, { type: "set" as const, key: 5 as never, value: 1 }];
    const error = await store.batch(bad).then(() => undefined, (error) => error);
    assert(error instanceof TypeError, `${error}`);
  } finally {
    Uint8Array.prototype.slice = slice;
  }
  await store.set("b", 2);
  await store.close();
  const again = await KvStore.openOn<Value>(platform, "/s", { readOnly: true });
  assertEquals([...again.entries()], [["b", 2]]);
  await again.close();
});
