import { assert, assertEquals } from "@std/assert";
import { droppableUpTo, gainOf, noteClean } from "../../src/engine/choose.ts";
import type { Segment } from "../../src/engine/segment.ts";
import { segment } from "../support/segments.ts";

function droppable(all: Segment[], ...inputs: Segment[]): number {
  return droppableUpTo(all, new Set(inputs));
}

Deno.test("choose: a tombstone goes only if no segment outside can hold an older record", () => {
  const [old, middle, young] = [segment({ lowest: 10 }), segment({ lowest: 20 }), segment({ lowest: 30 })];
  const all = [old, middle, young];
  assertEquals(droppable(all, old, middle, young), Infinity);
  assertEquals(droppable(all, old), 19);
  assertEquals(droppable(all, middle), 9);
  assertEquals(droppable(all, old, young), 19);
  // By sequence number, not by file number or order.
  assertEquals(droppable([young, middle, old], middle), 9);
});

Deno.test("choose: what compaction has cleaned holds nothing that an older tombstone deleted", () => {
  const cleaned = segment({ lowest: 1, cleanAsOf: 100 });
  const young = segment({ lowest: 200 });
  assertEquals(droppable([cleaned, young], young), 100);
  const input = segment({ lowest: 50 });
  assertEquals(droppable([cleaned, input, young], input), 100);
  assertEquals(droppable([cleaned, segment({ lowest: 1 }), input], input), 0);
  // A segment without records keeps nothing.
  const empty = segment({});
  empty.lowestSequence = Infinity;
  assertEquals(droppable([empty, input], input), Infinity);
});

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
  const cleaned = segment({ lowest: 1, cleanAsOf: 24 });
  young.highestSequence = 25;
  assertEquals(gainOf([cleaned, young], [young]).outputBytes, 600 + overhead);
  cleaned.cleanAsOf = 25;
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

Deno.test("choose: what is wholly live is clean as of now, if nothing is written to it any more", () => {
  const live = segment({ live: 1000 });
  const marked = segment({ live: 1000, stale: 32 });
  marked.markBytes = 32;
  const graves = segment({ live: 100, expired: [100, 40], tombstones: 500 });
  const stale = segment({ live: 1000, stale: 30, cleanAsOf: 7 });
  const active = segment({ live: 1000, sealed: false });
  noteClean([live, marked, graves, stale, active], 90);
  assertEquals([live, marked, graves, stale, active].map(({ cleanAsOf }) => cleanAsOf), [90, 90, 90, 7, 0]);
});
