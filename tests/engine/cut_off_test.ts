/**
 * Calls that are cut off where no stack is left, so that the index has taken some half of a record: the store goes on,
 * by the log.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvStore, type Snapshot } from "../../mod.ts";
import { engineOf } from "../../src/store.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

const OPTIONS = { durability: "write", compaction: { auto: false } } as const;
const KEYS = ["a", "b", "c"];
const batch = (n: number) => KEYS.map((key) => ({ type: "set" as const, key, value: { n } }));
/** A store that has the first batch. */
async function prepared(): Promise<{ platform: MemoryPlatform; store: KvStore }> {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn(platform, "/s", OPTIONS);
  await store.batch(batch(1));
  return { platform, store };
}

const contents = (store: KvStore | Snapshot) => JSON.stringify([...store]);

/** Cuts off the record with this number, counted from now on: after the index has taken it, or before. */
function cutOff(store: KvStore, { at, isTaken }: { at: number; isTaken: boolean }): void {
  const engine = engineOf(store);
  const { onRecord } = engine;
  engine.onRecord = function (...given) {
    if (isTaken || at > 0) onRecord.apply(this, given);
    if (at-- > 0) return;
    engine.onRecord = onRecord;
    throw new RangeError("Maximum call stack size exceeded");
  };
}

/** Lets all operations of a kind fail. */
function refuse(platform: MemoryPlatform, kind: "read" | "write"): void {
  platform.onOperation = (operation) => {
    if (operation.kind === kind) throw new Error("refused");
  };
}

async function checkReopened(platform: MemoryPlatform, expected: string): Promise<void> {
  const again = await KvStore.openOn(platform, "/s", OPTIONS);
  assertEquals(contents(again), expected);
  assertEquals((await again.verify()).problems, []);
  await again.close();
}

Deno.test("of a batch that is cut off nothing is there, and the next call is taken", async () => {
  for (const at of [0, 1, 2]) {
    for (const isTaken of [false, true]) {
      const platform = new MemoryPlatform();
      const store = await KvStore.openOn(platform, "/s", OPTIONS);
      await store.batch(batch(1));
      const before = contents(store);
      const snapshot = store.snapshot();
      const pending = store.set("d", "pending");
      cutOff(store, { at, isTaken });
      const refused = assertRejects(() => store.batch(batch(2)), RangeError);
      const next = store.set("e", "next");
      await Promise.all([pending, refused, next]);
      const expected = `${before.slice(0, -1)},["d","pending"],["e","next"]]`;
      assertEquals([contents(store), contents(snapshot)], [expected, before]);
      assertEquals(store.stats().liveBytes, engineOf(store).log.active!.endBytes - 44 - store.stats().staleBytes);
      await store.close();
      await checkReopened(platform, expected);
    }
  }
});

Deno.test("nobody reads what was cut off, in the same turn, while a sync is under way or behind", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn(platform, "/s", OPTIONS);
  await store.set("a", "old");
  cutOff(store, { at: 0, isTaken: true });
  const refused = assertRejects(() => store.set("a", "new"), RangeError);
  assertEquals([store.get("a"), contents(store), store.size], ["old", '[["a","old"]]', 1]);
  await refused;
  let endSync = () => {};
  platform.syncTurn = () => new Promise((resolve) => endSync = resolve);
  await store.set("b", "old");
  const flushed = store.flush();
  await new Promise((resolve) => setTimeout(resolve));
  cutOff(store, { at: 0, isTaken: true });
  await assertRejects(() => store.set("b", "new"), RangeError);
  endSync();
  await flushed;
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(engineOf(store).log.failure, undefined);
  assertEquals(engineOf(store).index.size, 2);
  assertEquals(store.get("b"), "old");
  platform.syncTurn = () => Promise.resolve();
  await store.close();
});

