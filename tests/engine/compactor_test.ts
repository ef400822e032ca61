import { assert, assertEquals, assertRejects } from "@std/assert";
import { compactGroup } from "../../src/engine/compactor.ts";
import { KvStoreError } from "../../src/errors.ts";
import { KIND } from "../../src/engine/record.ts";
import type { Segment } from "../../src/engine/segment.ts";
import { nextTurn } from "../../src/platform/turn.ts";
import { verifyOn } from "../../src/check/verify.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { Harness, listed } from "../support/compaction_harness.ts";

Deno.test("compaction: live records are copied, the rest is gone, sequence numbers stay", async () => {
  const harness = new Harness();
  harness.set("a", "old");
  harness.set("b", "kept");
  const first = harness.seal();
  harness.set("a", "new");
  const second = harness.seal();
  const retired: Segment[] = [];
  harness.onRetired = (segments) => retired.push(...segments);
  const output = await compactGroup(harness.engine, [first, second]);
  assertEquals([harness.get("a"), harness.get("b")], ["new", "kept"]);
  assertEquals(retired, [first, second]);
  assertEquals([...harness.engine.log.segments.values()].find(({ sealed }) => sealed), output);
  assertEquals([output?.lowestSequence, output?.liveBytes], [2, 25 + 4 + 25 + 3]);
  const after = harness.reopen();
  assertEquals([after.get("a"), after.get("b")], ["new", "kept"]);
  await harness.verify();
});

Deno.test("compaction: a tombstone stays as long as a segment outside holds what it deleted", async () => {
  const harness = new Harness();
  harness.set("a", "deleted");
  harness.set("keeps the segment", "live");
  const old = harness.seal();
  harness.delete("a");
  harness.set("b", "live");
  const young = harness.seal();
  await compactGroup(harness.engine, [young]);
  assertEquals(harness.reopen().get("a"), undefined);
  const copy = [...harness.engine.log.segments.values()].find(({ number }) => number > young.number + 1)!;
  assertEquals(copy.tombstoneBytes, 25);
  // Once the old one has been cleaned, nothing is left that the tombstone is needed for.
  await compactGroup(harness.engine, [old]);
  await compactGroup(harness.engine, [copy]);
  const tombstones = [...harness.engine.log.segments.values()].map(({ tombstoneBytes }) => tombstoneBytes);
  assertEquals(Math.max(...tombstones), 0);
  assertEquals([harness.reopen().get("a"), harness.reopen().get("b")], [undefined, "live"]);
  await harness.verify();
});

Deno.test("compaction: a tombstone that a newer put overshadows is still needed for an older segment", async () => {
  const harness = new Harness();
  harness.set("a", "oldest");
  const old = harness.seal();
  harness.delete("a");
  const middle = harness.seal();
  harness.set("a", "newest");
  const young = harness.seal();
  harness.delete("a");
  harness.seal();
  for (const group of [[middle], [young]]) {
    await compactGroup(harness.engine, group);
    assertEquals(harness.reopen().get("a"), undefined);
  }
  await compactGroup(harness.engine, [old]);
  assertEquals(harness.reopen().get("a"), undefined);
  await harness.verify();
});

Deno.test("compaction: a tombstone that comes during a compaction is needed for its copy", async () => {
  const harness = new Harness();
  harness.set("a", "deleted while it is copied");
  harness.set("b", "live");
  harness.set("b", "live too");
  const old = harness.seal();
  // The copy has "a" by then: it is not current as of this tombstone.
  harness.onCopied = () => harness.delete("a");
  await compactGroup(harness.engine, [old]);
  harness.onCopied = () => {};
  assertEquals(harness.get("a"), undefined);
  const young = harness.seal();
  await compactGroup(harness.engine, [young]);
  const after = harness.reopen();
  assertEquals([after.get("a"), after.get("b")], [undefined, "live too"]);
  await harness.verify();
});

