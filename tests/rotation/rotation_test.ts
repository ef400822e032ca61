/**
 * Rotation: the event loop goes on while a full segment and its successor become durable.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KvStore, KvStoreError } from "../../mod.ts";
import { verifyOn } from "../../src/check/verify.ts";
import { CHANGES, KEEP_ALL, LOSE_ALL, newMachine, randomCut, withSeed } from "../crash/support/disk.ts";
import { DIRECTORY, OPTIONS } from "../crash/support/scenario.ts";
import { nextTurn, startTimer } from "../../src/platform/turn.ts";
import type { MemoryPlatform, PowerCut } from "../support/memory_platform.ts";

const VALUE_BYTES = 500;
const WRITE = { durability: "write" } as const;

/** Files that are new have no names, but the renames are there. */
const ONLY_RENAMES: PowerCut = { entry: ({ kind }) => kind === "rename" };

/** The value of a key, which says which one it is. */
function valueOf(i: number): Uint8Array {
  return new Uint8Array(VALUE_BYTES).fill(i);
}

/** A store whose syncs wait, and what lets them go on. */
interface Held {
  platform: MemoryPlatform;
  store: KvStore;
  release: () => void;
  releaseOne: () => void;
}

/** A store that has begun its first segment, and whose platform holds syncs that do not block until they are released. */
async function heldStore(compaction: object = OPTIONS.compaction): Promise<Held> {
  const platform = newMachine();
  platform.startTimer = (_, action) => startTimer(0, action);
  const store = await KvStore.openOn(platform, DIRECTORY, { ...OPTIONS, compaction });
  await store.set("first", 1);
  const { syncTurn } = platform;
  const held: (() => void)[] = [];
  platform.syncTurn = () => new Promise((resolve) => void held.push(resolve));
  const release = () => {
    platform.syncTurn = syncTurn;
    for (const resolve of held) resolve();
  };
  return { platform, store, release, releaseOne: () => held.shift()?.() };
}

/** Fills the first segment, and sets some more keys. Returns the promises. */
function fillUp(store: KvStore, more: number = 1): Promise<void>[] {
  const count = Math.floor((OPTIONS.segmentBytes - 100) / (VALUE_BYTES + 25)) + more;
  return Array.from({ length: count }, (_, i) => store.set(`${i}`, valueOf(i), WRITE));
}

/** How many syncs there are that block. */
function countBlocking(platform: MemoryPlatform): () => number {
  let count = 0;
  const { open, syncDirectory } = platform;
  platform.open = (path, mode) => {
    const handle = open.call(platform, path, mode);
    const { syncDataNow } = handle;
    handle.syncDataNow = () => (count++, syncDataNow.call(handle));
    return handle;
  };
  platform.syncDirectory = (path) => (count++, syncDirectory.call(platform, path));
  return () => count;
}

Deno.test("rotation: no sync blocks, whatever is written, and everything is read at once", async () => {
  const platform = newMachine();
  const blocking = countBlocking(platform);
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  await store.set("first", 1);
  const before = blocking();
  for (let i = 0; i < 60; i++) {
    const written = store.set(`${i % 40}`, valueOf(i), WRITE);
    assertEquals(store.get(`${i % 40}`), valueOf(i));
    await written;
  }
  assert(store.stats().segments > 6);
  assertEquals(blocking(), before);
  await store.close();
  const opened = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  for (let i = 20; i < 60; i++) assertEquals(opened.get(`${i % 40}`), valueOf(i));
  await opened.close();
  assertEquals((await verifyOn(platform, DIRECTORY, {})).problems, []);
});

Deno.test("rotation: whenever the power goes, what was acknowledged is there, and nothing that came after what is lost", () =>
  withSeed(7, async () => {
    for (const durability of ["sync", "write"] as const) {
      const platform = newMachine();
      const store = await KvStore.openOn(platform, DIRECTORY, { ...OPTIONS, durability });
      await store.set("first", 1, { durability: "sync" });
      let acknowledged = 0;
      const left: [string, number, MemoryPlatform][] = [];
      platform.onOperation = ({ kind, path, count }) => {
        if (!CHANGES.includes(kind)) return;
        for (const cut of [LOSE_ALL, KEEP_ALL, ONLY_RENAMES, randomCut(count)]) {
          left.push([`before ${kind} of ${path} (operation ${count})`, acknowledged, platform.image(cut)]);
        }
      };
      for (let i = 0; i < 25; i++) {
        const written = store.set(`${i}`, valueOf(i));
        if (durability === "sync") await written;
        else await Promise.race([written, nextTurn()]);
        if (durability === "sync") acknowledged = i + 1;
      }
      platform.onOperation = undefined;
      await store.close();
      assert(left.length > 60, `${left.length} moments`);
      for (const [where, count, image] of left) {
        const opened = await KvStore.openOn(image, DIRECTORY, OPTIONS);
        const there = opened.size - 1;
        assert(there >= count, `${where}: ${there} of ${count} acknowledged writes are there`);
        for (let i = 0; i < there; i++) assertEquals(opened.get(`${i}`), valueOf(i), where);
        await opened.close();
      }
    }
  }));

Deno.test("rotation: a call that cannot wait ends it in place", async () => {
  const { platform, store, release } = await heldStore();
  const blocking = countBlocking(platform);
  const writes = fillUp(store);
  assertEquals(store.stats().segments, 1);
  // The new segment is full before it is listed.
  for (let i = 0; i < 10; i++) writes.push(store.set(`more ${i}`, valueOf(i), WRITE));
  assertEquals(store.stats().segments, 2);
  assert(blocking() > 0);
  store.flushSync();
  assertEquals(store.stats().segments, 3);
  assertEquals(store.stats().pendingBytes, 0);
  await Promise.all(writes);
  release();
  await store.close();
  const opened = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  assertEquals(opened.size, writes.length + 1);
  assertEquals(opened.get("more 9"), valueOf(9));
  await opened.close();
});

