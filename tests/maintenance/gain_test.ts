import { assert, assertEquals } from "@std/assert";
import { gainOf } from "../../src/maintenance/gain.ts";
import { segment } from "../support/segments.ts";

Deno.test("choose: what is won is what the output will not have, headers counted in", () => {
  const all = [segment({ live: 1000, stale: 500 })];
  const { wonBytes, outputBytes } = gainOf(all, all);
  assert(outputBytes > 1044 && outputBytes < 1200, `${outputBytes}`);
  assertEquals(wonBytes, 1544 - outputBytes);
  const dead = [segment({ stale: 500 })];
  assertEquals(gainOf(dead, dead), { wonBytes: 544, outputBytes: 0 });
  const full = [segment({ live: 1000 })];
  assert(gainOf(full, full).wonBytes < 0);
});

Deno.test("choose: of what has expired all is won but a tombstone, and that, too, where it may go", () => {
  const old = segment({ live: 1000, lowest: 1 });
  const middle = segment({ live: 1000, expired: [1000, 300], lowest: 10 });
  const young = segment({ live: 1000, expired: [500, 100], lowest: 20 });
  const all = [old, middle, young];
  assertEquals([middle.staleBytes, young.staleBytes], [700, 400]);
  const overhead = 44 + 4 + 32;
  assertEquals(gainOf(all, [middle]), { wonBytes: 1044 - 300 - overhead, outputBytes: 300 + overhead });
  assertEquals(gainOf([middle], [middle]), { wonBytes: 1044, outputBytes: 0 });
  assertEquals(gainOf([middle, young], [young]), { wonBytes: 1044 - 600 - overhead, outputBytes: 600 + overhead });
  // Any of a segment's numbers may be the one of what has expired.
  const cleaned = segment({ lowest: 1, currentAsOf: 24 });
  young.highestSequence = 25;
  assertEquals(gainOf([cleaned, young], [young]).outputBytes, 600 + overhead);
  cleaned.currentAsOf = 25;
  assertEquals(gainOf([cleaned, young], [young]).outputBytes, 500 + overhead);
  const small = segment({ live: 40, expired: [40, 33], lowest: 30 });
  assert(gainOf([...all, small], [small]).wonBytes < 0, "no compaction is worth the seven bytes of a value");
});

Deno.test("choose: tombstones are won only where they may go", () => {
  const old = segment({ live: 100, lowest: 1 });
  const young = segment({ live: 100, tombstones: 900, highestTombstone: 50, lowest: 10 });
  const all = [old, young];
  assert(gainOf(all, [young]).wonBytes < 0);
  assert(gainOf(all, all).wonBytes > 800);
});
