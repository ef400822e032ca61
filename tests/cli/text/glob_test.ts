import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseGlob } from "../../../src/cli/text/glob.ts";
import { testProperty } from "../../property/support/property.ts";

Deno.test("cli glob: stars, question marks, sets and backslashes", () => {
  const cases: [pattern: string, yes: string[], no: string[]][] = [
    ["user:*", ["user:1", "user:", "user:1:name\n"], ["user", "a user:1", "User:1"]],
    ["*:name", ["user:1:name", ":name"], ["name", "user:name:1"]],
    ["u*r:*1*", ["user:1", "ur:1", "ubr:r:21x"], ["user:2", "u1"]],
    ["?", ["a", "😀", "\n"], ["", "ab"]],
    ["[a-c_][!0-9]", ["ax", "_x", "c😀"], ["dx", "a1", "a"]],
    ["[^a]", ["b", "^"], ["a", ""]],
    ["[]a]", ["]", "a"], ["b", "[]a]"]],
    ["[a-]", ["a", "-"], ["b"]],
    ["[a\\]b]", ["]", "a", "b"], ["\\", "c"]],
    ["[a", ["[a"], ["a"]],
    ["\\*\\[\\\\", ["*[\\"], ["a[\\"]],
    ["a\\", ["a\\"], ["a"]],
    ["", [""], ["a"]],
    ["**", ["", "a"], []],
  ];
  for (const [pattern, yes, no] of cases) {
    const { matches } = parseGlob(pattern);
    assertEquals([yes.filter((text) => !matches(text)), no.filter(matches)], [[], []], pattern);
  }
});

Deno.test("cli glob: what every key that matches begins with", () => {
  const cases = [["user:*", "user:"], ["*", ""], ["a\\*b?", "a*b"], ["[ab]c", ""], ["a[b", "a[b"], ["é😀*", "é😀"]];
  for (const [pattern, prefix] of cases) assertEquals(parseGlob(pattern!).prefix, prefix);
});

Deno.test("cli glob: many stars against a long text take no long time", () => {
  assertEquals(parseGlob("*a".repeat(30) + "b").matches("a".repeat(10_000)), false);
});

const letters = fc.string({ unit: fc.constantFrom("a", "b", "]", "-"), maxLength: 6 });
const patterns = fc.string({ unit: fc.constantFrom("a", "b", "*", "?", "[", "]", "!", "-", "\\"), maxLength: 7 });

testProperty(import.meta.url, "cli glob: a pattern without sets says what the regular expression for it says", {
  of: fc.record({ pattern: patterns.filter((one) => !one.includes("[")), text: letters }),
  holds: ({ pattern, text }) => {
    const source = pattern.replace(/\\([^])|([^])/g, (_, escaped, plain) => {
      if (plain === "*") return ".*";
      return plain === "?" ? "." : `\\u{${(escaped ?? plain).codePointAt(0).toString(16)}}`;
    });
    const { prefix, matches } = parseGlob(pattern);
    assertEquals(matches(text), new RegExp(`^${source}$`, "su").test(text));
    assert(!matches(text) || text.startsWith(prefix));
  },
});

testProperty(import.meta.url, "cli glob: any text is a pattern, and what matches begins with its prefix", {
  of: fc.record({ pattern: patterns, text: letters }),
  holds: ({ pattern, text }) => {
    const { prefix, matches } = parseGlob(pattern);
    assert(!matches(text) || text.startsWith(prefix));
  },
});
