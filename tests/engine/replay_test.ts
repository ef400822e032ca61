import { assertEquals, assertThrows } from "@std/assert";
import { KvStoreError } from "../../src/errors.ts";
import { Index } from "../../src/engine/index.ts";
import { KIND } from "../../src/engine/record.ts";
import type { Segment } from "../../src/engine/segment.ts";
import type { Replayed } from "../../src/engine/replay.ts";
import { replay } from "../../src/lookahead/replay.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";
import { makeSegment, mark, put, type RecordPlan, tombstone, utf8 } from "../support/records.ts";

/** Segments by number. */
function segmentsOf(plans: Record<number, RecordPlan[]>): Map<number, Segment> {
  const platform = new MemoryPlatform();
  const made = Object.entries(plans).map(([number, records]) =>
    makeSegment(records, { number: Number(number), platform })
  );
  return new Map(made.map(({ segment }) => [segment.number, segment]));
}

/** Which segment each key's record is in, and how long it is. */
function placesOf(index: Index, keys = "abcdef"): Record<string, string> {
  const places: Record<string, string> = {};
  for (const key of keys) {
    if (index.find(utf8(key), 0, 1)) places[key] = `${index.segment}: ${index.length - 25}`;
  }
  return places;
}

/** Live, tombstone and stale bytes, in each segment. */
function accountsOf(segments: Map<number, Segment>): Record<number, number[]> {
  return Object.fromEntries(
    [...segments.values()].map((one) => [one.number, [one.liveBytes, one.tombstoneBytes, one.staleBytes]]),
  );
}

const clear = (sequence: number): RecordPlan => ({ kind: KIND.clear, sequence });

Deno.test("replay: the highest sequence number decides, whatever the order of segments and records", () => {
  const segments = segmentsOf({
    1: [put(9, "a", "123456789"), put(2, "b", "12"), tombstone(8, "c"), put(5, "d", "12345")],
    2: [put(1, "a", "1"), put(7, "b", "1234567"), put(3, "c", "123"), tombstone(4, "d")],
  });
  const index = new Index();
  assertEquals(replay(index, segments), { highest: 9, records: 8 });
  assertEquals([placesOf(index), index.size], [{ a: "1: 9", b: "2: 7", d: "1: 5" }, 3]);
  assertEquals(accountsOf(segments), { 1: [34 + 30, 25, 27], 2: [32, 25, 26 + 28] });
  assertEquals([segments.get(1)!.lowestSequence, segments.get(1)!.highestSequence], [2, 9]);
});

Deno.test("replay: a clear removes what is older, also what is read after it", () => {
  const segments = segmentsOf({
    1: [put(1, "a", "1"), clear(5), put(6, "b", "123456")],
    2: [put(2, "c", "12"), put(7, "a", "1234567"), tombstone(3, "d"), clear(4)],
  });
  const index = new Index();
  replay(index, segments);
  assertEquals([placesOf(index), index.size], [{ a: "2: 7", b: "1: 6" }, 2]);
  assertEquals(accountsOf(segments), { 1: [31, 24, 26], 2: [32, 49, 27] });
  assertEquals(segments.get(2)!.highestTombstone, 4);
});

Deno.test("replay: marks are stale bytes, and their numbers count", () => {
  const segments = segmentsOf({ 1: [put(1, "a", ""), mark(7, 44)] });
  assertEquals(replay(new Index(), segments), { highest: 7, records: 1 });
  assertEquals(accountsOf(segments), { 1: [25, 0, 32] });
});

Deno.test("replay: a bad header, and an end that is not that of a record, are CORRUPT", () => {
  for (const cut of [1, 24, 25]) {
    const segments = segmentsOf({ 1: [put(1, "a", "1"), put(2, "b", "")] });
    segments.get(1)!.endBytes -= cut;
    if (cut === 25) replay(new Index(), segments);
    else assertEquals(assertThrows(() => replay(new Index(), segments), KvStoreError).code, "CORRUPT");
  }
});

/** Replays `later` on an index that has seen `earlier`: what a reader does, or whoever loads an image. */
function goOn(
  earlier: Record<number, RecordPlan[]>,
  later: Record<number, RecordPlan[]>,
  options: { hasLost?: boolean; partitionSequence?: number } = {},
) {
  const index = new Index();
  const before = segmentsOf(earlier);
  const { highest } = replay(index, before);
  const segments = segmentsOf(later);
  for (const [number, segment] of segments) {
    const known = before.get(number);
    if (known === undefined) continue;
    segment.liveBytes = known.liveBytes;
    segment.tombstoneBytes = known.tombstoneBytes;
  }
  const changed: string[] = [];
  const known: Replayed = {
    sequence: highest,
    partitionSequence: () => options.partitionSequence ?? highest,
    from: ({ number }) => before.get(number)?.endBytes,
    hasLost: options.hasLost ?? false,
    beforeChange: ({ bytes, start, length }, place) =>
      void changed.push(`${new TextDecoder().decode(bytes.subarray(start, start + length))} was in ${place.segment}`),
  };
  const result = replay(index, segments, known);
  return { index, segments, changed, ...result };
}

