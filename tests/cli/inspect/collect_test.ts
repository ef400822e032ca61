import { assert, assertEquals } from "@std/assert";
import { KvStore, type LogSurvey, type Segment } from "../../../mod.ts";
import { surveyOn } from "../../../src/check/survey.ts";
import { collect, type Collected, type CollectOptions } from "../../../src/cli/inspect/collect.ts";
import { forecastCompaction } from "../../../src/cli/inspect/compaction_forecast.ts";
import { summarize } from "../../../src/cli/inspect/summarize.ts";
import { newManifest } from "../../../src/store/directory.ts";
import { FLAG_EXPIRES, KIND } from "../../../src/engine/record.ts";
import { MemoryPlatform } from "../../support/memory_platform.ts";
import { makeSegment, put, tombstone } from "../../support/records.ts";
import { DIRECTORY, plainRecords, storeOf, writeAtRandom } from "./support/stores.ts";

const OPTIONS: CollectOptions = { cells: 500, cellsOfSegment: 200, steps: 40, records: 20_000, nowMs: 1e12 };

function collected(platform: MemoryPlatform, options: Partial<CollectOptions> = {}): Collected {
  const survey = surveyOn(platform, DIRECTORY);
  try {
    return collect(survey, { ...OPTIONS, ...options });
  } finally {
    survey.close();
  }
}

/** Cells end within bytes, so sums over them are whole only once they are rounded. */
function assertBytes(found: number, wanted: number, message?: string): void {
  assertEquals(Math.round(found * 1000) / 1000, wanted, message);
}

function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}

function liveOf({ cells }: Collected["segments"][number]): number {
  return sum(Array.from({ length: cells.count }, (_, cell) => cells.liveBytes(cell)));
}

for (const [clears, compactions] of [[false, false], [true, false], [false, true], [true, true]] as const) {
  Deno.test(`inspect collect: states are those that comparing all records gives (clears: ${clears}, compactions: ${compactions})`, async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const platform = await storeOf((store) => writeAtRandom(store, { seed, writes: 150, clears, compactions }));
      const records = plainRecords(platform);
      const found = collected(platform);
      assertEquals(found.records, records.length);
      for (const one of found.segments) {
        const own = records.filter(({ segment }) => segment === one.segment!.number);
        const bytesOf = (...kinds: number[]) =>
          sum(own.filter(({ kind }) => kinds.includes(kind)).map(({ length }) => length));
        const live = own.filter(({ kind, died }) => kind === KIND.set && died === 0);
        assertBytes(liveOf(one), sum(live.map(({ length }) => length)), `seed ${seed}`);
        assertBytes(sum(one.cells.bytes.set), bytesOf(KIND.set));
        assertBytes(sum(one.cells.bytes.tombstone), bytesOf(KIND.delete, KIND.clear));
        assertBytes(sum(one.cells.bytes.mark), bytesOf(KIND.mark));
        assertEquals([one.records, sum(one.cells.records)], [own.length, own.length]);
      }
      assertEquals(found.keys, records.filter(({ kind, died }) => kind === KIND.set && died === 0).length);
      assertBytes(sum(found.series.keys), found.keys, `keys come and go, seed ${seed}`);
      assertBytes(sum(found.series.appended), sum(records.map(({ length }) => length)));
    }
  });
}

Deno.test("inspect collect: what goes stale does so in the step in which it was superseded", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const platform = await storeOf((store) =>
      writeAtRandom(store, { seed, writes: 200, clears: true, compactions: false })
    );
    const found = collected(platform);
    const wanted = new Array(found.timeline.steps).fill(0);
    for (const { kind, died, length } of plainRecords(platform)) {
      if (kind === KIND.set && died > 0) wanted[found.timeline.stepOf(died)] += length;
    }
    found.series.died.forEach((bytes, step) => assertBytes(bytes, wanted[step], `step ${step}`));
    const inCells = found.segments.map(({ cells }) =>
      Array.from({ length: cells.count }, (_, cell) => cells.diedBy(cell).at(-1)!)
    );
    assertBytes(sum(inCells.flat()), sum(wanted));
  }
});

Deno.test("inspect page: every record of a small store is there, with what superseded it", async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const platform = await storeOf((store) =>
      writeAtRandom(store, { seed, writes: 120, clears: true, compactions: seed > 4 })
    );
    const survey = surveyOn(platform, DIRECTORY);
    const data = summarize(survey, collect(survey, OPTIONS), { directory: "d", nowMs: 0, hasValues: false });
    survey.close();
    const { recordData, segments, isSample, clears } = data;
    const place = (one: { segment: number; offset: number }) => `${one.segment} ${one.offset}`;
    const records = plainRecords(platform);
    assertEquals(isSample, false);
    assertEquals(clears, records.filter(({ kind }) => kind === KIND.clear).map(({ sequence }) => sequence));
    const shown = recordData.sequence.map((sequence, i) => ({
      place: place({ segment: segments[recordData.segment[i]!]!.number, offset: recordData.offset[i]! }),
      length: recordData.length[i],
      sequence,
      kind: recordData.kind[i],
      died: recordData.died[i],
    }));
    const wanted = records.map((one) => {
      return { place: place(one), length: one.length, sequence: one.sequence, kind: one.kind, died: one.died };
    });
    assertEquals(shown, wanted);
  }
});

