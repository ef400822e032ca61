/**
 * What a store does by itself once time passes: here time passes when the test says so.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { nextTurn } from "../../src/platform/turn.ts";
import { KvStore } from "../../src/store.ts";
import type { OpenOptions } from "../../src/types.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";
import { Clock } from "./support/machine.ts";

/** A store on a machine whose time stands still. */
async function openStore(
  options: OpenOptions = {},
): Promise<{ store: KvStore; clock: Clock; platform: MemoryPlatform }> {
  const platform = new MemoryPlatform();
  const clock = new Clock();
  platform.startTimer = clock.startTimer;
  platform.now = clock.now;
  platform.makeDirectory("/s");
  return { store: await KvStore.openOn(platform, "/s", options), clock, platform };
}

/** Lets time pass, and what it sets going come to its end. */
async function pass(clock: Clock, ms: number): Promise<void> {
  clock.pass(ms);
  for (let turns = 0; turns < 20; turns++) await nextTurn();
}

/** Closes a store, and expects that no timer is left. */
async function close({ store, clock }: { store: KvStore; clock: Clock }): Promise<void> {
  assertEquals((await store.verify()).problems, []);
  await store.close();
  assertEquals(clock.leftMs, Infinity);
}

/** Writes over one key until several segments hold nothing of worth. */
async function writeStale(store: KvStore): Promise<void> {
  for (let i = 0; i < 20; i++) await store.set("a", new Uint8Array(1000), { durability: "write" });
}

Deno.test("time: what was merely written is synced a second later, not before", async () => {
  const opened = await openStore();
  const { store, clock, platform } = opened;
  await store.set("a", 1, { durability: "write" });
  await pass(clock, 999);
  assert(store.stats().unsyncedBytes > 0);
  assertEquals(store.stats().syncs, 0);
  await pass(clock, 1);
  assertEquals([store.stats().unsyncedBytes, store.stats().syncs], [0, 1]);
  const afterCut = await KvStore.openOn(platform.image(), "/s", {});
  assertEquals(afterCut.get("a"), 1);
  await afterCut.close();
  await close(opened);
});

Deno.test("time: an idle writer says in one mark up to where the log is durable, and then rests", async () => {
  const opened = await openStore();
  const { store, clock, platform } = opened;
  await store.set("a", 1);
  const sizeOf = () => platform.readFile("/s/00000001.seg").length;
  const bytes = sizeOf();
  await pass(clock, 999);
  assertEquals(sizeOf(), bytes);
  // The timer of the write, and then what its own sync of the mark needs.
  await pass(clock, 1001);
  assertEquals(sizeOf(), bytes + 32);
  await pass(clock, 100_000);
  assertEquals(sizeOf(), bytes + 32);
  assertEquals([store.stats().unsyncedBytes, clock.leftMs], [0, Infinity]);
  await close(opened);
});

Deno.test("time: compaction first looks a second after opening, and then whenever a segment is begun", async () => {
  const opened = await openStore({ segmentBytes: 4096, compaction: { minStaleBytes: 0 } });
  const { store, clock } = opened;
  await writeStale(store);
  await pass(clock, 999);
  assertEquals(store.stats().compactions, 0);
  await pass(clock, 1);
  assert(store.stats().compactions > 0);
  assert(store.stats().segments <= 2);
  const { compactions } = store.stats();
  await writeStale(store);
  await pass(clock, 0);
  assert(store.stats().compactions > compactions);
  await close(opened);
});

Deno.test("time: without automatic compaction nothing happens by itself", async () => {
  const opened = await openStore({ segmentBytes: 4096, compaction: { auto: false, minStaleBytes: 0 } });
  await writeStale(opened.store);
  await pass(opened.clock, 3_600_000);
  assertEquals(opened.store.stats().compactions, 0);
  await close(opened);
});