Deno.test("compaction: works in slices, and others have their turn in between", async () => {
  const harness = new Harness();
  for (let i = 0; i < 60_000; i++) harness.set(`key ${i}`, "v".repeat(100));
  harness.seal();
  const inputs = [...harness.engine.log.segments.values()].filter(({ sealed }) => sealed);
  const inputBytes = inputs.reduce((sum, { endBytes }) => sum + endBytes, 0);
  let turns = 0;
  let isDone = false;
  const others = (async () => {
    for (; !isDone; turns++) await nextTurn();
  })();
  const slices: number[] = [];
  const begun = performance.now();
  await compactGroup(harness.engine, inputs, {
    onPause: (scannedBytes) => {
      if (scannedBytes > 0) slices.push(scannedBytes);
    },
  });
  const tookMs = performance.now() - begun;
  isDone = true;
  await others;
  // A machine that stands still for a while adds time, but no turns.
  assert(turns >= Math.min(4, tookMs / 20), `${turns} turns in ${tookMs} ms`);
  // A slice ends after two megabytes, however fast the machine is.
  const leastSlices = Math.floor(inputBytes / 2.1e6);
  assert(leastSlices >= 3 && slices.length >= leastSlices, `${slices.length} slices of ${inputBytes} bytes`);
  assert(slices.every((bytes) => bytes < 2.2e6));
  assert(turns >= slices.length, `${turns} turns in ${slices.length} slices`);
  await harness.verify();
});

Deno.test("compaction: nothing to keep needs no output", async () => {
  const harness = new Harness();
  harness.set("a", "1");
  harness.delete("a");
  const only = harness.seal();
  const before = listed(harness).length;
  await compactGroup(harness.engine, [only]);
  assertEquals(listed(harness).length, before - 1);
  assertEquals(harness.reopen().engine.index.size, 0);
  await harness.verify();
});

Deno.test("compaction: what is written, deleted or cleared meanwhile wins", async () => {
  for (const what of ["set", "delete", "clear"]) {
    const harness = new Harness();
    harness.set("a", "1");
    harness.set("b", "1");
    const input = harness.seal();
    harness.onCopied = () => {
      if (what === "set") harness.set("a", "2");
      if (what === "delete") harness.delete("a");
      if (what === "clear") harness.write(KIND.clear, "");
    };
    await compactGroup(harness.engine, [input]);
    const expected = [what === "set" ? "2" : undefined, what === "clear" ? undefined : "1"];
    assertEquals([harness.get("a"), harness.get("b")], expected, what);
    await harness.engine.writer!.reached("sync");
    const after = harness.reopen();
    assertEquals([after.get("a"), after.get("b")], expected, what);
    await harness.verify();
  }
});

Deno.test("compaction: what made a record stale is durable before the record goes", async () => {
  const harness = new Harness();
  harness.set("a", "1");
  const input = harness.seal();
  harness.set("a", "2");
  harness.engine.writer!.write();
  await compactGroup(harness.engine, [input]);
  assertEquals(listed(harness).includes(input.number), false);
  assertEquals(harness.reopen().get("a"), "2");
  await harness.verify();
});

Deno.test("compaction: what made a record stale must be written before the record goes", async () => {
  const harness = new Harness();
  harness.set("a", "1");
  harness.set("b", "1");
  const input = harness.seal();
  await harness.engine.writer!.reached("sync");
  // The overwriting record is pending while the input is copied, and then its append fails.
  harness.set("a", "2");
  let failures = 1;
  harness.platform.onOperation = ({ kind, path }) => {
    if (kind === "write" && path === `/s/${harness.engine.log.active!.name}` && failures-- > 0) {
      throw new Error("no write");
    }
  };
  harness.engine.writer!.reached("sync").catch(() => {});
  await compactGroup(harness.engine, [input]).catch(() => compactGroup(harness.engine, [input]));
  assertEquals([harness.get("a"), harness.get("b")], ["1", "1"]);
  const after = harness.reopen();
  assertEquals([after.get("a"), after.get("b")], ["1", "1"]);
  await harness.verify();
});

Deno.test("compaction: damage and failed reads leave the inputs as they are", async () => {
  for (const what of ["value", "header", "read"]) {
    const harness = new Harness();
    harness.set("a", "1");
    harness.set("b", "1");
    const input = harness.seal();
    const path = `/s/${input.name}`;
    const good = harness.platform.readFile(path);
    const before = listed(harness);
    if (what === "read") {
      harness.platform.onOperation = ({ kind }) => {
        if (kind === "read") throw new Error("no read");
      };
    } else {
      const bad = good.slice();
      bad[what === "value" ? 44 + 25 : 44 + 26 + 3]! ^= 1;
      harness.platform.writeFile(path, bad);
    }
    const { code } = await assertRejects(() => compactGroup(harness.engine, [input]), KvStoreError);
    assertEquals([code, listed(harness)], [what === "read" ? "IO" : "CORRUPT", before]);
    harness.platform.onOperation = undefined;
    harness.platform.writeFile(path, good);
    await compactGroup(harness.engine, [input]);
    assertEquals([harness.get("a"), harness.get("b"), harness.reopen().get("b")], ["1", "1", "1"]);
    await harness.verify();
  }
});

