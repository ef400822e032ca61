/**
 * Tombstones stayed for ever beside data that stays: a segment that begins with low sequence numbers, and that nothing
 * makes worth rewriting, kept all tombstones that came after it, 34 MB beside 2 MB in one case. Now it is found out what
 * they hide: nothing, in a segment that is wholly live; and in others, whatever their records say.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { compactTombstones } from "../../src/audit/audit.ts";
import { compactGroup, type CompactionHost } from "../../src/engine/compactor.ts";
import { KvStoreError } from "../../src/errors.ts";
import { KIND } from "../../src/engine/record.ts";
import type { Segment } from "../../src/engine/segment.ts";
import { MemoryPlatformError } from "../support/memory_platform.ts";
import { Bench, note } from "../support/compaction_bench.ts";

const NOW = 1_000_000;

/** Audits the tombstones in these segments and rewrites them, whatever is won. */
async function audit(bench: Bench, inputs: Segment[], leastShare = -1): Promise<number> {
  note(bench);
  return await compactTombstones(bench.host, inputs, { segmentBytes: 1 << 20, leastShare });
}

function tombstoneBytes({ core }: Bench): number {
  return core.log.inOrder().reduce((sum, segment) => sum + segment.tombstoneBytes, 0);
}

/** The newest sealed segment: a copy, where one was just made. */
function newest({ core }: Bench): Segment {
  return [...core.log.segments.values()].filter(({ sealed }) => sealed).sort((a, b) => b.number - a.number)[0]!;
}

Deno.test("audit: beside a segment that is wholly live no tombstone stays, and nothing is read for it", async () => {
  const bench = new Bench();
  bench.set("static", "live");
  const old = bench.seal();
  bench.set("a", "deleted");
  bench.delete("a");
  bench.set("b", "live");
  const young = bench.seal();
  note(bench);
  await compactGroup(bench.host, [young]);
  assertEquals(tombstoneBytes(bench), 0);
  assertEquals(old.cleanAsOf, 4);
  // As of then: what is deleted in it from now on needs its tombstone.
  bench.delete("static");
  const last = bench.seal();
  await compactGroup(bench.host, [last]);
  assertEquals(tombstoneBytes(bench), 24 + 6);
  assertEquals([bench.reopen().get("static"), bench.reopen().get("b")], [undefined, "live"]);
  await bench.verify();
});

Deno.test("audit: a set that is not current, pending writes counted in, makes a segment not wholly live", async () => {
  const bench = new Bench();
  bench.set("a", "old");
  const old = bench.seal();
  assert(old.isWhollyLive);
  bench.set("a", "pending");
  assert(!old.isWhollyLive);
  note(bench);
  assertEquals(old.cleanAsOf, 0);
  bench.platform.onOperation = ({ kind }) => {
    if (kind === "write") throw new MemoryPlatformError("EIO", "injected");
  };
  assert(bench.core.writer!.write() instanceof KvStoreError);
  bench.platform.onOperation = undefined;
  assert(old.isWhollyLive, "the write was taken back");
  note(bench);
  // The number of what was taken back is not used again, so that it may be counted in.
  assertEquals(old.cleanAsOf, bench.core.log.nextSequence - 1);
  bench.delete("a");
  bench.seal();
  await compactGroup(bench.host, [newest(bench)]);
  assertEquals(bench.reopen().get("a"), undefined);
  await bench.verify();
});

Deno.test("audit: of the tombstones beside a segment that is live but for one record, that record's stays", async () => {
  const bench = new Bench();
  bench.set("hidden", "deleted");
  bench.set("static", "live");
  const old = bench.seal();
  for (const key of ["a", "b", "hidden", "c"]) {
    if (key !== "hidden") bench.set(key, "short-lived");
    bench.delete(key);
  }
  const young = bench.seal();
  assertEquals(await audit(bench, [young]), 1);
  assertEquals([tombstoneBytes(bench), newest(bench).isAudited], [24 + 6, true]);
  assertEquals([bench.get("hidden"), bench.reopen().get("hidden"), bench.reopen().get("static")], [
    undefined,
    undefined,
    "live",
  ]);
  await compactGroup(bench.host, [old]);
  const [tombstones] = bench.core.log.inOrder().filter((segment) => segment.tombstoneBytes > 0);
  assertEquals(await audit(bench, [tombstones!]), 1);
  assertEquals(tombstoneBytes(bench), 0);
  await bench.verify();
});

