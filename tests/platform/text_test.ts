import { assertEquals } from "@std/assert";
import { encodeUtf8 } from "../../src/platform/text.ts";

Deno.test("text is written as TextEncoder writes it, and nothing else is touched", () => {
  const texts = [
    "",
    "a",
    "x".repeat(48),
    "x".repeat(49),
    "x".repeat(47) + "é",
    "é".repeat(48),
    "\u{10000}",
    "\0\x7f\x80",
    "a\u{ffff}b",
  ];
  for (const text of texts) {
    const expected = new TextEncoder().encode(text);
    const target = new Uint8Array(5 + 3 * text.length + 5).fill(0xee);
    assertEquals(encodeUtf8(text, target, 5), expected.length);
    assertEquals(target.slice(5, 5 + expected.length), expected);
    assertEquals(target.slice(0, 5), new Uint8Array(5).fill(0xee));
    assertEquals(target.at(-1), 0xee);
  }
});
