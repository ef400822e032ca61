/**
 * Every end without `close` left a segment, and nothing merged them: forty starts under `deno --watch`, each of which
 * set a key, made forty segments, and with 128 descriptors the 109th start failed. Now opening merges what is small.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore, type OpenOptions } from "../../mod.ts";
import { encodeManifest } from "../../src/engine/manifest.ts";
import { encodeSegmentHeader, segmentName } from "../../src/engine/segment.ts";
import { nextTurn } from "../../src/platform/turn.ts";
import { engineOf } from "../../src/store.ts";
import { readManifest } from "../../src/store/directory.ts";
import { Clock } from "../model/support/machine.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { casesOf } from "./support/crash_replay.ts";
import { CUT, isChange, KILLED, TORN } from "./support/crash_sweep.ts";
import { newMachine, withSeed } from "./support/disk.ts";
import { assertIntact, DIRECTORY } from "./support/scenario.ts";

const WAYS = { ...KILLED, ...CUT, ...TORN };
const OPTIONS: OpenOptions = { segmentBytes: 64 * 1024, durability: "write" };
const MANUAL: OpenOptions = { ...OPTIONS, compaction: { auto: false } };
/** Seven in each of the tiers up to the size that is merged, what is being written, and what recovery copies. */
const MOST_SEGMENTS = 7 * 6 + 2;

/** A process that opens the store, calls `write`, and ends. Returns what it leaves, and how many segments it had. */
async function start(
  platform: MemoryPlatform,
  write: (store: KvStore) => Promise<unknown>,
  options: OpenOptions = OPTIONS,
): Promise<{ left: MemoryPlatform; segments: number }> {
  const store = await KvStore.openOn(platform, DIRECTORY, options);
  const { segments } = store.stats();
  await write(store);
  const left = platform.fork();
  await store.close();
  return { left, segments };
}

function assertValues(store: KvStore, count: number): void {
  assertEquals(store.size, count);
  for (let i = 0; i < count; i++) assertEquals(store.get(`key ${i}`), "v".repeat(i % 90));
}

const setOne = (i: number) => (store: KvStore) => store.set(`key ${i}`, "v".repeat(i % 90));

Deno.test("unclean ends: a thousand leave a few segments, and all that was set", async () => {
  let platform = newMachine();
  let most = 0;
  for (let i = 0; i < 1000; i++) {
    const { left, segments } = await start(platform, setOne(i));
    most = Math.max(most, segments);
    platform = left;
  }
  assert(most > 8 && most <= MOST_SEGMENTS, `${most} segments`);
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  assertValues(store, 1000);
  assertEquals((await store.verify()).problems, []);
  await store.close();
  await assertIntact(platform, "closed");
});

Deno.test("unclean ends: the segments that many of them have left are merged, some at each start", async () => {
  let platform = newMachine();
  for (let i = 0; i < 200; i++) ({ left: platform } = await start(platform, setOne(i), MANUAL));
  const store = await KvStore.openOn(platform, DIRECTORY, MANUAL);
  // Who turned compaction off keeps every version that was written.
  assertEquals(store.stats().segments, 200);
  await store.close();
  const merged = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  assert(merged.stats().segments <= MOST_SEGMENTS, `${merged.stats().segments} segments`);
  assertValues(merged, 200);
  await merged.close();
  await assertIntact(platform, "closed");
});

Deno.test("unclean ends: a segment in which there are only marks goes", async () => {
  let platform = newMachine();
  const clock = new Clock();
  for (let i = 0; i < 12; i++) {
    platform.startTimer = clock.startTimer;
    ({ left: platform } = await start(platform, async (store) => {
      if (i % 4 === 0) await store.set("key 0", "", { durability: "sync" });
      // An idle writer says in a mark what is durable; recovery puts one behind what it copies.
      await nextTurn();
      clock.pass(2000);
      await nextTurn();
    }, MANUAL));
  }
  const store = await KvStore.openOn(platform, DIRECTORY, MANUAL);
  const { log } = engineOf(store);
  assertEquals([...log.segments.values()].filter((segment) => segment.sealed && segment.isVoid), []);
  assertValues(store, 1);
  await store.close();
});

Deno.test("unclean ends: what fails while segments are merged is reported, and the store opens all the same", async () => {
  let platform = newMachine();
  for (let i = 0; i < 12; i++) ({ left: platform } = await start(platform, setOne(i), MANUAL));
  let failures = 0;
  for (let failing = 1, hasFailed = true; hasFailed; failing++) {
    const full = platform.fork();
    let count = 0;
    hasFailed = false;
    full.onOperation = ({ kind }) => {
      if (!["open", "write", "rename"].includes(kind) || ++count !== failing) return;
      hasFailed = true;
      throw new Error("input/output error");
    };
    const errors: Error[] = [];
    const options = { ...OPTIONS, onError: (error: Error) => void errors.push(error) };
    const store = await KvStore.openOn(full, DIRECTORY, options).catch(() => undefined);
    full.onOperation = undefined;
    if (errors.length > 0) failures++;
    if (store === undefined) {
      assertEquals(errors, [], "recovery itself failed");
      continue;
    }
    assertEquals(store.stats().lastCompactionError, errors[0]);
    assertValues(store, 12);
    await store.close();
    await assertIntact(full, "closed");
  }
  assert(failures > 2, `${failures} failures`);
});

Deno.test("unclean ends: after a crash at any operation of a start that merges, all is there", async (t) => {
  const cases = casesOf(t);
  await withSeed(11, async () => {
    let platform = newMachine();
    let moments = 0;
    for (let i = 0; i < 20; i++) {
      // Synced: a power cut keeps it.
      const list: [string, MemoryPlatform][] = [];
      platform.onOperation = (operation) => {
        if (isChange(operation)) list.push([`${i} ${operation.kind} ${operation.count}`, platform.fork()]);
      };
      const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
      platform.onOperation = undefined;
      if (store.stats().compactions > 0) {
        for (const [where, at] of list) {
          for (const [way, goDown] of Object.entries(WAYS)) {
            await cases.run(`${where} ${way}`, async (random) => {
              const left = goDown(at, random);
              const after = await KvStore.openOn(left, DIRECTORY, OPTIONS);
              assertValues(after, i);
              assertEquals((await after.verify()).problems, []);
              await after.close();
              await assertIntact(left, "closed");
            });
            moments++;
          }
        }
      }
      await store.set(`key ${i}`, "v".repeat(i % 90), { durability: "sync" });
      const next = platform.fork();
      await store.close();
      platform = next;
    }
    assert(moments > 50, `${moments} moments`);
  });
});

Deno.test("unclean: of many files without a record, opening merges no more than it takes a moment for", async () => {
  const platform = newMachine();
  let store = await KvStore.openOn(platform, DIRECTORY, MANUAL);
  await store.set("key", 1);
  await store.close();
  const manifest = readManifest(platform, DIRECTORY)!;
  const empty = { salt: 1, lowestSequence: Infinity, highestSequence: 0, currentAsOf: 0 };
  for (let i = 0; i < 3000; i++) {
    const number = manifest.nextSegment++;
    const header = encodeSegmentHeader({ number, storeId: manifest.storeId, salt: empty.salt, inputs: [] });
    platform.writeFile(`${DIRECTORY}/${segmentName(number)}`, header);
    manifest.segments.push({ ...empty, number, sealedBytes: header.length });
  }
  platform.writeFile(`${DIRECTORY}/MANIFEST`, encodeManifest(manifest));
  store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  assertEquals(store.stats().compactions, 1);
  await store.compact();
  assertEquals([store.stats().segments, store.get("key")], [1, 1]);
  await store.close();
});
