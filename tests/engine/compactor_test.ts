import { assert, assertEquals, assertRejects } from "@std/assert";
import { compactGroup } from "../../src/engine/compactor.ts";
import { KvStoreError } from "../../src/errors.ts";
import { KIND } from "../../src/engine/record.ts";
import { nextTurn } from "../../src/platform/turn.ts";
import { verifyOn } from "../../src/check/verify.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";

import { Bench, listed } from "../support/compaction_bench.ts";
Deno.test("compaction: live records are copied, the rest is gone, sequence numbers stay", async () => {
  const bench = new Bench();
  bench.set("a", "old");
  bench.set("b", "kept");
  const first = bench.seal();
  bench.set("a", "new");
  const second = bench.seal();
  await compactGroup(bench.host, [first, second]);
  assertEquals([bench.get("a"), bench.get("b")], ["new", "kept"]);
  assertEquals(bench.retired, [first, second]);
  const output = [...bench.core.log.segments.values()].find(({ sealed }) => sealed)!;
  assertEquals([output.lowestSequence, output.liveBytes], [2, 25 + 4 + 25 + 3]);
  const after = bench.reopen();
  assertEquals([after.get("a"), after.get("b")], ["new", "kept"]);
  await bench.verify();
});

Deno.test("compaction: a tombstone stays as long as a segment outside holds what it deleted", async () => {
  const bench = new Bench();
  bench.set("a", "deleted");
  bench.set("keeps the segment", "live");
  const old = bench.seal();
  bench.delete("a");
  bench.set("b", "live");
  const young = bench.seal();
  await compactGroup(bench.host, [young]);
  assertEquals(bench.reopen().get("a"), undefined);
  const copy = [...bench.core.log.segments.values()].find(({ number }) => number > young.number + 1)!;
  assertEquals(copy.tombstoneBytes, 25);
  // Once the old one has been cleaned, nothing is left that the tombstone is needed for.
  await compactGroup(bench.host, [old]);
  await compactGroup(bench.host, [copy]);
  const tombstones = [...bench.core.log.segments.values()].map(({ tombstoneBytes }) => tombstoneBytes);
  assertEquals(Math.max(...tombstones), 0);
  assertEquals([bench.reopen().get("a"), bench.reopen().get("b")], [undefined, "live"]);
  await bench.verify();
});

Deno.test("compaction: a tombstone that a newer put overshadows is still needed for an older segment", async () => {
  const bench = new Bench();
  bench.set("a", "oldest");
  const old = bench.seal();
  bench.delete("a");
  const middle = bench.seal();
  bench.set("a", "newest");
  const young = bench.seal();
  bench.delete("a");
  bench.seal();
  for (const group of [[middle], [young]]) {
    await compactGroup(bench.host, group);
    assertEquals(bench.reopen().get("a"), undefined);
  }
  await compactGroup(bench.host, [old]);
  assertEquals(bench.reopen().get("a"), undefined);
  await bench.verify();
});

Deno.test("compaction: a tombstone that comes during a compaction is needed for its copy", async () => {
  const bench = new Bench();
  bench.set("a", "deleted while it is copied");
  bench.set("b", "live");
  bench.set("b", "live too");
  const old = bench.seal();
  // The copy has "a" by then: it is not clean as of this tombstone.
  bench.onPause = () => bench.delete("a");
  await compactGroup(bench.host, [old]);
  bench.onPause = () => {};
  assertEquals(bench.get("a"), undefined);
  const young = bench.seal();
  await compactGroup(bench.host, [young]);
  const after = bench.reopen();
  assertEquals([after.get("a"), after.get("b")], [undefined, "live too"]);
  await bench.verify();
});

Deno.test("compaction: works in slices, and others have their turn in between", async () => {
  const bench = new Bench();
  for (let i = 0; i < 60_000; i++) bench.set(`key ${i}`, "v");
  const input = bench.seal();
  let turns = 0;
  let isDone = false;
  const others = (async () => {
    for (; !isDone; turns++) await nextTurn();
  })();
  const begun = performance.now();
  await compactGroup(bench.host, [input]);
  const tookMs = performance.now() - begun;
  isDone = true;
  await others;
  // Without slices there are two at most. A machine that stands still for a while adds time, but no turns.
  assert(turns >= Math.min(4, tookMs / 20), `${turns} turns in ${tookMs} ms`);
  await bench.verify();
});

Deno.test("compaction: nothing to keep needs no output", async () => {
  const bench = new Bench();
  bench.set("a", "1");
  bench.delete("a");
  const only = bench.seal();
  const before = listed(bench).length;
  await compactGroup(bench.host, [only]);
  assertEquals(listed(bench).length, before - 1);
  assertEquals(bench.reopen().core.index.size, 0);
  await bench.verify();
});

Deno.test("compaction: what is written, deleted or cleared meanwhile wins", async () => {
  for (const what of ["set", "delete", "clear"]) {
    const bench = new Bench();
    bench.set("a", "1");
    bench.set("b", "1");
    const input = bench.seal();
    bench.onPause = () => {
      if (what === "set") bench.set("a", "2");
      if (what === "delete") bench.delete("a");
      if (what === "clear") bench.write(KIND.clear, "");
    };
    await compactGroup(bench.host, [input]);
    const expected = [what === "set" ? "2" : undefined, what === "clear" ? undefined : "1"];
    assertEquals([bench.get("a"), bench.get("b")], expected, what);
    await bench.core.writer!.reached("sync");
    const after = bench.reopen();
    assertEquals([after.get("a"), after.get("b")], expected, what);
    await bench.verify();
  }
});

