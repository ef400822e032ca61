import { assert, assertEquals } from "@std/assert";
import type { Segment } from "../../src/engine/segment.ts";
import { gainOf } from "../../src/maintenance/gain.ts";
import { nextOfAll, nextOfStale, nextToMerge } from "../../src/maintenance/groups.ts";
import { segment } from "../support/segments.ts";

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

Deno.test("choose: of many segments each is looked at a few times, and a group has a bounded number", () => {
  const count = 3000;
  let looks = 0;
  const all = Array.from({ length: count }, () => {
    const made = segment({ live: 100, stale: 900 });
    const { lowestSequence } = made;
    Object.defineProperty(made, "lowestSequence", { get: () => (looks++, lowestSequence) });
    return made;
  });
  const choices = {
    stale: () => nextOfStale(all, { staleRatio: 0.5, minStaleBytes: 0, segmentBytes: 2 ** 26 })!,
    all: () => nextOfAll(all, [...all], 2 ** 26)!,
    small: () => nextToMerge(all, 2 ** 26)!,
  };
  for (const [name, choose] of Object.entries(choices)) {
    looks = 0;
    assertEquals(choose().length, 1024, name);
    assert(looks <= 4 * count, `${name}: ${looks} looks`);
  }
});
