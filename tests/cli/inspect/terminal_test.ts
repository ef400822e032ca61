import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { surveyOn } from "../../../src/check/survey.ts";
import { drawForTerminal } from "../../../src/cli/inspect/terminal.ts";
import { displayWidth, painter } from "../../../src/cli/text/format.ts";
import { DIRECTORY, storeOf, writeAtRandom } from "./support/stores.ts";

const plain = painter(false);

Deno.test("inspect: a line a segment, as wide as the terminal, and what compaction would reclaim", async () => {
  const platform = await storeOf((store) =>
    writeAtRandom(store, { seed: 3, writes: 300, clears: false, compactions: false })
  );
  for (const width of [60, 80, 200]) {
    const survey = surveyOn(platform, DIRECTORY);
    const { text, json } = await drawForTerminal(survey, { directory: "d", width, paint: plain });
    const count = survey.segments.length;
    survey.close();
    const lines = text.split("\n").filter((line) => /^ +\d+ {2}/.test(line));
    assertEquals(lines.length, count);
    for (const line of lines) assert(displayWidth(line) <= width, `${width}: ${line}`);
    assertStringIncludes(text, "kvstore compact would reclaim");
    assertEquals((json as { segments: unknown[] }).segments.length, count);
  }
});
