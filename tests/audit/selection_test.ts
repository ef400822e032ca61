import { assertEquals } from "@std/assert";
import { AUDITED, nextToAudit, nextToAuditOfAll, witnessesOf } from "../../src/audit/selection.ts";
import type { Segment } from "../../src/engine/segment.ts";
import { segment } from "../support/segments.ts";

const AUDITING = { staleRatio: 0.5, minStaleBytes: 1000, segmentBytes: 4096 };

/** A segment of tombstones, which stands behind all others. */
function tombstones(bytes: number): Segment {
  return segment({ tombstones: bytes, highestTombstone: 1000, lowest: 900 });
}

Deno.test("choose: tombstones are audited once there are enough for what has to be read", () => {
  const old = segment({ live: 15_000, stale: 100, lowest: 1 });
  const young = tombstones(3000);
  assertEquals(nextToAudit([old, young], AUDITING), undefined, "less than a quarter");
  assertEquals(nextToAudit([old, tombstones(4000)], AUDITING)?.length, 1);
  old.currentAsOf = 1000;
  assertEquals(nextToAudit([old, young], AUDITING), [young], "nothing has to be read");
  assertEquals(nextToAudit([old, young], { ...AUDITING, minStaleBytes: 3001 }), undefined, "too little to win");
  const few = segment({ live: 5000, tombstones: 2000, lowest: 900 });
  assertEquals(nextToAudit([old, few], AUDITING), undefined, "not worth rewriting");
  assertEquals(nextToAuditOfAll([old, few]), [few], "but for a full compaction it is");
});

Deno.test("choose: tombstones are audited again once they clearly are more than what they could be needed for", () => {
  const old = segment({ live: 7000, stale: 1000, lowest: 1 });
  const [first, second] = [tombstones(3000), tombstones(3000)];
  AUDITED.add(first);
  assertEquals(nextToAudit([old, first, second], AUDITING), [second]);
  AUDITED.add(second);
  // 6000, to three times the 1000 that are stale and a quarter of all.
  assertEquals(nextToAudit([old, first, second], AUDITING), undefined);
  assertEquals(nextToAuditOfAll([old, first, second]), undefined);
  const third = tombstones(3000);
  AUDITED.add(third);
  assertEquals(nextToAudit([old, first, second, third], AUDITING), [first, second, third]);
});

Deno.test("choose: no audit of what a segment that cannot be read keeps", () => {
  const old = segment({ live: 100, stale: 10, lowest: 1 });
  old.isDamaged = true;
  const young = tombstones(4000);
  assertEquals(nextToAudit([old, young], AUDITING), undefined);
  assertEquals(nextToAuditOfAll([old, young]), undefined);
  assertEquals(witnessesOf([old, young], new Set([young])), []);
});

Deno.test("choose: an audit reads what may hold an older set, and what is likely to hold a newer tombstone", () => {
  const young = tombstones(3000);
  const clean = segment({ live: 100, lowest: 1, currentAsOf: 1000 });
  const stale = segment({ live: 100, stale: 10, lowest: 1 });
  const above = segment({ live: 3000, tombstones: 200, lowest: 2000, highestTombstone: 2001 });
  const newer = segment({ tombstones: 200, lowest: 2000, highestTombstone: 2001 });
  assertEquals(witnessesOf([young, clean, stale, above, newer], new Set([young])), [stale, newer]);
});
