import { assertEquals } from "@std/assert";
import { decodeUtf8, encodeUtf8 } from "../../src/platform/text.ts";

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

Deno.test("text is read as TextDecoder reads it, from a part of the bytes", () => {
  const texts = [
    "",
    "a",
    "\ufeffa",
    "x".repeat(128),
    "x".repeat(129),
    "é".repeat(64),
    "é".repeat(65),
    "\u{10000}\0\x7f",
  ];
  for (const text of texts) {
    const encoded = new TextEncoder().encode(text);
    const bytes = new Uint8Array(3 + encoded.length + 3).fill(0x2d);
    bytes.set(encoded, 3);
    assertEquals(decodeUtf8(bytes, 3, 3 + encoded.length), text);
    assertEquals(decodeUtf8(bytes, 2, 4 + encoded.length), `-${text}-`);
  }
  const malformed = Uint8Array.of(0x61, 0xff, 0xe2, 0x82, 0x62, 0xed, 0xa0, 0x80);
  assertEquals(decodeUtf8(malformed, 0, malformed.length), new TextDecoder().decode(malformed));
});
