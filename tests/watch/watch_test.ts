/**
 * What watches do over time, and what the contract suite cannot see: looks of readers, garbage, streams.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Change, KvStoreError, type Watch } from "../../mod.ts";
import { nextTurn } from "../../src/platform/turn.ts";
import { KvStore } from "../../src/store.ts";
import { verifyOn } from "../../src/check/verify.ts";
import { Clock } from "../model/support/machine.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

const SMALL = { segmentBytes: 4096, compaction: { auto: false } };

/** A machine whose time stands still. */
function machine(): { platform: MemoryPlatform; clock: Clock } {
  const platform = new MemoryPlatform();
  const clock = new Clock();
  platform.startTimer = clock.startTimer;
  platform.makeDirectory("/s");
  return { platform, clock };
}

/** Lets time pass, and what it sets going come to its end. */
async function pass(clock: Clock, ms: number): Promise<void> {
  clock.pass(ms);
  for (let turns = 0; turns < 20; turns++) await nextTurn();
}

/** Reads a watch all the time; the keys go into a list. */
function follow(watch: Watch): { keys: string[]; end: Promise<unknown> } {
  const keys: string[] = [];
  const end = (async () => {
    for await (const change of watch) keys.push(change.type === "clear" ? "clear" : String(change.key));
  })().catch((error) => error);
  return { keys, end };
}

Deno.test("watch: a reader's hears of a write within two seconds, and of one merely written within two of its sync", async () => {
  const { platform, clock } = machine();
  const writer = await KvStore.openOn(platform, "/s", {});
  await writer.set("before", 1);
  const reader = await KvStore.openOn(platform, "/s", { readOnly: true });
  const { keys } = follow(reader.watch());
  for (const durability of ["sync", "write"] as const) {
    for (let delayMs = 0; delayMs < 1000; delayMs += 170) {
      await pass(clock, delayMs);
      const key = `${durability} ${delayMs}`;
      await writer.set(key, 1, { durability });
      for (let ms = 0; writer.stats().unsyncedBytes > 0; ms += 50) await pass(clock, 50);
      for (let ms = 0; ms < 2000 && keys.at(-1) !== key; ms += 50) await pass(clock, 50);
      assertEquals(keys.at(-1), key);
      assert(reader.has(key), "the reader is behind its watch");
    }
  }
  await writer.close();
  await reader.close();
  assertEquals(clock.leftMs, Infinity);
});

Deno.test("watch: a reader without watches has no timer, and one that looks in vain reads nothing but the manifest", async () => {
  const { platform, clock } = machine();
  const writer = await KvStore.openOn(platform, "/s", {});
  await writer.set("a", 1);
  const reader = await KvStore.openOn(platform, "/s", { readOnly: true });
  await pass(clock, 10_000);
  assertEquals(clock.leftMs, Infinity);
  const watch = reader.watch();
  await pass(clock, 1000);
  const paths = new Set<string>();
  let reads = 0;
  platform.onOperation = ({ kind, path }) => {
    paths.add(path);
    if (kind === "read") reads++;
  };
  await pass(clock, 10_000);
  platform.onOperation = undefined;
  assertEquals([...paths], ["/s/MANIFEST"]);
  assert(reads <= 40, `${reads} reads`);
  await watch.return();
  await pass(clock, 1000);
  assertEquals(clock.leftMs, Infinity);
  await reader.close();
  await writer.close();
});

// The look that had been agreed upon refreshed the reader once more behind the end of its last watch.
Deno.test("watch: a reader stays as it is from the end of its last watch on", async () => {
  const { platform, clock } = machine();
  const writer = await KvStore.openOn(platform, "/s", {});
  const reader = await KvStore.openOn(platform, "/s", { readOnly: true });
  await reader.watch().return();
  await writer.set("a", 1);
  await writer.close();
  await pass(clock, 1000);
  assertEquals([reader.has("a"), clock.leftMs], [false, Infinity]);
  assertEquals(await reader.refresh(), true);
  await reader.close();
});

// What was kept for a watch that nobody asked any more stayed in the directory of the closed store.
Deno.test("watch: closing the store removes what was kept for one that is behind", async () => {
  const { platform } = machine();
  const store = await KvStore.openOn(platform, "/s", SMALL);
  for (let i = 0; i < 6; i++) await store.set("a", `${i}`.repeat(1900));
  const watch = store.watch({ since: 0 });
  await watch.next();
  await store.compact();
  assert(store.stats().pinnedSegments > 0);
  await store.close();
  assertEquals((await watch.next()).done, true);
  assertEquals(await verifyOn(platform, "/s", {}), { problems: [], notes: [] });
});

Deno.test("watch: what was written and compacted away between two looks of a reader is TRIMMED", async () => {
  const { platform } = machine();
  const writer = await KvStore.openOn(platform, "/s", SMALL);
  await writer.set("a", "0");
  const reader = await KvStore.openOn(platform, "/s", { readOnly: true });
  const { keys, end } = follow(reader.watch());
  for (let i = 1; i < 40; i++) await writer.set("a", `${i} `.repeat(100));
  await writer.compact();
  // Time stands still: this is the first look since the beginning.
  await reader.refresh();
  const error = await end;
  assertEquals([error instanceof KvStoreError && error.code, keys], ["TRIMMED", []]);
  await reader.close();
  await writer.close();
  assertEquals((await verifyOn(platform, "/s", {})).problems, []);
});

