import { assertEquals } from "@std/assert";
import { droppableUpTo, noteCurrent } from "../../src/engine/droppable.ts";
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
  const cleaned = segment({ lowest: 1, currentAsOf: 100 });
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

Deno.test("choose: what is wholly live is current as of now, if nothing is written to it any more", () => {
  const live = segment({ live: 1000 });
  const marked = segment({ live: 1000, stale: 32 });
  marked.markBytes = 32;
  const graves = segment({ live: 100, expired: [100, 40], tombstones: 500 });
  const stale = segment({ live: 1000, stale: 30, currentAsOf: 7 });
  const active = segment({ live: 1000, sealed: false });
  noteCurrent([live, marked, graves, stale, active], 90);
  assertEquals([live, marked, graves, stale, active].map(({ currentAsOf }) => currentAsOf), [90, 90, 90, 7, 0]);
});