Deno.test("a compaction goes on when a write is cut off meanwhile, also while a sync is under way", async () => {
  for (const at of [1, 3, 5]) {
    const platform = new MemoryPlatform();
    const store = await KvStore.openOn(platform, "/s", { compaction: { auto: false }, segmentBytes: 8 << 20 });
    for (let i = 0; i < 6000; i++) store.set(`k${i % 4500}`, "x".repeat(3000));
    await store.flush();
    platform.syncTurn = () => new Promise((resolve) => setTimeout(resolve, 30));
    let pauses = 0;
    const refused: Promise<unknown>[] = [];
    await store.compact({
      onProgress: () => {
        if (++pauses === at) refused.push(store.set("other", 1));
        if (pauses !== at + 1) return;
        // Between two slices, as other code of the program.
        setImmediate(() => {
          cutOff(store, { at: 0, isTaken: true });
          refused.push(assertRejects(() => store.set("k5", "cut off"), RangeError));
        });
      },
    });
    await Promise.all(refused);
    await store.compact();
    const files = platform.list("/s").filter((name) => name.endsWith(".seg"));
    assertEquals([files.length, store.get("k5")], [store.stats().segments, "x".repeat(3000)]);
    await store.close();
  }
});

Deno.test("a rotation that fails leaves the segment as it was, and the next close writes an image", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn(platform, "/s", OPTIONS);
  await store.batch(Array.from({ length: 2000 }, (_, i) => ({ type: "set", key: `key ${i}`, value: i })));
  for (let i = 0; i < 1500; i++) store.set(`key ${i}`, i);
  await store.flush();
  platform.onOperation = ({ kind, path }) => {
    if (kind === "open" && path.endsWith(".seg")) throw new Error("no descriptor is left");
  };
  await assertRejects(() => store.compact(), Error, "no descriptor is left");
  await store.set("a", 1);
  platform.onOperation = undefined;
  await store.close();
  assert(platform.list("/s").includes("INDEX"));
});

Deno.test("a clear that is cut off has cleared nothing, neither at once nor for a snapshot", async () => {
  for (const isTaken of [false, true]) {
    const { platform, store } = await prepared();
    const snapshot = store.snapshot();
    const before = contents(store);
    cutOff(store, { at: 0, isTaken });
    await assertRejects(() => store.clear(), RangeError);
    await new Promise((resolve) => setTimeout(resolve));
    assertEquals(engineOf(store).log.failure, undefined, "the turn has mended it, before any call");
    assertEquals([contents(store), contents(snapshot), store.size], [before, before, 3]);
    await store.close();
    await checkReopened(platform, before);
  }
});

Deno.test("if the disk refuses what was pending before a call that was cut off, its caller hears of it, and the store goes on", async () => {
  const { platform, store } = await prepared();
  const pending = assertRejects(() => store.delete("a"), Error, "refused");
  cutOff(store, { at: 1, isTaken: true });
  const refused = assertRejects(() => store.batch(batch(2)), RangeError);
  refuse(platform, "write");
  await Promise.all([pending, refused]);
  platform.onOperation = undefined;
  await store.set("d", 1);
  const expected = `[${KEYS.map((key) => `["${key}",{"n":1}]`)},["d",1]]`;
  assertEquals(contents(store), expected);
  await store.close();
  await checkReopened(platform, expected);
});

Deno.test("if the index cannot be built anew, the store has failed", async () => {
  const { platform, store } = await prepared();
  cutOff(store, { at: 1, isTaken: true });
  const refused = assertRejects(() => store.batch(batch(2)), RangeError);
  refuse(platform, "read");
  await refused;
  const error = await assertRejects(() => store.set("d", 1));
  assertEquals((error as { code?: string }).code, "FAILED");
  platform.onOperation = undefined;
  await store.close().catch(() => {});
  await checkReopened(platform, JSON.stringify(KEYS.map((key) => [key, { n: 1 }])));
});

Deno.test("what a call that was cut off left staged is not written with the next one", async () => {
  const store = await KvStore.openOn(new MemoryPlatform(), "/s", OPTIONS);
  const { tail } = engineOf(store).writer!;
  tail.stage(1, 0, { bytes: Uint8Array.of(120), start: 0, length: 1 }, "left");
  await store.set("a", 1);
  assertEquals([...store], [["a", 1]]);
  await store.close();
});

/** Overflows the stack, and makes calls on the way back: the first where `skipped` frames have become free. */
function callOnTheWayBack(skipped: number, calls: (() => void)[]): void {
  let level = -skipped;
  const recurse = (): void => {
    try {
      recurse();
    } catch (error) {
      assert(error instanceof RangeError);
    }
    if (level++ >= 0) calls.shift()?.();
  };
  recurse();
}

