import { assertEquals } from "@std/assert";
import { compactGroup } from "../../src/engine/compactor.ts";
import { KIND } from "../../src/engine/record.ts";
import { utf8 } from "../support/records.ts";
import { Harness, listed } from "../support/compaction_harness.ts";

Deno.test("compaction: what has expired leaves the index with its record", async () => {
  const harness = new Harness();
  let now = 1000;
  harness.platform.now = () => now;
  const { index } = harness.engine;
  harness.write(KIND.set, "a", "value", 2000);
  harness.write(KIND.set, "b", "value", 2000);
  const first = harness.seal();
  harness.write(KIND.set, "c", "value", 2000);
  harness.write(KIND.set, "d", "value", 3000);
  const second = harness.seal();
  now = 2000;
  harness.engine.expire();
  assertEquals([index.size, index.expired.in(first.number).count, index.expired.in(second.number).count], [1, 2, 1]);
  // Of the first nothing is left to be copied.
  await compactGroup(harness.engine, [first]);
  assertEquals([index.expired.bytes, index.find(utf8("a"), 0, 1), index.find(utf8("c"), 0, 1)], [38, false, true]);
  // "c" is a tombstone no more, either: nothing is older than it. What expires meanwhile is copied as it is.
  harness.onCopied = () => {
    now = 3000;
    harness.engine.expire();
  };
  await compactGroup(harness.engine, [second]);
  const output = [...harness.engine.log.segments.values()].find(({ sealed }) => sealed)!;
  assertEquals([index.size, index.expired.bytes, index.expired.in(output.number).bytes], [0, 38, 38]);
  assertEquals([output.lowestSequence, output.liveBytes, output.tombstoneBytes], [4, 38, 0]);
  harness.onCopied = () => {};
  await compactGroup(harness.engine, [output]);
  assertEquals([index.expired.bytes, listed(harness).length], [0, 1]);
  await harness.verify();
});

Deno.test("compaction: what has expired stays as a tombstone where something older may be, its value does not", async () => {
  const harness = new Harness();
  let now = 1000;
  harness.platform.now = () => now;
  harness.set("k", "old");
  harness.seal();
  harness.write(KIND.set, "k", "a value that is longer", 2000);
  const second = harness.seal();
  now = 2000;
  await compactGroup(harness.engine, [second]);
  const output = [...harness.engine.log.segments.values()].at(-1)!;
  assertEquals([output.lowestSequence, output.liveBytes, output.tombstoneBytes], [2, 0, 32 + 1]);
  assertEquals(harness.engine.log.historyFloor, 2, "the value of that version is gone");
  now = 1000;
  assertEquals([harness.get("k"), harness.reopen().get("k")], [undefined, undefined]);
  await harness.verify();
});