Deno.test("audit: of a key that comes and goes, the newest tombstone stays, in whichever segment it is", async () => {
  const bench = new Bench();
  bench.set("a", "stale");
  bench.set("static", "live");
  bench.seal();
  const young: Segment[] = [];
  for (let i = 0; i < 3; i++) {
    bench.delete("a");
    bench.set("a", "again");
    bench.delete("a");
    young.push(bench.seal());
    if (i < 2) bench.set("a", "and again");
  }
  bench.delete("a");
  bench.seal();
  // The last one is outside, and has a newer one.
  assertEquals(await audit(bench, young), 1);
  assertEquals(tombstoneBytes(bench), 24 + 1);
  assertEquals([bench.get("a"), bench.reopen().get("a")], [undefined, undefined]);
  await bench.verify();
});

Deno.test("audit: what a later input holds is there until its turn has come", async () => {
  const bench = new Bench();
  bench.set("static", "live");
  const first = bench.seal();
  bench.set("a", "deleted");
  bench.set("b", "live");
  const middle = bench.seal();
  bench.delete("a");
  bench.set("c", "live");
  const last = bench.seal();
  await compactGroup(bench.host, [first, last]);
  // The copy begins before the segment with the set, and has its tombstone.
  const copy = newest(bench);
  assert(copy.lowestSequence < middle.lowestSequence && copy.tombstoneBytes > 0);
  let groups = 0;
  const host: CompactionHost = {
    ...bench.host,
    retire: () => {
      groups++;
      assertEquals(bench.reopen().get("a"), undefined, `after ${groups} groups`);
    },
  };
  note(bench);
  await compactTombstones(host, [copy, middle], { segmentBytes: 1, leastShare: -1 });
  assertEquals(groups, 2);
  await bench.verify();
});

Deno.test("audit: a clear stays as long as there is a set before it, and the newest is enough", async () => {
  const bench = new Bench();
  bench.set("a", "cleared");
  bench.set("b", "cleared");
  const old = bench.seal();
  bench.write(KIND.clear, "");
  bench.set("c", "cleared");
  bench.write(KIND.clear, "");
  bench.set("d", "live");
  const young = bench.seal();
  await audit(bench, [young]);
  assertEquals(tombstoneBytes(bench), 24);
  assertEquals(["a", "b", "c", "d"].map((key) => bench.reopen().get(key)), [undefined, undefined, undefined, "live"]);
  await compactGroup(bench.host, [old]);
  await audit(bench, [newest(bench)]);
  assertEquals(tombstoneBytes(bench), 0);
  await bench.verify();
});

Deno.test("audit: what has expired is judged like a delete", async () => {
  const bench = new Bench();
  let now = NOW;
  bench.platform.now = () => now;
  bench.set("a", "older");
  bench.set("static", "live");
  bench.seal();
  bench.write(KIND.set, "a", "short", NOW + 1);
  bench.write(KIND.set, "b", "short", NOW + 1);
  const young = bench.seal();
  now += 5;
  await audit(bench, [young]);
  assertEquals(tombstoneBytes(bench), 32 + 1);
  // The clock goes back, and nothing comes back with it.
  now = NOW - 5;
  const after = bench.reopen();
  after.platform.now = () => now;
  after.core.expire();
  assertEquals([after.get("a"), after.get("b"), after.get("static")], [undefined, undefined, "live"]);
  await bench.verify();
});

Deno.test("audit: where too little may go nothing is rewritten, and that is remembered", async () => {
  const bench = new Bench();
  for (const key of ["a", "b", "c"]) bench.set(key, "deleted");
  bench.set("static", "live ".repeat(100));
  bench.seal();
  for (const key of ["a", "b", "c"]) bench.delete(key);
  const young = bench.seal();
  const numbers = [...bench.core.log.segments.keys()];
  assertEquals(await audit(bench, [young], 0.25), 0);
  assertEquals([young.isAudited, [...bench.core.log.segments.keys()]], [true, numbers]);
});

Deno.test("audit: a segment that cannot be read keeps all tombstones above its lowest number", async () => {
  const bench = new Bench();
  bench.set("a", "deleted");
  bench.set("static", "live");
  const old = bench.seal();
  bench.delete("a");
  bench.set("b", "deleted");
  bench.delete("b");
  const young = bench.seal();
  const path = bench.core.log.path(old.name);
  const bytes = bench.platform.readFile(path);
  bytes[old.headerBytes + 16]! ^= 1;
  bench.platform.writeFile(path, bytes);
  const bent = bench.core.log.segments.get(old.number)!;
  (bent as { handle: unknown }).handle = bench.platform.open(path, "read");
  await assertRejects(() => audit(bench, [young]), KvStoreError, "damaged");
  assert(old.isDamaged);
  await audit(bench, [young]);
  assertEquals(tombstoneBytes(bench), 25 + 25);
});