Deno.test("inspect page: its size is bounded, and it says that it holds a sample", async () => {
  const platform = await storeOf(async (store) => {
    for (let i = 0; i < 3000; i++) await store.set(`a rather long key, number ${i % 2000}`, i, { durability: "write" });
  });
  const size = (records: number) => {
    const survey = surveyOn(platform, DIRECTORY);
    const found = collect(survey, { ...OPTIONS, records });
    const data = summarize(survey, found, { directory: "d", nowMs: 0, hasValues: false });
    survey.close();
    assertEquals(data.isSample, records < 3000);
    assert(data.recordData.sequence.length <= Math.max(records, 3010));
    assertEquals(data.segments.every(({ cells }) => (cells !== undefined) === data.isSample), true);
    // Figures are those of all records, whatever is shown of them.
    assertEquals([data.keys, sum(data.sizes.values)], [2000, 3000]);
    return JSON.stringify(data).length;
  };
  assert(size(200) < size(2000) && size(2000) < size(10_000));
});

Deno.test("inspect gains: what compaction then does gives back at least as much", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const platform = await storeOf((store) =>
      writeAtRandom(store, { seed, writes: 200, clears: seed % 2 === 0, compactions: false })
    );
    const survey = surveyOn(platform, DIRECTORY);
    const gains = forecastCompaction(survey, collect(survey, OPTIONS).segments);
    survey.close();
    const promised = sum(gains.map(({ wonBytes }) => wonBytes));
    const store = await KvStore.openOn(platform, DIRECTORY, { segmentBytes: 4096, compaction: { auto: false } });
    const before = store.stats().diskBytes;
    await store.compact();
    // Headers of segments that come and go beside the copies are not counted.
    const won = before - store.stats().diskBytes;
    await store.close();
    assert(won >= promised - 100, `seed ${seed}: ${promised} promised, ${won} won`);
    assert(promised >= 0.7 * won, `seed ${seed}: ${promised} promised, ${won} won`);
  }
});

Deno.test("inspect collect: an expired record is told from a live one, unless it was superseded", () => {
  // Made by hand, these expire in 1970.
  const plans = [
    put(1, "a", "gone", FLAG_EXPIRES),
    put(2, "b", "replaced", FLAG_EXPIRES),
    put(3, "b", "here"),
    put(4, "c", "here"),
    put(5, "d", "deleted", FLAG_EXPIRES),
    tombstone(6, "d"),
  ];
  const { segment, offsets, bytes } = makeSegment(plans, {});
  const survey = surveyOf(segment, bytes.length);
  const lengths = plans.map((_, i) => offsets[i + 1]! - offsets[i]!);
  const found = collect(survey, OPTIONS);
  assertBytes(sum(found.segments[0]!.cells.bytes.expired), lengths[0]!);
  assertEquals(found.segments[0]!.graveBytes, 32 + "a".length);
  assertBytes(liveOf(found.segments[0]!), lengths[2]! + lengths[3]!);
  assertEquals(found.keys, 2);
  const before = collect(survey, { ...OPTIONS, nowMs: -1 });
  assertBytes(sum(before.segments[0]!.cells.bytes.expired), 0);
  assertEquals(before.keys, 3);
  const { recordData } = summarize(survey, found, { directory: "d", nowMs: 0, hasValues: false });
  assertEquals(recordData.expiries, [[0, 0], [1, 0], [4, 0]]);
});

Deno.test("inspect collect: an older version that is met after a newer one is stale all the same, since then", () => {
  const platform = new MemoryPlatform();
  const one = makeSegment([put(2, "b"), put(9, "a", "new")], { platform, number: 1 });
  const two = makeSegment([put(5, "a", "old"), put(12, "c")], { platform, number: 2 });
  const [first, second] = [surveyOf(one.segment, one.bytes.length), surveyOf(two.segment, two.bytes.length)];
  const segments = [...first.segments, ...second.segments];
  const manifest = { ...first.manifest, segments: [...first.manifest.segments, ...second.manifest.segments] };
  const found = collect({ ...first, manifest, segments }, OPTIONS);
  const old = two.offsets[1]! - two.offsets[0]!;
  assertBytes(liveOf(found.segments[1]!), two.offsets[2]! - two.offsets[1]!);
  assertEquals(found.series.died[found.timeline.stepOf(9)], old);
  assertEquals(found.keys, 3);
});

/** One sealed segment, as a survey has it. */
function surveyOf(segment: Segment, fileBytes: number): LogSurvey {
  const { number, salt } = segment;
  const listed = {
    number,
    salt,
    sealedBytes: fileBytes,
    lowestSequence: segment.lowestSequence,
    highestSequence: segment.highestSequence,
    currentAsOf: 0,
  };
  const surveyed = {
    name: "00000001.seg",
    segment,
    startBytes: 44,
    requiredBytes: fileBytes,
    fileBytes,
    isComplete: true,
  };
  const manifest = { ...newManifest(), nextSegment: 2, nextSequence: 7, segments: [listed] };
  return { manifest, segments: [surveyed], problems: [], close: () => {} };
}
