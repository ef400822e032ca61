/**
 * Tombstones stayed for ever beside data that stays: a segment that begins with low sequence numbers, and that nothing
 * makes worth rewriting, kept all tombstones that came after it, 34 MB beside 2 MB in one case. Now it is found out
 * what they hide: nothing, in a segment that is wholly live; and in others, whatever their records say.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { compactTombstones } from "../../src/audit/audit.ts";
import { AUDITED } from "../../src/audit/selection.ts";
import { compactGroup } from "../../src/engine/compactor.ts";
import { KvStoreError } from "../../src/errors.ts";
import { KIND } from "../../src/engine/record.ts";
import type { Segment } from "../../src/engine/segment.ts";
import { MemoryPlatformError } from "../support/memory_platform.ts";
import { Harness, note } from "../support/compaction_harness.ts";
import { oldestFirst } from "../../src/maintenance/groups.ts";

const NOW = 1_000_000;

/** Audits the tombstones in these segments and rewrites them, whatever is won. */
async function audit(harness: Harness, inputs: Segment[], leastShare = -1): Promise<number> {
  note(harness);
  return await compactTombstones(harness.engine, inputs, { segmentBytes: 1 << 20, leastShare });
}

function tombstoneBytes({ engine }: Harness): number {
  return oldestFirst(engine.log.segments.values()).reduce((sum, segment) => sum + segment.tombstoneBytes, 0);
}

/** The newest sealed segment: a copy, where one was just made. */
function newest({ engine }: Harness): Segment {
  return [...engine.log.segments.values()].filter(({ sealed }) => sealed).sort((a, b) => b.number - a.number)[0]!;
}

Deno.test("audit: beside a segment that is wholly live no tombstone stays, and nothing is read for it", async () => {
  const harness = new Harness();
  harness.set("static", "live");
  const old = harness.seal();
  harness.set("a", "deleted");
  harness.delete("a");
  harness.set("b", "live");
  const young = harness.seal();
  note(harness);
  await compactGroup(harness.engine, [young]);
  assertEquals(tombstoneBytes(harness), 0);
  assertEquals(old.currentAsOf, 4);
  // As of then: what is deleted in it from now on needs its tombstone.
  harness.delete("static");
  const last = harness.seal();
  await compactGroup(harness.engine, [last]);
  assertEquals(tombstoneBytes(harness), 24 + 6);
  assertEquals([harness.reopen().get("static"), harness.reopen().get("b")], [undefined, "live"]);
  await harness.verify();
});

Deno.test("audit: a set that is not current, pending writes counted in, makes a segment not wholly live", async () => {
  const harness = new Harness();
  harness.set("a", "old");
  const old = harness.seal();
  assert(old.isWhollyLive);
  harness.set("a", "pending");
  assert(!old.isWhollyLive);
  note(harness);
  assertEquals(old.currentAsOf, 0);
  harness.platform.onOperation = ({ kind }) => {
    if (kind === "write") throw new MemoryPlatformError("EIO", "injected");
  };
  assert(harness.engine.writer!.write() instanceof KvStoreError);
  harness.platform.onOperation = undefined;
  assert(old.isWhollyLive, "the write was taken back");
  note(harness);
  // The number of what was taken back is not used again, so that it may be counted in.
  assertEquals(old.currentAsOf, harness.engine.log.nextSequence - 1);
  harness.delete("a");
  harness.seal();
  await compactGroup(harness.engine, [newest(harness)]);
  assertEquals(harness.reopen().get("a"), undefined);
  await harness.verify();
});

Deno.test("audit: of the tombstones beside a segment that is live but for one record, that record's stays", async () => {
  const harness = new Harness();
  harness.set("hidden", "deleted");
  harness.set("static", "live");
  const old = harness.seal();
  for (const key of ["a", "b", "hidden", "c"]) {
    if (key !== "hidden") harness.set(key, "short-lived");
    harness.delete(key);
  }
  const young = harness.seal();
  assertEquals(await audit(harness, [young]), 1);
  assertEquals([tombstoneBytes(harness), AUDITED.has(newest(harness))], [24 + 6, true]);
  assertEquals([harness.get("hidden"), harness.reopen().get("hidden"), harness.reopen().get("static")], [
    undefined,
    undefined,
    "live",
  ]);
  await compactGroup(harness.engine, [old]);
  const [tombstones] = oldestFirst(harness.engine.log.segments.values()).filter((segment) =>
    segment.tombstoneBytes > 0
  );
  assertEquals(await audit(harness, [tombstones!]), 1);
  assertEquals(tombstoneBytes(harness), 0);
  await harness.verify();
});

