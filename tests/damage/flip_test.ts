/**
 * Every byte of every file of a small store damaged, in ten ways: never a wrong value, and reports that name the damage
 * exactly. Prints where the damage was met.
 *
 * @module
 */

import { isDeepStrictEqual } from "node:util";
import { assert, assertEquals } from "@std/assert";
import { verifyOn } from "../../src/check/verify.ts";
import { copyOf } from "../crash/support/disk.ts";
import { DIRECTORY } from "../crash/support/scenario.ts";
import { turns } from "../support/sweep.ts";
import { assertNeverWrong, assertRepair, assertReport } from "./support/checks.ts";
import { type Layout, layoutOf } from "./support/layout.ts";
import { type Expected, expectedOf } from "./support/oracle.ts";
import { shortSample } from "./support/samples.ts";

/** All single bits, all bits at once, and a page that was zeroed. */
const PATTERNS: ((byte: number) => number)[] = [
  ...[1, 2, 4, 8, 16, 32, 64, 128, 255].map((mask) => (byte: number) => byte ^ mask),
  () => 0,
];

/** Where damage was met first, by kind of file. */
type Counts = Record<"flips" | "at open" | "at get" | "by verify alone" | "torn tail" | "harmless", number>;

const noCounts = (): Counts => ({
  flips: 0,
  "at open": 0,
  "at get": 0,
  "by verify alone": 0,
  "torn tail": 0,
  harmless: 0,
});

/** What a damaged file must lead to: the oracle knows the segments, and of the others all is simple. */
async function expectedAfter(layout: Layout, file: string, platform: Layout["platform"]): Promise<Expected> {
  const expected = expectedOf(layout, platform);
  if (!file.endsWith("MANIFEST")) return expected;
  const { problems, notes } = await verifyOn(platform, DIRECTORY, {});
  const length = platform.readFile(file).length;
  assert(
    problems.length === 1 && /^(checksum of the manifest|not a manifest)/.test(problems[0]!.reason),
    problems[0]?.reason,
  );
  assertEquals(problems[0], { file: "MANIFEST", offset: 0, length, reason: problems[0]!.reason });
  return { ...expected, problems, notes, damaged: ["MANIFEST"] };
}

async function flip(layout: Layout, file: string, at: number, pattern: (byte: number) => number, counts: Counts) {
  const { contents: intact } = expectedOf(layout, layout.platform);
  const platform = copyOf(layout.platform);
  const bytes = platform.readFile(file);
  const original = bytes[at]!;
  bytes[at] = pattern(original);
  if (bytes[at] === original) return;
  counts.flips++;
  platform.writeFile(file, bytes);
  const where = `byte ${at} of ${file} is ${bytes[at]}, was ${original}`;
  const expected = await expectedAfter(layout, file, platform);
  await assertReport(platform, expected, where);
  const outcome = await assertNeverWrong(platform, expected, where);
  if (outcome !== "right") counts[outcome]++;
  else counts[isDeepStrictEqual(expected.contents, intact) ? "harmless" : "torn tail"]++;
}

/** Every byte of a file; of the reserve, whose bytes mean nothing, one of each page. */
function* placesIn({ platform }: Layout, file: string): Generator<number> {
  const step = file.endsWith("RESERVE") ? 4096 : 1;
  for (let at = 0; at < platform.readFile(file).length; at += step) yield at;
}

for (const isClean of [true, false]) {
  const name = isClean ? "closed cleanly" : "crashed";

  Deno.test(`every byte of every file damaged: ${name}`, async () => {
    const layout = layoutOf((await shortSample(isClean)).platform);
    const table: Record<string, Counts> = {};
    const isDue = turns();
    for (const file of layout.platform.files()) {
      const counts = table[file.slice(DIRECTORY.length + 1)] = noCounts();
      for (const at of placesIn(layout, file)) {
        for (const pattern of PATTERNS) if (isDue()) await flip(layout, file, at, pattern, counts);
      }
    }
    console.table(table);
  });

  Deno.test(`repair after every byte was damaged: ${name}`, async () => {
    const layout = layoutOf((await shortSample(isClean)).platform);
    const isDue = turns();
    for (const file of layout.platform.files()) {
      for (const at of placesIn(layout, file)) {
        if (!isDue()) continue;
        const platform = copyOf(layout.platform);
        const bytes = platform.readFile(file);
        bytes[at] = bytes[at]! ^ (1 << at % 8);
        platform.writeFile(file, bytes);
        await assertRepair(platform, await expectedAfter(layout, file, platform), `byte ${at} of ${file} damaged`);
      }
    }
  });
}
