import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { UsageError } from "../../../src/cli/command_line/errors.ts";
import { quoted, splitLine, wordsOf } from "../../../src/cli/shell/words.ts";
import { testProperty } from "../../property/support/property.ts";

Deno.test("cli shell words: quotes and backslashes as in the shells of Unix", () => {
  const cases: [line: string, words: string[]][] = [
    ["", []],
    [" \t ", []],
    ["  get  a\t", ["get", "a"]],
    [`set a 'b  c' "d 'e'"`, ["set", "a", "b  c", "d 'e'"]],
    [`a''"b"'c' '' ""`, ["abc", "", ""]],
    [`"a\\"b\\\\c\\$d\\n" 'a\\'`, [`a"b\\c$d\\n`, "a\\"]],
    [String.raw`$'a\nb\tc\\d\'e\u00e9' $'\q' a$'b' $x $`, ["a\nb\tc\\d'eé", "\\q", "ab", "$x", "$"]],
    [String.raw`a\ b \' \\ \é`, ["a b", "'", "\\", "é"]],
    [`set k '{"name":"Ada"}' --type json`, ["set", "k", '{"name":"Ada"}', "--type", "json"]],
    ["list user:* # | > ; &", ["list", "user:*", "#", "|", ">", ";", "&"]],
  ];
  for (const [line, words] of cases) assertEquals(wordsOf(line), words, line);
});

Deno.test("cli shell words: a line that is not complete is refused, and still taken apart", () => {
  const cases: [line: string, lacks: string, last: string, start: number][] = [
    ["get 'us er", "a '", "us er", 4],
    ['get "a\\"', 'a "', 'a"', 4],
    ["get $'a\\'", "a '", "a'", 4],
    ["get a\\", "a character after \\", "a", 4],
    ["get b'c", "a '", "bc", 4],
  ];
  for (const [line, lacks, text, start] of cases) {
    const found = splitLine(line);
    assertEquals([found.lacks, found.words.at(-1)], [lacks, { text, start, end: line.length }], line);
    assertThrows(() => wordsOf(line), UsageError, `lacks ${lacks}`);
  }
});

Deno.test("cli shell words: what needs no quotes gets none", () => {
  assertEquals(["user:1", "a b", "it's", "", "a\nb", "é", "user:*"].map(quoted), [
    "user:1",
    "'a b'",
    `'it'\\''s'`,
    "''",
    "$'a\\nb'",
    "é",
    "'user:*'",
  ]);
});

const ODD = [" ", "'", '"', "\\", "$", "\n", "\t", "\r", "\u202e", "\x1b", "*", "u0041", "n", "a", "é", "😀", "\ud800"];

testProperty(import.meta.url, "cli shell words: whatever is quoted comes back as one word, on one line that prints", {
  of: fc.oneof(fc.string({ unit: fc.constantFrom(...ODD), maxLength: 8 }), fc.string({ unit: "grapheme" })),
  holds: (text) => {
    const line = quoted(text);
    assertEquals(wordsOf(`${line} ${line}`), [text, text]);
    assertEquals(/[\p{Cc}\p{Zl}\p{Zp}]/u.test(line), false);
  },
});
