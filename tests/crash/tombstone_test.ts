/**
 * Deleted keys stay deleted: whatever subsets of segments are compacted, in whatever order, with a crash at any
 * operation, and whether a delete, a batch or a clear removed them, or they expired.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { compactTombstones } from "../../src/audit/audit.ts";
import { noteCurrent } from "../../src/engine/droppable.ts";
import { compactGroup } from "../../src/engine/compactor.ts";
import { engineOf } from "../../src/store.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { turns } from "../support/sweep.ts";
import { CHANGES, copyOf, LOSE_ALL, newMachine, randomCut, withSeed } from "./support/disk.ts";
import { contentsOf, textOf } from "./support/history.ts";
import { assertIntact, DIRECTORY, OPTIONS } from "./support/scenario.ts";
import { oldestFirst } from "../../src/maintenance/groups.ts";

/** Writes to one segment: `key=value` sets, `key~value` until it expires, `key!` deletes, `*` clears. */
type Layout = string[];

const LAYOUTS: Record<string, Layout> = {
  "a delete in a newer segment": ["a=1 b=1 c=1 d=1", "a=2 b!", "c=2 a! d!", "b=3 b! c!"],
  "a tombstone under a newer put": ["a=1 b=1", "a! b!", "a=2 b=2 c=1", "b! c!"],
  "a clear": ["a=1 b=1 c=1", "a=2 d=1", "* b=2", "b! e=1"],
  "two clears": ["a=1 b=1", "* a=2 c=1", "c! b=2", "* d=1"],
  "the same key again and again": ["a=1", "a!", "a=2", "a!"],
  "an expiry in a newer segment": ["a=1 b=1 c=1 d=1", "a=2 b~2", "c=2 a~3 d~2", "b=3 b~4 c!"],
  "an expiry under a newer put, under a delete and under a clear": [
    "a=1 b=1 c=1",
    "a~2 b~2 c~2",
    "* b=2 a~3",
    "b~4 a=4",
  ],
  "expiries over one another, and over a delete": ["a=1 b=1", "a~2 b! c~1", "a~3 b~3", "c=2 a~4"],
};
const KEYS = ["a", "b", "c", "d", "e"];

/** What is written expires at this time, long ago for all machines but those whose clock goes back. */
const EXPIRY = 2000;
const BEFORE = () => EXPIRY - 1000;

/** Writes a layout, a segment each, and returns what the store must hold from then on, and until something expires. */
async function build(layout: Layout): Promise<{ platform: MemoryPlatform; contents: string; early: string }> {
  const platform = newMachine();
  platform.now = BEFORE;
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  const model = new Map<string, string>();
  const expiring = new Set<string>();
  for (const segment of layout) {
    for (const write of segment.split(" ")) {
      const [key = "", value] = write.split(/[=~]/);
      const expires = write.includes("~");
      if (expires) expiring.add(key);
      else expiring.delete(key);
      if (write === "*") {
        await store.clear();
        model.clear();
      } else if (value !== undefined) {
        await store.set(key, value, expires ? { expiresAt: EXPIRY } : {});
        model.set(key, value);
      } else {
        await store.delete(key.slice(0, -1));
        model.delete(key.slice(0, -1));
      }
    }
    engineOf(store).writer!.rotate();
  }
  await store.close();
  platform.now = Date.now;
  const left = [...model].filter(([key]) => !expiring.has(key));
  return { platform, contents: textOf(new Map(left)), early: textOf(model) };
}

/** How tombstones are judged: by what is known of whole segments, or, one by one, by the records there. */
const WAYS = { "by segment": false, "by audit": true };

/** Compacts those sealed segments, oldest first, whose bit is set. */
async function compactSome(store: KvStore, mask: number, isAudited: boolean): Promise<void> {
  const engine = engineOf(store);
  const inputs = oldestFirst(engine.log.segments.values()).filter((segment) => segment.sealed).filter((_, i) =>
    (mask & (1 << i)) !== 0
  );
  if (inputs.length === 0) return;
  engine.expire();
  engine.countExpired();
  noteCurrent(engine.log.segments.values(), engine.log.nextSequence - 1);
  if (isAudited) await compactTombstones(engine, inputs, { segmentBytes: 200, leastShare: -1 });
  else await compactGroup(engine, inputs);
}

