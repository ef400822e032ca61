import { assert, assertEquals } from "@std/assert";
import {
  droppableUpTo,
  gainOf,
  nextOfAll,
  nextOfStale,
  nextToAudit,
  nextToAuditOfAll,
  nextToMerge,
  noteClean,
  witnessesOf,
} from "../../src/engine/choose.ts";
import { Segment } from "../../src/engine/segment.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

interface Plan {
  live?: number;
  stale?: number;
  tombstones?: number;
  /** Of the live bytes, those of records that have expired, and what of these a tombstone needs. */
  expired?: [bytes: number, graveBytes: number];
  highestTombstone?: number;
  lowest?: number;
  cleanAsOf?: number;
  sealed?: boolean;
}

const platform = new MemoryPlatform();
platform.writeFile("/f", new Uint8Array(1));
const handle = platform.open("/f", "read");
let numbers = 0;

function segment({ live = 0, stale = 0, tombstones = 0, sealed = true, ...rest }: Plan): Segment {
  const header = { number: ++numbers, storeId: new Uint8Array(16), salt: 0, inputs: [] };
  const made = new Segment(header, handle, { endBytes: 44 + live + stale + tombstones, sealed });
  made.liveBytes = live;
  if (tombstones > 0) made.coverTombstone(rest.highestTombstone ?? 1, tombstones);
  made.cover(rest.lowest ?? numbers);
  made.cleanAsOf = rest.cleanAsOf ?? 0;
  [made.expiredBytes, made.graveBytes] = rest.expired ?? [0, 0];
  return made;
}

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

Deno.test("choose: no compaction of undroppable tombstones, however often it is asked for", () => {
  const old = segment({ live: 4000, lowest: 1 });
  const graves = segment({ tombstones: 4000, highestTombstone: 50, lowest: 10 });
  const all = [old, graves];
  const thresholds = { staleRatio: 0.01, minStaleBytes: 0, segmentBytes: 4096 };
  assertEquals(nextOfStale(all, thresholds), undefined);
  assertEquals(nextOfAll(all, [old, graves], 4096), undefined);
});

Deno.test("choose: automatic compaction waits for both thresholds, and leaves the segment being written", () => {
  const thresholds = { staleRatio: 0.5, minStaleBytes: 1000, segmentBytes: 4096 };
  const half = segment({ live: 1000, stale: 1300 });
  assertEquals(nextOfStale([half], thresholds), [half]);
  assertEquals(nextOfStale([half], { ...thresholds, minStaleBytes: 1300 }), undefined);
  assertEquals(nextOfStale([half], { ...thresholds, staleRatio: 0.6 }), undefined);
  assertEquals(nextOfStale([segment({ stale: 3000, sealed: false })], thresholds), undefined);
  const [a, b] = [segment({ live: 500, stale: 700 }), segment({ live: 500, stale: 700 })];
  assertEquals(nextOfStale([a, b], thresholds), [a, b], "together they win enough");
  assertEquals(nextOfStale([], thresholds), undefined);
});

Deno.test("choose: a group fits into one new segment", () => {
  const many = Array.from({ length: 6 }, () => segment({ live: 1500, stale: 2000 }));
  const group = nextOfStale(many, { staleRatio: 0.2, minStaleBytes: 0, segmentBytes: 4096 })!;
  assert(gainOf(many, group).outputBytes <= 4096);
  assertEquals(group, many.slice(0, 2), "oldest first");
  const large = segment({ live: 9000, stale: 9000 });
  assertEquals(nextOfStale([large], { staleRatio: 0.2, minStaleBytes: 0, segmentBytes: 4096 }), [large]);
});