Deno.test("audit: of a key that comes and goes, the newest tombstone stays, in whichever segment it is", async () => {
  const harness = new Harness();
  harness.set("a", "stale");
  harness.set("static", "live");
  harness.seal();
  const young: Segment[] = [];
  for (let i = 0; i < 3; i++) {
    harness.delete("a");
    harness.set("a", "again");
    harness.delete("a");
    young.push(harness.seal());
    if (i < 2) harness.set("a", "and again");
  }
  harness.delete("a");
  harness.seal();
  // The last one is outside, and has a newer one.
  assertEquals(await audit(harness, young), 1);
  assertEquals(tombstoneBytes(harness), 24 + 1);
  assertEquals([harness.get("a"), harness.reopen().get("a")], [undefined, undefined]);
  await harness.verify();
});

Deno.test("audit: what a later input holds is there until its turn has come", async () => {
  const harness = new Harness();
  harness.set("static", "live");
  const first = harness.seal();
  harness.set("a", "deleted");
  harness.set("b", "live");
  const middle = harness.seal();
  harness.delete("a");
  harness.set("c", "live");
  const last = harness.seal();
  await compactGroup(harness.engine, [first, last]);
  // The copy begins before the segment with the set, and has its tombstone.
  const copy = newest(harness);
  assert(copy.lowestSequence < middle.lowestSequence && copy.tombstoneBytes > 0);
  let groups = 0;
  harness.onRetired = () => {
    groups++;
    assertEquals(harness.reopen().get("a"), undefined, `after ${groups} groups`);
  };
  note(harness);
  await compactTombstones(harness.engine, [copy, middle], { segmentBytes: 1, leastShare: -1 });
  assertEquals(groups, 2);
  await harness.verify();
});

Deno.test("audit: a clear stays as long as there is a set before it, and the newest is enough", async () => {
  const harness = new Harness();
  harness.set("a", "cleared");
  harness.set("b", "cleared");
  const old = harness.seal();
  harness.write(KIND.clear, "");
  harness.set("c", "cleared");
  harness.write(KIND.clear, "");
  harness.set("d", "live");
  const young = harness.seal();
  await audit(harness, [young]);
  assertEquals(tombstoneBytes(harness), 24);
  assertEquals(["a", "b", "c", "d"].map((key) => harness.reopen().get(key)), [undefined, undefined, undefined, "live"]);
  await compactGroup(harness.engine, [old]);
  await audit(harness, [newest(harness)]);
  assertEquals(tombstoneBytes(harness), 0);
  await harness.verify();
});

Deno.test("audit: what has expired is judged like a delete", async () => {
  const harness = new Harness();
  let now = NOW;
  harness.platform.now = () => now;
  harness.set("a", "older");
  harness.set("static", "live");
  harness.seal();
  harness.write(KIND.set, "a", "short", NOW + 1);
  harness.write(KIND.set, "b", "short", NOW + 1);
  const young = harness.seal();
  now += 5;
  await audit(harness, [young]);
  assertEquals(tombstoneBytes(harness), 32 + 1);
  // The clock goes back, and nothing comes back with it.
  now = NOW - 5;
  const after = harness.reopen();
  after.platform.now = () => now;
  after.engine.expire();
  assertEquals([after.get("a"), after.get("b"), after.get("static")], [undefined, undefined, "live"]);
  await harness.verify();
});

Deno.test("audit: where too little may go nothing is rewritten, and that is remembered", async () => {
  const harness = new Harness();
  for (const key of ["a", "b", "c"]) harness.set(key, "deleted");
  harness.set("static", "live ".repeat(100));
  harness.seal();
  for (const key of ["a", "b", "c"]) harness.delete(key);
  const young = harness.seal();
  const numbers = [...harness.engine.log.segments.keys()];
  assertEquals(await audit(harness, [young], 0.25), 0);
  assertEquals([AUDITED.has(young), [...harness.engine.log.segments.keys()]], [true, numbers]);
});

Deno.test("audit: a segment that cannot be read keeps all tombstones above its lowest number", async () => {
  const harness = new Harness();
  harness.set("a", "deleted");
  harness.set("static", "live");
  const old = harness.seal();
  harness.delete("a");
  harness.set("b", "deleted");
  harness.delete("b");
  const young = harness.seal();
  const path = harness.engine.log.path(old.name);
  const bytes = harness.platform.readFile(path);
  bytes[old.headerBytes + 16]! ^= 1;
  harness.platform.writeFile(path, bytes);
  const bent = harness.engine.log.segments.get(old.number)!;
  (bent as { handle: unknown }).handle = harness.platform.open(path, "read");
  await assertRejects(() => audit(harness, [young]), KvStoreError, "damaged");
  assert(old.isDamaged);
  await audit(harness, [young]);
  assertEquals(tombstoneBytes(harness), 25 + 25);
});