Deno.test("rotation: if it fails, those that wait for it are refused, and the next write tries again", async () => {
  for (const failing of ["create", "MANIFEST", "rename"]) {
    const { platform, store, release } = await heldStore();
    const written = fillUp(store, 0);
    await Promise.all(written);
    platform.onOperation = ({ kind, path }) => {
      const isIt = failing === "rename" ? kind === "rename" : kind === "open" && path.includes("MANIFEST");
      if (failing !== "create" && isIt) throw new Error("not now");
    };
    const later = [store.set("next", valueOf(9), WRITE), store.set("later", 1, WRITE), store.delete("first", WRITE)];
    if (failing === "create") platform.capacityBytes = 0;
    release();
    for (const result of await Promise.allSettled<unknown>(later)) {
      assertEquals(result.status === "rejected" && result.reason.code, "IO", failing);
    }
    assertEquals([store.get("later"), store.get("first"), store.size], [undefined, 1, written.length + 1]);
    platform.capacityBytes = Infinity;
    platform.onOperation = undefined;
    await store.compact();
    await store.set("later", 2);
    await store.close();
    const opened = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
    assertEquals([opened.get("later"), opened.get("first"), opened.size], [2, 1, written.length + 2]);
    await opened.close();
    assertEquals((await verifyOn(platform, DIRECTORY, {})).problems, []);
  }
});

Deno.test("rotation: one that fails behind a failed append leaves the segment alone all the same", async () => {
  const { platform, store, release } = await heldStore();
  release();
  const [name] = platform.files().filter((path) => path.endsWith(".seg"));
  let fails = 0;
  platform.onOperation = ({ kind, path }) => {
    if (kind !== "write") return;
    if (path === name && fails++ === 0) return 30;
    if (path.includes("MANIFEST") || (path === name && fails === 2)) throw new Error("not now");
  };
  for (let i = 0; i < 3; i++) await assertRejects(() => store.set("refused", i), KvStoreError);
  const bytes = platform.readFile(name!);
  platform.onOperation = undefined;
  await store.set("second", 2);
  assertEquals(platform.readFile(name!), bytes);
  await store.close();
  const opened = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  assertEquals([...opened], [["first", 1], ["second", 2]]);
  await opened.close();
});

Deno.test("rotation: a sync that fails fails the store", async () => {
  const { platform, store, release } = await heldStore();
  await Promise.all(fillUp(store, 0));
  platform.onOperation = ({ kind, path }) => {
    if (kind === "sync" && path.endsWith(".seg")) throw new Error("broken");
  };
  const writes = [store.set("next", valueOf(9), WRITE), store.set("later", 1)];
  release();
  for (const result of await Promise.allSettled(writes)) {
    assertEquals(result.status === "rejected" && result.reason.code, "FAILED");
  }
  assertEquals((await assertRejects(() => store.close(), KvStoreError)).code, "FAILED");
});

Deno.test("rotation: once the manifest has its name, the new segment stays, whatever fails", async () => {
  const { platform, store, release, releaseOne } = await heldStore();
  const { rename } = platform.operations;
  const writes = Promise.allSettled(fillUp(store));
  while (platform.operations.rename === rename) {
    releaseOne();
    await nextTurn();
  }
  platform.onOperation = ({ kind }) => {
    if (kind === "syncDirectory") throw Object.assign(new Error("too many open files"), { code: "EMFILE" });
  };
  assertEquals(assertThrows(() => store.flushSync(), KvStoreError).code, "FAILED");
  platform.onOperation = undefined;
  release();
  await writes;
  await assertRejects(() => store.close(), KvStoreError);
  assertEquals((await verifyOn(platform, DIRECTORY, {})).problems, []);
});

Deno.test("rotation: what it seals is compacted, though nothing is written any more", async () => {
  const { store, release } = await heldStore({ auto: true, staleRatio: 0.5, minStaleBytes: 0 });
  // The first look comes a while after opening.
  for (let turns = 0; turns < 50; turns++) await nextTurn();
  const writes = Array.from({ length: 8 }, (_, i) => store.set("one", valueOf(i), WRITE));
  // By now maintenance has looked, and found nothing that is sealed.
  for (let turns = 0; turns < 50; turns++) await nextTurn();
  release();
  await Promise.all(writes);
  for (let turns = 0; turns < 200 && store.stats().compactions === 0; turns++) await nextTurn();
  assert(store.stats().compactions > 0);
  await store.close();
});

Deno.test("rotation: verify, a backup, a snapshot, a clear and close in the middle of it", async () => {
  const { platform, store, release } = await heldStore();
  const writes = fillUp(store);
  const snapshot = store.snapshot();
  assertEquals((await store.verify()).problems, []);
  writes.push(...fillUp(store));
  const backup = store.backup("/data/copy");
  writes.push(...fillUp(store), store.clear());
  assertEquals(store.size, 0);
  assertEquals(snapshot.size, fillUp(store).length + 1);
  release();
  await Promise.all([...writes, backup]);
  snapshot.close();
  await store.set("last", 1, WRITE);
  await store.close();
  const opened = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  assertEquals(opened.get("last"), 1);
  assertEquals(opened.get("first"), undefined);
  await opened.close();
  for (const directory of [DIRECTORY, "/data/copy"]) {
    assertEquals((await verifyOn(platform, directory, {})).problems, []);
  }
});