Deno.test("watch: a torn tail that nobody recovers costs a reader one look", async () => {
  const { platform, clock } = machine();
  const writer = await KvStore.openOn(platform, "/s", {});
  await writer.set("a", 1);
  await writer.set("b", 1);
  const after = platform.kill();
  after.startTimer = clock.startTimer;
  const [name] = after.files().filter((path) => path.endsWith(".seg"));
  after.writeFile(name!, Uint8Array.of(...after.readFile(name!), ...new Uint8Array(3000).fill(3)));
  const reader = await KvStore.openOn(after, "/s", { readOnly: true });
  const { keys } = follow(reader.watch({ since: 0 }));
  await pass(clock, 500);
  const before = after.operations.read;
  await pass(clock, 10_000);
  assert(after.operations.read - before <= 40);
  assertEquals(keys, ["a"]);
  const next = await KvStore.openOn(after, "/s", {});
  await pass(clock, 500);
  assertEquals(keys, ["a", "b"]);
  await reader.close();
  await next.close();
});

Deno.test("watch: what a reader's look meets is told to those who wait, and the next look tries again", async () => {
  const { platform, clock } = machine();
  const writer = await KvStore.openOn(platform, "/s", {});
  const reader = await KvStore.openOn(platform, "/s", { readOnly: true });
  const watch = reader.watch();
  const failing = watch.next().catch((error) => error);
  await nextTurn();
  platform.onOperation = ({ kind, path }) => {
    if (kind === "open" && path.endsWith("MANIFEST")) throw new Error("input/output error");
  };
  await pass(clock, 250);
  assertEquals((await failing).code, "IO");
  platform.onOperation = undefined;
  const next = watch.next();
  await writer.set("a", 1);
  await writer.close();
  await pass(clock, 250);
  assertEquals((await next).value?.type, "set");
  await reader.close();
});

// A key that lay across the end of what had been read, and whose second half could not be read, was told all the same,
// by the next call and with other bytes; of a value that could not be read, the change was passed over.
Deno.test("watch: where one reading fails, the next call makes it again, and every change is told once, as it was", async () => {
  const { platform } = machine();
  const store = await KvStore.openOn(platform, "/s", { segmentBytes: 1 << 20, compaction: { auto: false } });
  const keyOf = (i: number) => `${i} `.repeat(500 + i % 7);
  const wanted: [seq: number, key: string, value: string][] = [];
  for (let i = 0; i < 500; i++) {
    const value = i % 100 === 50 ? "long".repeat(100_000) : `value of ${i}`;
    store.set(keyOf(i), value);
    wanted.push([store.stats().lastSequence, keyOf(i), value]);
  }
  await store.flush();
  let failures = 1;
  for (let n = 1; failures > 0; n++) {
    failures = 0;
    let reads = 0;
    platform.onOperation = ({ kind }) => {
      if (kind !== "read" || ++reads !== n) return;
      failures++;
      throw new Error("input/output error");
    };
    const watch = store.watch({ since: 0 });
    let told = 0;
    while (told < wanted.length) {
      const change = await watch.next().then(({ value }) => value, (error) => assertEquals(error.code, "IO"));
      if (change?.type !== "set") continue;
      const [seq, key, value] = wanted[told]!;
      assert(change.seq === seq && change.key === key && change.value === value, `reading ${n}: change ${seq}`);
      told++;
    }
    platform.onOperation = undefined;
    await watch.return();
    assert(n < 100);
  }
  assertEquals((await store.verify()).problems, []);
  await store.close();
});

Deno.test("watch: ReadableStream.from takes one, and cancelling the stream ends it", async () => {
  const { platform } = machine();
  const store = await KvStore.openOn(platform, "/s", {});
  const watch = store.watch();
  const reader = ReadableStream.from<Change>(watch).getReader();
  await store.set("a", 1);
  assertEquals((await reader.read()).value?.type, "set");
  const waiting = reader.read();
  await nextTurn();
  await reader.cancel();
  assertEquals((await waiting).done, true);
  assertEquals((await watch.next()).done, true);
  await store.close();
});

/** The garbage collector. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc");
}

Deno.test("watch: one that is abandoned gives its segments back when it is collected; one that waits is not collected", async () => {
  const collect = collector();
  const { platform } = machine();
  const store = await KvStore.openOn(platform, "/s", SMALL);
  let told: unknown;
  const wait = () => {
    store.watch({ prefix: "told" }).next().then(({ value }) => told = value);
  };
  wait();
  const held: Watch[] = [];
  const hold = () => {
    for (let i = 0; i < 3; i++) held.push(store.watch({ since: 0 }));
    return Promise.all(held.map((watch) => watch.next()));
  };
  await store.set("a", "0".repeat(1900));
  await hold();
  for (let i = 1; i < 6; i++) await store.set("a", `${i}`.repeat(1900));
  await store.compact();
  assert(store.stats().pinnedSegments > 0);
  // Not before: what is abandoned may be collected at any time.
  held.length = 0;
  for (let tries = 0; tries < 50 && store.stats().pinnedSegments > 0; tries++) {
    collect();
    for (let turns = 0; turns < 5; turns++) await nextTurn();
  }
  assertEquals(store.stats().pinnedSegments, 0);
  await store.set("told", 1);
  for (let turns = 0; turns < 20 && told === undefined; turns++) await nextTurn();
  assertEquals((told as Change)?.type, "set");
  assertEquals((await store.verify()).problems, []);
  await store.close();
});
