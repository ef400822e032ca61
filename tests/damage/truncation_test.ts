/**
 * The files of a store, cut off at every byte, and with zeros or garbage from every byte on: past the durable mark of a
 * store that crashed, a prefix of the history is left; anywhere else it is damage, which opening refuses, verify names,
 * and repair keeps the rest of.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { verifyOn } from "../../src/check/verify.ts";
import { copyOf, withSeed } from "../crash/support/disk.ts";
import { contentsOf } from "../crash/support/history.ts";
import { assertIntact, DIRECTORY, OPTIONS } from "../crash/support/scenario.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { Random } from "../support/random.ts";
import { CASES_IN_TURN, turns } from "../support/sweep.ts";
import { assertNeverWrong, assertRepair, assertReport } from "./support/checks.ts";
import { type LaidSegment, type Layout, layoutOf } from "./support/layout.ts";
import { type Expected, expectedOf } from "./support/oracle.ts";
import { hundredSegments, longSample, type Sample, stateOf } from "./support/samples.ts";

/** The store with one file changed. */
function changed(platform: MemoryPlatform, file: string, change: (bytes: Uint8Array) => Uint8Array): MemoryPlatform {
  const copy = copyOf(platform);
  copy.writeFile(file, change(copy.readFile(file)));
  return copy;
}

interface Counts {
  damage: number;
  prefix: number;
  repaired: number;
}

/** Everything that must hold of a store with a damaged segment; tries a repair if told to. */
async function tryOne(layout: Layout, platform: MemoryPlatform, where: string, counts: Counts, isRepaired: boolean) {
  const expected = expectedOf(layout, platform);
  await assertReport(platform, expected, where);
  const outcome = await assertNeverWrong(platform, expected, where);
  if (expected.problems.length === 0) {
    counts.prefix++;
    assertEquals(outcome, "right", where);
  } else counts.damage++;
  if (!isRepaired) return;
  counts.repaired++;
  await assertRepair(platform, expected, where);
}

/** Whether bytes from `at` on may be missing: of a log whose process died, what lies past the manifest's mark. */
function isTail(sample: Sample, { path }: LaidSegment, at: number): boolean {
  return !sample.isClean && path === sample.last.file && at >= sample.manifestMark;
}

