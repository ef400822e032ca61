/** A picture is wanted most when something is wrong: no damage may keep it from being drawn, or be left out of it. */

import { assert, assertEquals } from "@std/assert";
import { KvStore, KvStoreError } from "../../../mod.ts";
import { surveyOn } from "../../../src/check/survey.ts";
import { encodeManifest } from "../../../src/engine/manifest.ts";
import { readManifest } from "../../../src/store/directory.ts";
import { collect } from "../../../src/cli/inspect/collect.ts";
import type { LogSummary } from "../../../src/cli/inspect/log_summary.ts";
import { summarize } from "../../../src/cli/inspect/summarize.ts";
import { drawForTerminal } from "../../../src/cli/inspect/terminal.ts";
import { painter } from "../../../src/cli/text/format.ts";
import { copyOf, newMachine } from "../../crash/support/disk.ts";
import type { MemoryPlatform } from "../../support/memory_platform.ts";
import { DIRECTORY, storeOf } from "./support/stores.ts";

const OPTIONS = { cells: 100, cellsOfSegment: 50, steps: 10, records: 1000, nowMs: 0 };

function drawn(platform: MemoryPlatform): LogSummary {
  const survey = surveyOn(platform, DIRECTORY);
  try {
    return summarize(survey, collect(survey, OPTIONS), { directory: "d", nowMs: 0, hasValues: false });
  } finally {
    survey.close();
  }
}

function filesOf(platform: MemoryPlatform): string[] {
  return platform.list(DIRECTORY).filter((name) => name !== "LOCK" && name !== "RESERVE").map((name) =>
    `${DIRECTORY}/${name}`
  );
}

const small = () =>
  storeOf(async (store) => {
    await store.set("a", "one");
    await store.set("b", "two");
    await store.set("a", "three");
    await store.delete("b");
  });

Deno.test("inspect damage: with any byte of any file flipped there is a picture, and what is damaged shows in it", async () => {
  const platform = await small();
  assertEquals(drawn(platform).damages, 0);
  for (const path of filesOf(platform)) {
    const bytes = platform.readFile(path);
    const isDerived = path.endsWith("INDEX");
    for (let at = 0; at < bytes.length; at++) {
      const copy = copyOf(platform);
      const flipped = bytes.slice();
      flipped[at]! ^= 0x10;
      copy.writeFile(path, flipped);
      let data: LogSummary;
      try {
        data = drawn(copy);
      } catch (error) {
        // A version or feature from the future.
        assert(error instanceof KvStoreError && error.code === "FORMAT", `${path} at ${at}: ${error}`);
        continue;
      }
      assertEquals(data.damages > 0, !isDerived, `${path} at ${at}: ${data.damages} damages`);
      assert(Object.values(data.bytes).every((bytes) => bytes >= 0), `${path} at ${at}: ${JSON.stringify(data.bytes)}`);
    }
  }
});

Deno.test("inspect damage: with any file cut short anywhere, or missing, there is a picture", async () => {
  const platform = await small();
  for (const path of filesOf(platform)) {
    const bytes = platform.readFile(path);
    for (let length = 0; length < bytes.length; length++) {
      const copy = copyOf(platform);
      copy.writeFile(path, bytes.slice(0, length));
      assertEquals(drawn(copy).damages > 0, !path.endsWith("INDEX"), `${path} cut to ${length}`);
    }
    const copy = copyOf(platform);
    copy.remove(path);
    assertEquals(drawn(copy).damages > 0, !path.endsWith("INDEX"), `${path} missing`);
  }
});

Deno.test("inspect damage: a damaged value is neither live nor stale, and the characters show it", async () => {
  const platform = await small();
  const path = filesOf(platform).find((name) => name.endsWith(".seg"))!;
  const bytes = platform.readFile(path);
  const at = new TextDecoder("latin1").decode(bytes).indexOf("three");
  bytes[at]! ^= 1;
  platform.writeFile(path, bytes);
  const { bytes: byState, recordData, compaction } = drawn(platform);
  assertEquals([byState.live, byState.damaged], [0, 24 + 1 + 5]);
  assertEquals(recordData.damaged.map((record) => recordData.sequence[record]).length, 1);
  assertEquals(compaction, [], "what cannot be read cannot be copied");
  const survey = surveyOn(platform, DIRECTORY);
  const { text } = await drawForTerminal(survey, { directory: "d", width: 80, paint: painter(false) });
  survey.close();
  assert(text.includes("!") && text.includes("! damaged") && text.includes("1 place damaged"), text);
});

