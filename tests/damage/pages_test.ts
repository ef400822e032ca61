/**
 * Whole pages of 512 and 4,096 bytes that are zero, garbage, another page's, or what the same place held earlier, in
 * every file of stores that hold everything a log can hold, and of one with a hundred segments.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { verifyOn } from "../../src/check/verify.ts";
import { copyOf, withSeed } from "../crash/support/disk.ts";
import { DIRECTORY } from "../crash/support/scenario.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { Random } from "../support/random.ts";
import { turns } from "../support/sweep.ts";
import { assertNeverWrong, assertRepair, assertReport } from "./support/checks.ts";
import { type Layout, layoutOf } from "./support/layout.ts";
import { type Expected, expectedOf } from "./support/oracle.ts";
import { hundredSegments, variedSample } from "./support/samples.ts";

/** A page as a faulty disk gives it back. */
interface Fault {
  name: string;
  file: string;
  /** The whole file with that page in it. */
  bytes: Uint8Array;
}

/** All faults of one page. `earlier` are older copies of the same store. */
function* faultsOf(
  platform: MemoryPlatform,
  earlier: MemoryPlatform[],
  { file, at, size }: { file: string; at: number; size: number },
): Generator<Fault> {
  const was = platform.readFile(file);
  const end = Math.min(at + size, was.length);
  const random = new Random(at + size);
  const fill = (name: string, page: Uint8Array, target = at) => {
    const bytes = was.slice();
    bytes.set(page.subarray(0, Math.min(end - at, was.length - target)), target);
    return { name: `${name}, ${size} bytes at ${at} of ${file}`, file, bytes };
  };
  yield fill("zeros", new Uint8Array(size));
  yield fill("garbage", random.bytes(size));
  if (end < was.length) {
    const swapped = fill("swapped with the next", was.subarray(end, end + size));
    const next = Math.min(size, was.length - end);
    swapped.bytes.set(was.subarray(at, at + next), end);
    yield swapped;
    yield fill("written to the next place, too", was.subarray(at, end), end);
  }
  // Of a hundred files some will do.
  const others = platform.files().filter((path) => path !== file);
  for (const other of others.filter((_, i) => i % Math.ceil(others.length / 12) === 0)) {
    const there = platform.readFile(other).subarray(at, end);
    if (there.length > 0) yield fill(`that of ${other}`, there);
  }
  for (const [i, older] of earlier.entries()) {
    if (!older.files().includes(file)) continue;
    const there = older.readFile(file).subarray(at, end);
    const page = new Uint8Array(end - at);
    page.set(there);
    yield fill(`stale, as at moment ${i}`, page);
  }
}

/** What a fault must lead to. The image of the index is derived; LOCK's text is advice. */
async function expectedAfter(layout: Layout, { name, file }: Fault, platform: MemoryPlatform): Promise<Expected> {
  const expected = expectedOf(layout, platform);
  if (file.endsWith("INDEX")) {
    const { problems, notes } = await verifyOn(platform, DIRECTORY, {});
    assertEquals(problems, [], name);
    assert(notes.every(({ file }) => file === "INDEX" || layout.segments.some((one) => one.name === file)), name);
    return { ...expected, notes };
  }
  if (!file.endsWith("MANIFEST")) return expected;
  const problem = { file: "MANIFEST", offset: 0, length: platform.readFile(file).length };
  const { problems, notes } = await verifyOn(platform, DIRECTORY, {});
  assertEquals(problems, [{ ...problem, reason: problems[0]!.reason }], name);
  return { ...expected, problems, notes, damaged: ["MANIFEST"] };
}

/** Tries every page of a store, or one in `stride`, with every fault. Repairs one in `repairStride`. */
async function tryPages(
  layout: Layout,
  earlier: MemoryPlatform[],
  { sizes, stride, repairStride }: { sizes: number[]; stride: number; repairStride: number },
): Promise<void> {
  const counts: Record<string, number> = { faults: 0, harmless: 0, repaired: 0 };
  let page = 0;
  const isDue = turns();
  for (const file of layout.platform.files()) {
    const was = layout.platform.readFile(file);
    for (const size of sizes) {
      for (let at = 0; at < was.length; at += size) {
        if (page++ % stride > 0) continue;
        for (const fault of faultsOf(layout.platform, earlier, { file, at, size })) {
          if (!isDue() || fault.bytes.every((byte, i) => byte === was[i])) continue;
          const platform = copyOf(layout.platform);
          platform.writeFile(file, fault.bytes);
          counts.faults!++;
          const expected = await expectedAfter(layout, fault, platform);
          await assertReport(platform, expected, fault.name);
          const outcome = await assertNeverWrong(platform, expected, fault.name);
          counts[outcome] = (counts[outcome] ?? 0) + 1;
          if (counts.faults! % repairStride > 0) continue;
          counts.repaired!++;
          await assertRepair(platform, expected, fault.name);
        }
      }
    }
  }
  console.log(counts);
}

for (const isClean of [true, false]) {
  const name = isClean ? "closed cleanly" : "crashed";

  Deno.test(`pages zeroed, garbage, swapped and stale: ${name}`, async () => {
    await withSeed(7, async () => {
      const moments = await variedSample(isClean);
      await tryPages(layoutOf(moments.pop()!), moments, { sizes: [512, 4096], stride: 1, repairStride: 1 });
    });
  });

  Deno.test(`pages of a hundred segments zeroed, garbage, swapped and stale: ${name}`, async () => {
    await withSeed(8, async () => {
      const moments = await hundredSegments(isClean);
      const layout = layoutOf(moments.pop()!);
      assert(layout.segments.length >= 100);
      await tryPages(layout, moments, { sizes: [512, 4096], stride: 97, repairStride: 40 });
    });
  });
}
