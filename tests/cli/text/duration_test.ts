import { assertEquals } from "@std/assert";
import { durationText, parseDuration } from "../../../src/cli/text/duration.ts";

Deno.test("cli duration: units, each at most once, the larger first", () => {
  const cases: [text: string, ms: number][] = [
    ["1ms", 1],
    ["10s", 10_000],
    ["10m", 600_000],
    ["1.5h", 5_400_000],
    ["1h30m", 5_400_000],
    ["2d3h4m5s6ms", 183_845_006],
    ["0s", 0],
  ];
  for (const [text, ms] of cases) assertEquals(parseDuration(text), ms, text);
  for (const text of ["", "10", "m", "1s1h", "1h 30m", "-1s", "1.s", "1w", "1e3s", "1h1h", "1H"]) {
    assertEquals(parseDuration(text), NaN, text);
  }
});

Deno.test("cli duration: what is printed can be typed, and loses less than a second", () => {
  const cases: [ms: number, text: string][] = [
    [1, "1ms"],
    [999, "999ms"],
    [1000, "1s"],
    [599_873, "9m59s"],
    [3_600_000, "1h"],
    [183_845_006, "2d3h4m5s"],
  ];
  for (const [ms, text] of cases) assertEquals(durationText(ms), text);
  for (let ms = 1; ms < 2 ** 52; ms = Math.ceil(ms * 1.37)) {
    const lost = ms - parseDuration(durationText(ms));
    assertEquals(lost >= 0 && lost < (ms < 1000 ? 1 : 1000), true, String(ms));
  }
});