Deno.test("choose: a full compaction looks at every segment once, and takes what wins", () => {
  const full = segment({ live: 4000 });
  const stale = segment({ live: 1000, stale: 3000 });
  const small = [segment({ live: 200 }), segment({ live: 200 }), segment({ live: 200 })];
  const all = [full, stale, ...small];
  const candidates = [...all];
  const groups: Segment[][] = [];
  for (let next = nextOfAll(all, candidates, 4096); next !== undefined; next = nextOfAll(all, candidates, 4096)) {
    groups.push(next);
    assert(groups.length < 9);
  }
  assertEquals(candidates, []);
  assertEquals(groups, [[stale, ...small]]);
  assertEquals(nextOfAll([full], [full], 4096), undefined);
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
  old.cleanAsOf = 1000;
  assertEquals(nextToAudit([old, young], AUDITING), [young], "nothing has to be read");
  assertEquals(nextToAudit([old, young], { ...AUDITING, minStaleBytes: 3001 }), undefined, "too little to win");
  const few = segment({ live: 5000, tombstones: 2000, lowest: 900 });
  assertEquals(nextToAudit([old, few], AUDITING), undefined, "not worth rewriting");
  assertEquals(nextToAuditOfAll([old, few]), [few], "but for a full compaction it is");
});

Deno.test("choose: tombstones are audited again once they clearly are more than what they could be needed for", () => {
  const old = segment({ live: 7000, stale: 1000, lowest: 1 });
  const [first, second] = [tombstones(3000), tombstones(3000)];
  first.isAudited = true;
  assertEquals(nextToAudit([old, first, second], AUDITING), [second]);
  second.isAudited = true;
  // 6000, to three times the 1000 that are stale and a quarter of all.
  assertEquals(nextToAudit([old, first, second], AUDITING), undefined);
  assertEquals(nextToAuditOfAll([old, first, second]), undefined);
  const third = tombstones(3000);
  third.isAudited = true;
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
  const clean = segment({ live: 100, lowest: 1, cleanAsOf: 1000 });
  const stale = segment({ live: 100, stale: 10, lowest: 1 });
  const above = segment({ live: 3000, tombstones: 200, lowest: 2000, highestTombstone: 2001 });
  const newer = segment({ tombstones: 200, lowest: 2000, highestTombstone: 2001 });
  assertEquals(witnessesOf([young, clean, stale, above, newer], new Set([young])), [stale, newer]);
});

Deno.test("choose: eight small segments of about one size are merged, those that are large or open are not", () => {
  const small = (bytes: number) => segment({ live: bytes });
  const seven = Array.from({ length: 7 }, () => small(500));
  assertEquals(nextToMerge(seven, 65_536), undefined);
  assertEquals(nextToMerge([...seven, small(10_000), small(60)], 65_536), undefined, "of other tiers");
  assertEquals(nextToMerge([...seven, segment({ live: 500, sealed: false })], 65_536), undefined);
  const eight = [...seven, small(500)];
  assertEquals(nextToMerge([small(10_000), ...eight], 65_536), eight);
  assertEquals(nextToMerge(eight, 1024), undefined, "each is half a segment");
  const group = nextToMerge(eight, 2048)!;
  assert(group.length === 3 && gainOf(eight, group).outputBytes <= 2048, "as many as fit into one");
});

Deno.test("choose: merging ends with few segments, and copies a record no more than once a tier", () => {
  let all: Segment[] = [];
  let copiedBytes = 0;
  const count = 4000;
  for (let i = 0; i < count; i++) {
    all.push(segment({ live: 100 }));
    for (let inputs = nextToMerge(all, 65_536); inputs !== undefined; inputs = nextToMerge(all, 65_536)) {
      const { outputBytes } = gainOf(all, inputs);
      copiedBytes += outputBytes;
      all = [...all.filter((one) => !inputs.includes(one)), segment({ live: outputBytes - 44 })];
      assert(inputs.length > 1);
    }
  }
  assert(all.length < 7 * 5 + count * 100 / 32_768 + 2, `${all.length} segments`);
  assert(copiedBytes < 6 * count * 144, `${copiedBytes / count / 144} copies`);
});