Deno.test("replay: going on reads only what is new, and accounts as a replay from the start would", () => {
  const old = { 1: [put(1, "a", "1"), put(2, "b", "12")] };
  const all = { 1: [...old[1], put(3, "a", "123"), tombstone(4, "b")], 2: [put(5, "c", "12345")] };
  const { index, segments, changed, highest, records } = goOn(old, all);
  assertEquals([placesOf(index), highest, records], [{ a: "1: 3", c: "2: 5" }, 5, 3]);
  assertEquals(changed, ["a was in 1", "b was in 1", "c was in 0"]);
  const fresh = segmentsOf(all);
  replay(new Index(), fresh);
  assertEquals(accountsOf(segments), accountsOf(fresh));
});

Deno.test("replay: outputs of compaction take the entries of the segments that are gone, and no others", () => {
  const old = {
    1: [put(1, "a", "1"), put(2, "b", "12"), put(3, "c", "123")],
    2: [put(4, "c", "1234"), put(5, "d", "1")],
  };
  const { index, segments } = goOn(old, { 2: old[2], 3: [put(1, "a", "1"), put(2, "b", "12")] }, { hasLost: true });
  assertEquals(placesOf(index), { a: "3: 1", b: "3: 2", c: "2: 4", d: "2: 1" });
  assertEquals(accountsOf(segments)[3], [26 + 27, 0, 0]);
  // An output of segments that were not known, with older versions of what is: it takes nothing.
  const other = goOn({ 2: old[2] }, { 2: old[2], 3: [put(3, "c", "123")] });
  assertEquals(placesOf(other.index), { c: "2: 4", d: "2: 1" });
});

Deno.test("replay: of a copy that holds every version, as recovery makes them, the newest counts", () => {
  const versions = [put(1, "a", "1"), put(2, "a", "12"), put(3, "b", "1"), tombstone(4, "b"), put(5, "a", "12345")];
  for (let seen = 1; seen <= versions.length; seen++) {
    const { index, segments } = goOn({ 1: versions.slice(0, seen) }, { 2: versions }, { hasLost: true });
    assertEquals([placesOf(index), index.size], [{ a: "2: 5" }, 1], `${seen} records seen before`);
    assertEquals(accountsOf(segments), { 2: [30, 25, 26 + 27 + 26] });
  }
});

/**
 * Story: a key was set, and its record copied by a compaction while it was set again, so that the copy had a stale
 * version. The later set expired, and the next compaction made a delete of it, with its number. A reader that knew the
 * set passed over that delete as one it had seen, and took the stale version for the copy of what it knew.
 */
Deno.test("replay: a set that was known and is a delete now leaves no older copy standing, in any order", () => {
  const old = { 1: [put(1, "a", "1")], 2: [put(3, "b", "1"), put(4, "a", "12")] };
  const copies = [[put(1, "a", "1")], [put(3, "b", "1"), tombstone(4, "a")]];
  for (const [first, second] of [[0, 1], [1, 0]] as const) {
    const now = { 5: copies[first]!, 6: copies[second]! };
    const { index, segments } = goOn(old, now, { hasLost: true });
    assertEquals([placesOf(index), index.size], [{ b: `${5 + second}: 1` }, 1]);
    const accounts = [[0, 0, 26], [26, 25, 0]];
    assertEquals(accountsOf(segments), { 5: accounts[first]!, 6: accounts[second]! });
    // A delete that a later set, known as well, has overshadowed takes nothing away.
    const later = { ...old, 3: [put(5, "a", "123")] };
    for (const order of [{ ...now, 7: later[3] }, { 4: later[3], ...now }]) {
      const found = goOn(later, order, { hasLost: true });
      assertEquals([placesOf(found.index).a?.slice(-1), found.index.size], ["3", 2]);
    }
  }
});

Deno.test("replay: keys whose segment is gone without a copy were deleted", () => {
  const old = { 1: [put(1, "a", "1"), put(2, "b", "12")], 2: [put(3, "c", "1")] };
  const { index, changed } = goOn(old, { 2: old[2] }, { hasLost: true });
  assertEquals([placesOf(index), index.size], [{ c: "2: 1" }, 1]);
  assertEquals(changed.toSorted(), ["a was in 1", "b was in 1"]);
});

Deno.test("replay: a clear that is news removes what was known, one that was known does not", () => {
  const old = { 1: [put(1, "a", "1"), clear(2), put(3, "b", "1")] };
  assertEquals(placesOf(goOn(old, { 1: [...old[1], put(4, "c", "1")] }).index), { b: "1: 1", c: "1: 1" });
  const news = goOn(old, { 1: [...old[1], clear(5), put(6, "d", "1")] });
  assertEquals([placesOf(news.index), news.index.size], [{ d: "1: 1" }, 1]);
  assertEquals(accountsOf(news.segments), { 1: [26, 48, 52] });
});

Deno.test("replay: views that are open keep what they see while a reader goes on", () => {
  const platform = new MemoryPlatform();
  const { segment } = makeSegment([put(1, "a", "1"), tombstone(2, "a")], { platform });
  const index = new Index();
  index.holds = 1;
  replay(index, new Map([[1, segment]]));
  let entries = 0;
  for (let i = 0; i < 256; i++) entries += index.partition(i).count;
  assertEquals([entries, index.size], [1, 0]);
});