async function assertHolds(platform: MemoryPlatform, contents: string, where: string): Promise<void> {
  await assertIntact(platform, where);
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  assertEquals(contentsOf(store, KEYS), contents, where);
  assertEquals((await store.verify()).problems, [], where);
  await store.compact();
  assertEquals(contentsOf(store, KEYS), contents, `${where}, all compacted`);
  await store.close();
  const again = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  assertEquals(contentsOf(again, KEYS), contents, `${where}, all compacted, opened again`);
  await again.close();
}

/**
 * With a clock that has gone back, what had expired is there again if no manifest knew of it: all of it, or nothing.
 * Older values never come back.
 */
async function assertAsOfOneTime(platform: MemoryPlatform, possible: string[], where: string): Promise<void> {
  const copy = copyOf(platform);
  copy.now = BEFORE;
  const store = await KvStore.openOn(copy, DIRECTORY, OPTIONS);
  const contents = contentsOf(store, KEYS);
  assert(possible.includes(contents), `${where}: ${contents}`);
  assertEquals((await store.verify()).problems, [], where);
  await store.close();
}

const SUBSETS = Array.from({ length: 15 }, (_, i) => i + 1);

const CASES = Object.entries(LAYOUTS).flatMap(([name, layout]) =>
  Object.entries(WAYS).map(([way, isAudited]) => ({ name: `${name}, ${way}`, layout, isAudited }))
);

for (const { name, layout, isAudited } of CASES) {
  Deno.test(`deleted keys stay deleted through compactions of any two subsets: ${name}`, async () => {
    const { platform, contents } = await build(layout);
    const isDue = turns();
    for (const first of SUBSETS) {
      for (const second of SUBSETS) {
        if (!isDue()) continue;
        const where = `segments ${first.toString(2)}, then ${second.toString(2)}`;
        const copy = copyOf(platform);
        const store = await KvStore.openOn(copy, DIRECTORY, OPTIONS);
        for (const mask of [first, second]) {
          await compactSome(store, mask, isAudited);
          assertEquals(contentsOf(store, KEYS), contents, where);
        }
        assertEquals((await store.verify()).problems, [], where);
        await store.close();
        // The clock goes back: what was found to have expired stays so.
        copy.now = BEFORE;
        await assertHolds(copy, contents, where);
      }
    }
  });

  Deno.test(`deleted keys stay deleted through crashes within compactions: ${name}`, async () => {
    await withSeed(5, async () => {
      const { platform, contents, early } = await build(layout);
      const isDue = turns();
      for (const first of SUBSETS) {
        const copy = copyOf(platform);
        const left: [string, MemoryPlatform][] = [];
        const store = await KvStore.openOn(copy, DIRECTORY, OPTIONS);
        // The other segments, those of the first compaction's output among them, come second.
        for (const mask of [first, ~first]) {
          copy.onOperation = ({ kind, path, count }) => {
            if (!CHANGES.includes(kind) || !isDue()) return;
            const where = `segments ${
              (mask & 15).toString(2)
            }, power cut before ${kind} of ${path} (operation ${count})`;
            left.push([where, copy.image((first + count) % 2 === 0 ? LOSE_ALL : randomCut(count))]);
          };
          await compactSome(store, mask, isAudited);
        }
        copy.onOperation = undefined;
        await store.close();
        for (const [where, after] of left) {
          await assertAsOfOneTime(after, [contents, early], where);
          await assertHolds(after, contents, where);
        }
      }
    });
  });
}

for (const [name, layout] of Object.entries(LAYOUTS)) {
  Deno.test(`tombstones do not stay for ever: ${name}`, async () => {
    const { platform, contents } = await build(layout);
    const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
    await store.compact();
    assertEquals(contentsOf(store, KEYS), contents);
    assertEquals(store.stats().tombstoneBytes, 0);
    assert(store.stats().segments <= 2, "no more than a copy and a segment to write to");
    await store.close();
    await assertIntact(platform, "compacted");
  });
}