Deno.test("inspect damage: a torn tail is unused, and no damage", async () => {
  const platform = await small();
  const survey = surveyOn(platform, DIRECTORY);
  const { name } = survey.segments.at(-1)!;
  survey.close();
  const path = `${DIRECTORY}/${name}`;
  const bytes = platform.readFile(path);
  const torn = new Uint8Array(bytes.length + 10);
  torn.set(bytes);
  platform.writeFile(path, torn);
  const data = drawn(platform);
  assertEquals([data.damages, data.bytes.unused], [0, 10]);
});

Deno.test("inspect damage: a damaged value that had been superseded counts as damaged alone", async () => {
  const platform = await small();
  const path = filesOf(platform).find((name) => name.endsWith(".seg"))!;
  const bytes = platform.readFile(path);
  const { bytes: before, series } = drawn(platform);
  bytes[new TextDecoder("latin1").decode(bytes).indexOf("one")]! ^= 1;
  platform.writeFile(path, bytes);
  const length = 24 + 1 + 3;
  const damaged = drawn(platform);
  assertEquals(damaged.bytes, { ...before, stale: before.stale - length, damaged: length });
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  assertEquals(sum(damaged.series.died), sum(series.died) - length);
});

Deno.test("inspect damage: of a crashed store the records count up to the first bad byte, and no half of a batch", async () => {
  const platform = newMachine();
  const store = await KvStore.openOn(platform, DIRECTORY, { compaction: { auto: false } });
  await store.set("a", "value", { durability: "write" });
  const before = platform.readFile(`${DIRECTORY}/00000001.seg`).length;
  await store.batch([{ type: "set", key: "b", value: "1" }, { type: "set", key: "c", value: "22" }], {
    durability: "write",
  });
  const crashed = copyOf(platform);
  await store.close();
  const path = `${DIRECTORY}/00000001.seg`;
  const bytes = crashed.readFile(path);
  const batch = [24 + 1 + 1, 24 + 1 + 2];
  assertEquals([drawn(crashed).keys, drawn(crashed).bytes.unused], [3, 0]);
  for (let length = before; length < before + batch[0]! + batch[1]!; length++) {
    const copy = copyOf(crashed);
    copy.writeFile(path, bytes.slice(0, length));
    const { keys, bytes: byState, damages } = drawn(copy);
    assertEquals([keys, byState.unused, damages], [1, length - before, 0], `cut to ${length}`);
  }
  const copy = copyOf(crashed);
  const flipped = bytes.slice();
  flipped[before + 25]! ^= 1;
  copy.writeFile(path, flipped);
  assertEquals([drawn(copy).keys, drawn(copy).damages], [1, 0], "what lies behind the first bad byte does not count");
});

Deno.test("inspect damage: a missing file, however large a forged manifest says it was, asks for no more cells", async () => {
  const platform = await small();
  const manifest = readManifest(platform, DIRECTORY)!;
  const number = manifest.nextSegment++;
  const numbers = { lowestSequence: 1, highestSequence: 1, currentAsOf: 0 };
  manifest.segments.push({ number, salt: 1, sealedBytes: 2 ** 20, ...numbers });
  platform.writeFile(`${DIRECTORY}/MANIFEST`, encodeManifest(manifest));
  const survey = surveyOn(platform, DIRECTORY);
  const counts = collect(survey, OPTIONS).segments.map(({ cells }) => cells.count);
  survey.close();
  assert(Math.max(...counts) <= OPTIONS.cells, `${counts} cells`);
});

Deno.test("inspect damage: files that are missing share their cells, however many a manifest lists", async () => {
  const platform = await small();
  const manifest = readManifest(platform, DIRECTORY)!;
  const numbers = { lowestSequence: 1, highestSequence: 1, currentAsOf: 0 };
  for (let i = 0; i < 100; i++) {
    manifest.segments.push({ number: manifest.nextSegment++, salt: 1, sealedBytes: 2 ** 20 + i, ...numbers });
  }
  platform.writeFile(`${DIRECTORY}/MANIFEST`, encodeManifest(manifest));
  const survey = surveyOn(platform, DIRECTORY);
  const { segments } = collect(survey, OPTIONS);
  survey.close();
  const [there, missing] = [true, false].map((is) => segments.filter(({ segment }) => (segment !== undefined) === is));
  assertEquals(new Set(there!.map(({ cells }) => cells)).size, there!.length);
  assert(new Set(missing!.map(({ cells }) => cells)).size <= 2);
});