Deno.test("compaction: a failed sync of a part of the copy fails the store, whatever later syncs say", async () => {
  const harness = new Harness();
  for (let i = 0; i < 20; i++) harness.set(`key ${i}`, "x".repeat(1 << 20));
  const active = harness.seal();
  await harness.engine.writer!.reached("sync");
  const inputs = [...harness.engine.log.segments.values()].filter(({ sealed }) => sealed);
  const known = new Set([...harness.engine.log.segments.values()].map(({ name }) => `/s/${name}`));
  const before = listed(harness);
  let copySyncs = 0;
  harness.platform.onOperation = ({ kind, path }) => {
    if (kind === "sync" && path.endsWith(".seg") && !known.has(path) && ++copySyncs === 1) throw new Error("no sync");
  };
  const { code } = await assertRejects(() => compactGroup(harness.engine, inputs), KvStoreError);
  assertEquals([code, harness.engine.log.failure?.code, listed(harness)], ["FAILED", "FAILED", before]);
  assertEquals([copySyncs, active.sealed], [1, true]);
  assertEquals(harness.reopen().get("key 7"), "x".repeat(1 << 20));
});

Deno.test("compaction: whenever the power goes, the contents are the same", async () => {
  for (let stop = 1;; stop++) {
    const harness = new Harness();
    for (const key of ["a", "b", "c"]) harness.set(key, "old");
    const first = harness.seal();
    harness.set("a", "new");
    harness.delete("b");
    const second = harness.seal();
    await harness.engine.writer!.reached("sync");
    const images: MemoryPlatform[] = [];
    let count = 0;
    harness.platform.onOperation = () => {
      if (++count !== stop) return;
      images.push(harness.platform.image());
      images.push(harness.platform.image({ write: ({ bytes }) => bytes, entry: () => true }));
      images.push(
        harness.platform.image({ write: ({ bytes }) => bytes.subarray(0, bytes.length >> 1), entry: () => true }),
      );
      images.push(harness.platform.image({ entry: ({ kind }) => kind === "remove" }));
    };
    await compactGroup(harness.engine, [first, second]);
    for (const image of images) {
      assertEquals((await verifyOn(image, "/s", {})).problems, []);
      const after = new Harness(image);
      assertEquals([after.get("a"), after.get("b"), after.get("c")], ["new", undefined, "old"], `operation ${stop}`);
    }
    if (images.length === 0) break;
    assert(stop < 99);
  }
});

Deno.test("compaction: a rotation while its manifest is prepared counts as well", async () => {
  const harness = new Harness();
  harness.set("a", "old");
  harness.set("b", "value");
  const first = harness.seal();
  harness.set("a", "new");
  let rotations = 0;
  harness.platform.onOperation = ({ kind, path }) => {
    if (kind !== "sync" || !path.endsWith(".tmp") || rotations++ > 0) return;
    queueMicrotask(() => {
      harness.set("c", "meanwhile");
      harness.seal();
    });
  };
  await compactGroup(harness.engine, [first]);
  harness.platform.onOperation = undefined;
  await harness.engine.writer!.reached("sync");
  assert(rotations > 1);
  const after = harness.reopen();
  assertEquals([after.get("a"), after.get("b"), after.get("c")], ["new", "value", "meanwhile"]);
  assertEquals((await verifyOn(harness.platform.image(), "/s", {})).problems, []);
});

Deno.test("compaction: records of every length come over, whatever lies between them", async () => {
  const harness = new Harness();
  const lengths = [0, 1, 100, 300_000, 7, 5000, 270_000, 1_200_000, 3, 90, 262_144 - 60, 11, 2_000_000, 2];
  const values = new Map(lengths.flatMap((length, i) => [0, 1, 2].map((n) => [`${i}.${n}`, "v".repeat(length + n)])));
  for (const [key, value] of values) harness.set(key, value);
  for (let i = 0; i < 3000; i++) harness.set(`many ${i}`, "x".repeat(i % 200));
  const inputs = [...harness.engine.log.segments.values()];
  harness.seal();
  for (let i = 0; i < lengths.length; i += 3) {
    harness.delete(`${i}.1`);
    values.delete(`${i}.1`);
  }
  await compactGroup(harness.engine, inputs);
  for (const [key, value] of values) assertEquals(harness.get(key), value, key);
  for (let i = 0; i < 3000; i++) assertEquals(harness.get(`many ${i}`), "x".repeat(i % 200));
  await harness.engine.writer!.reached("sync");
  assertEquals((await verifyOn(harness.platform.image(), "/s", {})).problems, []);
});