Deno.test("compaction: what made a record stale is durable before the record goes", async () => {
  const bench = new Bench();
  bench.set("a", "1");
  const input = bench.seal();
  bench.set("a", "2");
  bench.core.writer!.write();
  await compactGroup(bench.host, [input]);
  assertEquals(listed(bench).includes(input.number), false);
  assertEquals(bench.reopen().get("a"), "2");
  await bench.verify();
});

Deno.test("compaction: what made a record stale must be written before the record goes", async () => {
  const bench = new Bench();
  bench.set("a", "1");
  bench.set("b", "1");
  const input = bench.seal();
  await bench.core.writer!.reached("sync");
  // The overwriting record is pending while the input is copied, and then its append fails.
  bench.set("a", "2");
  let failures = 1;
  bench.platform.onOperation = ({ kind, path }) => {
    if (kind === "write" && path === `/s/${bench.core.log.active!.name}` && failures-- > 0) throw new Error("no write");
  };
  bench.core.writer!.reached("sync").catch(() => {});
  await compactGroup(bench.host, [input]).catch(() => compactGroup(bench.host, [input]));
  assertEquals([bench.get("a"), bench.get("b")], ["1", "1"]);
  const after = bench.reopen();
  assertEquals([after.get("a"), after.get("b")], ["1", "1"]);
  await bench.verify();
});

Deno.test("compaction: damage and failed reads leave the inputs as they are", async () => {
  for (const what of ["value", "header", "read"]) {
    const bench = new Bench();
    bench.set("a", "1");
    bench.set("b", "1");
    const input = bench.seal();
    const path = `/s/${input.name}`;
    const good = bench.platform.readFile(path);
    const before = listed(bench);
    if (what === "read") {
      bench.platform.onOperation = ({ kind }) => {
        if (kind === "read") throw new Error("no read");
      };
    } else {
      const bad = good.slice();
      bad[what === "value" ? 44 + 25 : 44 + 26 + 3]! ^= 1;
      bench.platform.writeFile(path, bad);
    }
    const { code } = await assertRejects(() => compactGroup(bench.host, [input]), KvStoreError);
    assertEquals([code, listed(bench)], [what === "read" ? "IO" : "CORRUPT", before]);
    bench.platform.onOperation = undefined;
    bench.platform.writeFile(path, good);
    await compactGroup(bench.host, [input]);
    assertEquals([bench.get("a"), bench.get("b"), bench.reopen().get("b")], ["1", "1", "1"]);
    await bench.verify();
  }
});

Deno.test("compaction: a failed sync of a part of the copy fails the store, whatever later syncs say", async () => {
  const bench = new Bench();
  for (let i = 0; i < 20; i++) bench.set(`key ${i}`, "x".repeat(1 << 20));
  const active = bench.seal();
  await bench.core.writer!.reached("sync");
  const inputs = [...bench.core.log.segments.values()].filter(({ sealed }) => sealed);
  const known = new Set([...bench.core.log.segments.values()].map(({ name }) => `/s/${name}`));
  const before = listed(bench);
  let copySyncs = 0;
  bench.platform.onOperation = ({ kind, path }) => {
    if (kind === "sync" && path.endsWith(".seg") && !known.has(path) && ++copySyncs === 1) throw new Error("no sync");
  };
  const { code } = await assertRejects(() => compactGroup(bench.host, inputs), KvStoreError);
  assertEquals([code, bench.core.log.failure?.code, listed(bench)], ["FAILED", "FAILED", before]);
  assertEquals([copySyncs, active.sealed], [1, true]);
  assertEquals(bench.reopen().get("key 7"), "x".repeat(1 << 20));
});

Deno.test("compaction: whenever the power goes, the contents are the same", async () => {
  for (let stop = 1;; stop++) {
    const bench = new Bench();
    for (const key of ["a", "b", "c"]) bench.set(key, "old");
    const first = bench.seal();
    bench.set("a", "new");
    bench.delete("b");
    const second = bench.seal();
    await bench.core.writer!.reached("sync");
    const images: MemoryPlatform[] = [];
    let count = 0;
    bench.platform.onOperation = () => {
      if (++count !== stop) return;
      images.push(bench.platform.image());
      images.push(bench.platform.image({ write: ({ bytes }) => bytes, entry: () => true }));
      images.push(
        bench.platform.image({ write: ({ bytes }) => bytes.subarray(0, bytes.length >> 1), entry: () => true }),
      );
    };
    await compactGroup(bench.host, [first, second]);
    for (const image of images) {
      assertEquals((await verifyOn(image, "/s", {})).problems, []);
      const after = new Bench(image);
      assertEquals([after.get("a"), after.get("b"), after.get("c")], ["new", undefined, "old"], `operation ${stop}`);
    }
    if (images.length === 0) break;
    assert(stop < 99);
  }
});
