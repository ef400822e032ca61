import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PARTS, sharesBar, stretchesBar } from "../../../src/cli/bars.ts";
import { barsOf } from "../../../src/cli/commands/work.ts";
import { displayWidth, painter } from "../../../src/cli/format.ts";
import { collectPicture } from "../../../src/cli/inspect/pictures.ts";
import { surveyOn } from "../../../src/check/open_log.ts";
import { DIRECTORY, storeOf, writeAtRandom } from "./support.ts";

const plain = painter(false);

Deno.test("bars: parts have characters of their own, so that they are told apart without colour", () => {
  const characters = Object.values(PARTS).map(({ character }) => character);
  assertEquals(new Set(characters).size, characters.length);
  for (const character of characters) assertEquals(displayWidth(character), 1);
});

Deno.test("bars: shares fill exactly the width, and what is there at all shows", () => {
  for (const width of [1, 3, 5, 40, 200]) {
    for (const shares of [{ live: 1 }, { live: 1, stale: 1e9 }, { live: 5, stale: 3, tombstone: 1, free: 2 }]) {
      const bar = sharesBar(shares, width, plain);
      assertEquals(bar.length, width);
      if (width < 4) continue;
      for (const part of Object.keys(shares) as (keyof typeof PARTS)[]) {
        assertStringIncludes(bar, PARTS[part].character);
      }
    }
  }
  assertEquals(sharesBar({}, 10, plain), "");
});

Deno.test("bars: colours do not change the characters", () => {
  const stretches = ["live", "live", "stale", "damaged", "tombstone", "free"] as const;
  // deno-lint-ignore no-control-regex
  const uncoloured = stretchesBar(stretches, painter(true)).replaceAll(/\x1b\[[0-9;]*m/g, "");
  assertEquals(uncoloured, stretchesBar(stretches, plain));
  assertEquals(uncoloured, "██░!▒·");
});

Deno.test("stats: a bar a segment, to scale, within the width of the terminal; of very many the middle is left out", () => {
  const segment = (number: number, endBytes: number, sealed = true) => {
    return {
      number,
      sealed,
      endBytes,
      liveBytes: endBytes * 5 / 8,
      expiredBytes: endBytes / 8,
      staleBytes: endBytes / 4,
      tombstoneBytes: endBytes / 8,
      graveBytes: endBytes / 8,
    };
  };
  for (const width of [20, 80, 133, 300]) {
    const lines = barsOf([segment(1, 4000), segment(2, 2000), segment(3, 400, false)], { width, paint: plain }).split(
      "\n",
    );
    const bars = lines.slice(0, 3).map((line) => /[█░▒·]+/.exec(line)![0]);
    for (const line of lines) assert(line.length <= Math.max(width, 50), line);
    assert(Math.abs(bars[1]!.length - bars[0]!.length / 2) <= 1, "to scale");
    assertEquals(bars[2]!.length, bars[0]!.length, "the one being written has room");
    assertStringIncludes(bars[2]!, "·");
    assertEquals(bars[0]!.includes("·"), false);
  }
  const many = barsOf(Array.from({ length: 500 }, (_, i) => segment(i + 1, 1000)), { width: 80, paint: plain });
  assertStringIncludes(many, "436 segments more");
  assert(many.split("\n").length < 80);
});

Deno.test("inspect: a line a segment, as wide as the terminal, and what compaction would win", async () => {
  const platform = await storeOf((store) =>
    writeAtRandom(store, { seed: 3, writes: 300, clears: false, compactions: false })
  );
  for (const width of [60, 80, 200]) {
    const survey = surveyOn(platform, DIRECTORY);
    const { text, json } = await collectPicture(survey, { directory: "d", width, paint: plain });
    const count = survey.segments.length;
    survey.close();
    const lines = text.split("\n").filter((line) => /^ +\d+ {2}/.test(line));
    assertEquals(lines.length, count);
    for (const line of lines) assert(displayWidth(line) <= width, `${width}: ${line}`);
    assertStringIncludes(text, "kvstore compact would win");
    assertEquals((json as { segments: unknown[] }).segments.length, count);
  }
});