for (const isClean of [true, false]) {
  const name = isClean ? "closed cleanly" : "crashed";

  Deno.test(`a log cut off at every byte: ${name}`, async () => {
    const sample = await longSample(isClean);
    const layout = layoutOf(sample.platform);
    const counts: Counts = { damage: 0, prefix: 0, repaired: 0 };
    const isDue = turns();
    for (const segment of layout.segments) {
      const { path, bytes: { length: size } } = segment;
      // A sealed segment is the same in both: once is enough at every byte.
      const stride = isClean || path === sample.last.file ? 1 : 5;
      for (let cut = 0; cut < size; cut += stride) {
        if (!isDue()) continue;
        const before = counts.prefix;
        const platform = changed(sample.platform, path, (bytes) => bytes.subarray(0, cut));
        const where = `${name}: ${path} cut off at ${cut} of ${size}`;
        await tryOne(layout, platform, where, counts, cut % 13 === 0);
        assertEquals(counts.prefix > before, isTail(sample, segment, cut), `${where}: a torn tail or damage`);
      }
    }
    console.log(name, counts);
  });

  Deno.test(`a manifest cut off at every byte: ${name}`, async () => {
    const sample = await longSample(isClean);
    const file = `${DIRECTORY}/MANIFEST`;
    const intact = expectedOf(layoutOf(sample.platform), sample.platform);
    const isDue = turns();
    for (let cut = 0; cut < sample.platform.readFile(file).length; cut++) {
      if (!isDue()) continue;
      const platform = changed(sample.platform, file, (bytes) => bytes.subarray(0, cut));
      const where = `MANIFEST cut off at ${cut}`;
      const { problems, notes } = await verifyOn(platform, DIRECTORY, {});
      const [{ reason }] = problems as [Expected["problems"][number]];
      assertEquals(problems, [{ file: "MANIFEST", offset: 0, length: cut, reason }], where);
      const expected = { ...intact, problems, notes, damaged: ["MANIFEST"] };
      assertEquals(await assertNeverWrong(platform, expected, where), "at open");
      await assertRepair(platform, expected, where);
    }
  });

  Deno.test(`zeros or garbage from every byte on, as far as there was something, or farther: ${name}`, async () => {
    const sample = await longSample(isClean);
    const layout = layoutOf(sample.platform);
    const last = layout.segments.at(-1)!;
    const counts: Counts = { damage: 0, prefix: 0, repaired: 0 };
    const size = last.bytes.length;
    const isDue = turns();
    for (let from = 0; from <= size; from += from < sample.manifestMark ? 7 : 1) {
      for (const isZero of [true, false]) {
        if (!isDue()) continue;
        const longer = new Uint8Array(from % 2 === 0 ? size : size + 700);
        const random = new Random(from);
        longer.set(last.bytes.subarray(0, from));
        for (let at = from; at < longer.length && !isZero; at++) longer[at] = random.below(256);
        const platform = changed(sample.platform, last.path, () => longer);
        const where = `${isZero ? "zeros" : "garbage"} from ${from} to ${longer.length} of ${size}`;
        const before = counts.prefix;
        await tryOne(layout, platform, where, counts, from % 13 === 0);
        const isHarmless = from === size || isTail(sample, last, from);
        if (!isZero) assertEquals(counts.prefix > before, isHarmless, `${where}: a torn tail or damage`);
      }
    }
    console.log(name, counts);
  });

  Deno.test(`each of a hundred segments cut off, or with garbage from somewhere on: ${name}`, async () => {
    await withSeed(9, async () => {
      const layout = layoutOf((await hundredSegments(isClean)).pop()!);
      const counts: Counts = { damage: 0, prefix: 0, repaired: 0 };
      const random = new Random(9);
      const isDue = turns();
      for (const { path, bytes } of layout.segments) {
        for (const isCut of [true, false]) {
          if (!isDue()) continue;
          const at = random.below(bytes.length);
          const rest = isCut ? new Uint8Array(0) : random.bytes(bytes.length - at);
          const platform = changed(layout.platform, path, () => Uint8Array.of(...bytes.subarray(0, at), ...rest));
          const where = `${path} ${isCut ? "cut off at" : "garbage from"} ${at}`;
          await tryOne(layout, platform, where, counts, random.chance(0.2));
        }
      }
      console.log(name, counts);
    });
  });
}

Deno.test("a hole anywhere before a mark that is still there is damage", async () => {
  const sample = await longSample(false);
  const layout = layoutOf(sample.platform);
  const { file } = sample.last;
  const counts: Counts = { damage: 0, prefix: 0, repaired: 0 };
  const isDue = turns();
  for (let at = sample.manifestMark; at < sample.highestMark; at++) {
    if (!isDue()) continue;
    const platform = changed(sample.platform, file, (bytes) => {
      const first = bytes[at]!;
      bytes.fill(0, at, Math.min(sample.highestMark, at + 16));
      // Zeros may have been there before.
      bytes[at] = first ^ 1;
      return bytes;
    });
    await tryOne(layout, platform, `a hole at ${at}, the mark is at ${sample.highestMark}`, counts, at % 7 === 0);
  }
  assertEquals(counts.prefix, 0);
  assert(counts.damage > 100 / CASES_IN_TURN);
});

Deno.test("bytes behind a clean end are left alone, and nothing is appended to them", async () => {
  const sample = await longSample(true);
  const { file, size } = sample.last;
  const platform = changed(sample.platform, file, (bytes) => Uint8Array.of(...bytes, ...new Uint8Array(64).fill(7)));
  const { notes } = await verifyOn(platform, DIRECTORY, {});
  const name = file.slice(DIRECTORY.length + 1);
  assertEquals(notes, [{ file: name, offset: size, length: 64, reason: "bytes past the recorded end" }]);
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  await store.set("behind", 1);
  await store.close();
  assertEquals(platform.readFile(file).length, size + 64);
  const again = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  assertEquals(contentsOf(again), `behind=1\n${stateOf(sample.writes)}`);
  await again.close();
  await assertIntact(platform, "bytes behind the end");
});