Deno.test("where there is too little stack to build the index anew, a later call does so", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn(platform, "/s", OPTIONS);
  const mendOnce = async (skipped: number) => {
    cutOff(store, { at: 1, isTaken: true });
    const refused = assertRejects(() => store.batch(batch(skipped)), RangeError);
    const settled: Promise<unknown>[] = [];
    const call = () =>
      void settled.push(store.set("next", skipped).catch((error) => assert(error instanceof RangeError)));
    callOnTheWayBack(
      skipped,
      Array.from({ length: 3 }, () => () => {
        try {
          call();
        } catch (error) {
          assert(error instanceof RangeError);
        }
      }),
    );
    await Promise.all([refused, ...settled]);
    await store.set("last", skipped);
    assertEquals([store.get("last"), ...store.getMany(KEYS)], [skipped, undefined, undefined, undefined]);
  };
  // What was never called is compiled first, which takes more stack.
  for (let i = 0; i < 50; i++) await mendOnce(2000);
  for (let skipped = 0; skipped < 400; skipped += 3) await mendOnce(skipped);
  await store.close();
});

Deno.test("wherever a caller's stack ends, a call takes effect or rejects, and the store goes on", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn(platform, "/s", { ...OPTIONS, segmentBytes: 64 * 1024 });
  const expected = new Map<string, unknown>();
  let cutOffs = 0;
  const { onCutOff } = engineOf(store);
  engineOf(store).onCutOff = function () {
    cutOffs++;
    onCutOff.call(this);
  };
  // Functions that were never called are compiled first, which takes more stack than they do.
  for (let i = 0; i < 300; i++) {
    await store.set("warm", i, { ttl: 1e6 });
    await store.batch([{ type: "delete", key: "warm" }]);
    await store.delete("warm");
    await assertRejects(() => store.set("warm", undefined as never));
  }
  const settling: Promise<void>[] = [];
  /** A call that changes these keys to a value, or refuses to. */
  const change = (keys: string[], value: unknown, call: () => Promise<unknown>) => () => {
    let promise: Promise<unknown>;
    try {
      promise = call();
    } catch (error) {
      // Not even a promise could be made.
      assert(error instanceof RangeError);
      return;
    }
    settling.push(promise.then(() => {
      for (const key of keys) value === undefined ? expected.delete(key) : expected.set(key, value);
    }, (error) => assert(error instanceof RangeError || error.code === "FAILED", String(error))));
  };
  let calls = 0;
  const set = (key: string, options = {}, value = ++calls) =>
    change([key], value, () => store.set(key, value, options));
  const batchOf = (keys: string[], value = ++calls) =>
    change(keys, value, () => store.batch(keys.map((key) => ({ type: "set", key, value }))));
  for (let round = 0; round < 4; round++) {
    const snapshot = round % 2 === 0 ? undefined : store.snapshot();
    const shown = contents(store);
    for (let skipped = 0; skipped < 120; skipped++) {
      const twins = [`twin:${skipped}`, `twin:${skipped}:${round}`];
      const kinds = [
        set(`key:${skipped}`),
        set(`new:${skipped}:${round}`),
        set(`key:${skipped}`, { ttl: 1e6 }),
        change([`key:${skipped + 1}`], undefined, () => store.delete(`key:${skipped + 1}`)),
        batchOf(twins),
      ];
      for (const call of kinds) {
        // A turn is scheduled then, which would take more stack than what is to be cut off.
        if (round > 0) set("pending")();
        callOnTheWayBack(skipped, [call, set("next"), set("last")]);
        await Promise.all(settling.splice(0));
      }
    }
    assertEquals(contents(store), JSON.stringify([...expected].sort(([a], [b]) => a < b ? -1 : 1)));
    if (snapshot !== undefined) assertEquals(contents(snapshot), shown);
    snapshot?.close();
    if (round === 2) await store.compact();
  }
  assert(cutOffs > 10, `${cutOffs}`);
  const left = contents(store);
  await store.close();
  await checkReopened(platform, left);
});
