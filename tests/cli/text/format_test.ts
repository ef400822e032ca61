import { assertEquals } from "@std/assert";
import { counted, displayWidth, fitted, grouped, humanBytes, painter } from "../../../src/cli/text/format.ts";

Deno.test("cli format: bytes in the unit that suits them", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [10 * 1024, "10 KiB"],
    [64 * 1024 ** 2, "64 MiB"],
    [3.5 * 1024 ** 3, "3.5 GiB"],
    [5000 * 1024 ** 4, "5000 TiB"],
  ];
  for (const [bytes, text] of cases) assertEquals(humanBytes(bytes), text);
});

Deno.test("cli format: numbers", () => {
  assertEquals([0, 999, 1000, 1234567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
  assertEquals([counted(1, "key"), counted(0, "key"), counted(2, "entry", "entries")], [
    "1 key",
    "0 keys",
    "2 entries",
  ]);
});

Deno.test("cli format: texts take the columns they take on a terminal", () => {
  assertEquals(["abc", "日本", "e\u0301", "👍", "ä"].map(displayWidth), [3, 4, 1, 2, 1]);
  assertEquals(fitted("abc", 5), "abc  ");
  assertEquals(fitted("abcdef", 4), "abc…");
  assertEquals(fitted("日本語", 4), "日… ");
  assertEquals(fitted("日本", 4), "日本");
});

Deno.test("cli format: no colour leaves texts as they are", () => {
  assertEquals(painter(false)("bad", "x"), "x");
  assertEquals(painter(true)("live", "x"), "\x1b[32mx\x1b[0m");
  assertEquals(painter(true)("plain", "x"), "x");
});