Deno.test("time: what expires is compacted by itself, once enough of it has, and somebody called", async () => {
  const opened = await openStore({ segmentBytes: 4096, compaction: { minStaleBytes: 8000 } });
  const { store, clock } = opened;
  const value = new Uint8Array(1000);
  for (let i = 0; i < 20; i++) await store.set(`expires ${i}`, value, { ttl: 60_000 + i, durability: "write" });
  await pass(clock, 10_000);
  const { segments } = store.stats();
  await pass(clock, 50_000);
  assertEquals([store.stats().keys, store.stats().segments], [19, segments], "no timer looks for what expires");
  await pass(clock, 4);
  assertEquals([store.size, store.stats().compactions], [15, 0]);
  await pass(clock, 15);
  assertEquals(store.size, 0);
  await pass(clock, 0);
  assert(store.stats().compactions > 0);
  assert(store.stats().diskBytes < 4096);
  await close(opened);
});

Deno.test("time: what expires takes no memory for ever where nobody ever reads", async () => {
  const opened = await openStore({ segmentBytes: 4096, compaction: { minStaleBytes: 0 } });
  const { store, clock } = opened;
  for (let i = 0; i < 3000; i++) {
    await store.set(`session ${i}`, "v", { ttl: 100, durability: "write" });
    clock.pass(1);
    if (i % 50 === 0) await pass(clock, 0);
  }
  await pass(clock, 1000);
  // A hundred are alive at any time; the index need not have room for thousands.
  const { diskBytes, indexBytes } = store.stats();
  assert(diskBytes < 40_000, `${diskBytes} bytes on disk`);
  assert(indexBytes < 200_000, `${indexBytes} bytes of index`);
  await close(opened);
});

Deno.test("time: a compaction that fails is tried again after 1, 2, 4 seconds and so on, at most a minute", async () => {
  const errors: Error[] = [];
  const options = {
    segmentBytes: 4096,
    compaction: { minStaleBytes: 0 },
    onError: (error: Error) => errors.push(error),
  };
  const opened = await openStore(options);
  const { store, clock, platform } = opened;
  await writeStale(store);
  await pass(clock, 0);
  platform.onOperation = ({ kind }) => {
    if (kind === "open") throw new Error("not now");
  };
  await pass(clock, 1000);
  for (const [i, seconds] of [1, 2, 4, 8, 16, 32, 60, 60].entries()) {
    assertEquals(errors.length, i + 1);
    assertEquals(store.stats().lastCompactionError, errors[i]!);
    await pass(clock, 1000 * seconds - 1);
    assertEquals(errors.length, i + 1, `before ${seconds} s have passed`);
    await pass(clock, 1);
  }
  platform.onOperation = undefined;
  await pass(clock, 60_000);
  assertEquals(store.stats().lastCompactionError, undefined);
  assert(store.stats().compactions > 0);
  await close(opened);
});

/**
 * Story: a look for something to compact that was asked for while another was under way failed behind it, and both
 * asked for a pause. The timer of the first could not be stopped any more: it cut the second pause short, and outlived
 * close().
 */
Deno.test("time: looks that fail one behind the other leave one timer", async () => {
  const errors: Error[] = [];
  const onError = (error: Error) => errors.push(error);
  const opened = await openStore({ segmentBytes: 4096, compaction: { minStaleBytes: 0 }, onError });
  const { store, clock, platform } = opened;
  clock.pass(1000);
  // By now the first look is about to begin, and the segments that follow ask for another.
  for (let i = 0; i < 5; i++) await Promise.resolve();
  // The last ones are refused with the segment that they wait for.
  for (let i = 0; i < 20; i++) store.set("a", new Uint8Array(1000), { durability: "write" }).catch(() => {});
  platform.onOperation = ({ kind }) => {
    if (kind === "open") throw new Error("not now");
  };
  await pass(clock, 0);
  assertEquals(errors.length, 2);
  platform.onOperation = undefined;
  await close(opened);
});
