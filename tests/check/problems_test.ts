import { assertEquals } from "@std/assert";
import { list, MAX_LISTED, MAX_RANGES, merged, problemOf } from "../../src/check/problems.ts";
import { encodeManifest, MANIFEST_NAME } from "../../src/engine/manifest.ts";
import { repairOn } from "../../src/check/repair.ts";
import { verifyOn } from "../../src/check/verify.ts";
import { readManifest } from "../../src/store/directory.ts";
import { KvStore } from "../../src/store.ts";
import type { Problem } from "../../src/types.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

Deno.test("problems: a list holds the first thousand, and says how many more there are", () => {
  const problems: Problem[] = [];
  for (let i = 0; i < MAX_LISTED; i++) list(problems, problemOf(`${i}`, "damaged"));
  assertEquals([problems.length, problems.at(-1)!.reason], [MAX_LISTED, "damaged"]);
  for (let i = 1; i <= 5; i++) {
    list(problems, problemOf(`more ${i}`, "damaged"));
    assertEquals(problems.length, MAX_LISTED + 1);
    assertEquals(problems.at(-1), problemOf(`more ${i}`, `the last of ${i} more that are not listed`));
  }
});

Deno.test("problems: however many ranges there are, a thousand cover them all", () => {
  const ranges = Array.from({ length: 5000 }, (_, i): [number, number] => [10 * i, 10 * i + 1]);
  const few = merged(ranges.toReversed());
  assertEquals(few.length, MAX_RANGES);
  assertEquals([few[0], few.at(-2), few.at(-1)], [[0, 1], [9980, 9981], [9990, 49_991]]);
  assertEquals(merged([[5, 6], [1, 2], [3, 4], [9, 8]]), [[1, 6]]);
});

Deno.test("problems: a forged manifest of missing segments is reported in bounded lists, with a listing or two", async () => {
  const platform = new MemoryPlatform();
  const store = await KvStore.openOn(platform, "/data", {});
  await store.set("key", 1);
  await store.close();
  const manifest = readManifest(platform, "/data")!;
  const count = 20_000;
  for (let number = 2; number <= count; number++) {
    const sequence = 10 * number;
    const numbers = { lowestSequence: sequence, highestSequence: sequence + 1, currentAsOf: 0 };
    manifest.segments.push({ number, salt: number, sealedBytes: 1000, ...numbers });
  }
  Object.assign(manifest.segments[0]!, { sealedBytes: manifest.mark.offset, lowestSequence: 1, highestSequence: 1 });
  Object.assign(manifest, { nextSegment: count + 1, nextSequence: 11 * count, mark: { segment: 0, offset: 0 } });
  platform.writeFile(`/data/${MANIFEST_NAME}`, encodeManifest(manifest));
  const counts = new Map<string, number>();
  platform.onOperation = ({ kind }) => void counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const { problems } = await verifyOn(platform, "/data", {});
  const report = await repairOn(platform, "/data", { dryRun: true });
  for (const list of [problems, report.problems]) {
    assertEquals(list.length, MAX_LISTED + 1);
    assertEquals(list.at(-1)!.reason, `the last of ${count - 1 - MAX_LISTED} more that are not listed`);
  }
  assertEquals(report.lostSequences.length, MAX_RANGES);
  assertEquals(report.lostSequences.at(-1)![1], 10 * count + 1);
  const most = Math.max(counts.get("list")!, counts.get("open")!);
  assertEquals(most < 40, true, `${most} calls`);
});
