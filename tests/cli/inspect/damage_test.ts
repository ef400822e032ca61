/** A picture is wanted most when something is wrong: no damage may keep it from being drawn, or be left out of it. */

import { assert, assertEquals } from "@std/assert";
import { KvStoreError } from "../../../mod.ts";
import { painter } from "../../../src/cli/format.ts";
import { collect } from "../../../src/cli/inspect/collect.ts";
import { pageData } from "../../../src/cli/inspect/page_data.ts";
import { collectPicture } from "../../../src/cli/inspect/pictures.ts";
import type { PictureData } from "../../../src/cli/inspect/data.ts";
import { surveyOn } from "../../../src/store/open_log.ts";
import { copyOf } from "../../crash/disk.ts";
import type { MemoryPlatform } from "../../support/memory_platform.ts";
import { DIRECTORY, storeOf } from "./support.ts";

const OPTIONS = { cells: 100, cellsOfSegment: 50, steps: 10, records: 1000, nowMs: 0 };

function drawn(platform: MemoryPlatform): PictureData {
  const survey = surveyOn(platform, DIRECTORY);
  try {
    return pageData(survey, collect(survey, OPTIONS), { directory: "d", nowMs: 0, hasValues: false });
  } finally {
    survey.close();
  }
}

function filesOf(platform: MemoryPlatform): string[] {
  return platform.list(DIRECTORY).filter((name) => name !== "LOCK").map((name) => `${DIRECTORY}/${name}`);
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
      let data: PictureData;
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
  const { text } = await collectPicture(survey, { directory: "d", width: 80, paint: painter(false) });
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
