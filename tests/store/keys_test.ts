import { assertEquals, assertThrows } from "@std/assert";
import { decodeKey, EncodedKey } from "../../src/store/keys.ts";
import type { Key } from "../../src/types.ts";

function encode(key: Key): number[] {
  return Array.from(new EncodedKey().encode(key).copy());
}

const TEXTS = [
  "",
  "a",
  "ä",
  "\0",
  "\u{feff}x",
  "\u{ffff}",
  "\u{10000}",
  "x".repeat(32),
  "x".repeat(33),
  "é".repeat(200),
];

Deno.test("keys: text and its UTF-8 bytes are the same, and both come back as they were given", () => {
  for (const text of TEXTS) {
    const bytes = new TextEncoder().encode(text);
    assertEquals(encode(text), Array.from(bytes));
    assertEquals(encode(bytes), Array.from(bytes));
    assertEquals(decodeKey(bytes, true), text);
    assertEquals<unknown>(decodeKey(bytes, false), bytes);
    assertEquals([new EncodedKey().encode(text).isString, new EncodedKey().encode(bytes).isString], [true, false]);
  }
});

Deno.test("keys: one object encodes one key after the other, long and short", () => {
  const key = new EncodedKey();
  for (const text of ["x".repeat(65_535), "", "short", "é".repeat(20_000), "a"]) {
    assertEquals(new TextDecoder().decode(key.encode(text).copy()), text);
    assertEquals(key.start, 0);
  }
  // A caller's bytes are never written to.
  const mine = Uint8Array.of(1, 2, 3);
  key.encode(mine);
  key.encode("other");
  assertEquals(Array.from(mine), [1, 2, 3]);
});

Deno.test("keys: the limit counts bytes, not characters", () => {
  assertEquals(encode("x".repeat(65_535)).length, 65_535);
  assertEquals(encode(new Uint8Array(65_535)).length, 65_535);
  assertEquals(encode("é".repeat(32_767)).length, 65_534);
  for (const key of ["x".repeat(65_536), "é".repeat(32_768), "\u{10000}".repeat(16_384), new Uint8Array(65_536)]) {
    assertThrows(() => encode(key), RangeError, "65535");
  }
});

Deno.test("keys: what is no key is a TypeError", () => {
  for (const text of ["\ud800", "a\udc00b", "\udc00\ud800"]) assertThrows(() => encode(text), TypeError, "surrogate");
  const others = [
    undefined,
    null,
    1,
    true,
    {},
    [],
    new Uint16Array(1),
    new ArrayBuffer(1),
    new DataView(new ArrayBuffer(1)),
  ];
  for (const other of others) assertThrows(() => encode(other as Key), TypeError, "a key is");
});

Deno.test("keys: what comes back aliases nothing", () => {
  const bytes = Uint8Array.of(1, 2);
  const key = decodeKey(bytes, false) as Uint8Array;
  bytes[0] = 9;
  const next = decodeKey(bytes, false) as Uint8Array;
  assertEquals(Array.from(key), [1, 2]);
  key.fill(7);
  assertEquals(Array.from(next), [9, 2]);
});
