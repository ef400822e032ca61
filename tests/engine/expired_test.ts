import { assertEquals } from "@std/assert";
import { compactGroup } from "../../src/engine/compactor.ts";
import { KIND } from "../../src/engine/record.ts";
import { utf8 } from "../support/records.ts";
import { Bench, listed } from "../support/compaction_bench.ts";

Deno.test("compaction: what has expired leaves the index with its record", async () => {
  const bench = new Bench();
  let now = 1000;
  bench.platform.now = () => now;
  const { index } = bench.core;
  bench.write(KIND.set, "a", "value", 2000);
  bench.write(KIND.set, "b", "value", 2000);
  const first = bench.seal();
  bench.write(KIND.set, "c", "value", 2000);
  bench.write(KIND.set, "d", "value", 3000);
  const second = bench.seal();
  now = 2000;
  bench.core.expire();
  assertEquals([index.size, index.expiredIn(first.number).count, index.expiredIn(second.number).count], [1, 2, 1]);
  // Of the first nothing is left to be copied.
  await compactGroup(bench.host, [first]);
  assertEquals([index.expiredBytes, index.find(utf8("a"), 0, 1), index.find(utf8("c"), 0, 1)], [38, false, true]);
  // "c" is a tombstone no more, either: nothing is older than it. What expires meanwhile is copied as it is.
  bench.onPause = () => {
    now = 3000;
    bench.core.expire();
  };
  await compactGroup(bench.host, [second]);
  const output = [...bench.core.log.segments.values()].find(({ sealed }) => sealed)!;
  assertEquals([index.size, index.expiredBytes, index.expiredIn(output.number).bytes], [0, 38, 38]);
  assertEquals([output.lowestSequence, output.liveBytes, output.tombstoneBytes], [4, 38, 0]);
  bench.onPause = () => {};
  await compactGroup(bench.host, [output]);
  assertEquals([index.expiredBytes, listed(bench).length], [0, 1]);
  await bench.verify();
});

Deno.test("compaction: what has expired stays as a tombstone where something older may be, its value does not", async () => {
  const bench = new Bench();
  let now = 1000;
  bench.platform.now = () => now;
  bench.set("k", "old");
  bench.seal();
  bench.write(KIND.set, "k", "a value that is longer", 2000);
  const second = bench.seal();
  now = 2000;
  await compactGroup(bench.host, [second]);
  const output = [...bench.core.log.segments.values()].at(-1)!;
  assertEquals([output.lowestSequence, output.liveBytes, output.tombstoneBytes], [2, 0, 32 + 1]);
  assertEquals(bench.core.log.historyFloor, 2, "the value of that version is gone");
  now = 1000;
  assertEquals([bench.get("k"), bench.reopen().get("k")], [undefined, undefined]);
  await bench.verify();
});
