import { assert, assertEquals } from "@std/assert";
import { compareBytes, getUint53, isWellFormed, sameBytes, setUint53, startsWith, toHex } from "../src/bytes.ts";

Deno.test("bytes: whole numbers up to 2^53 - 1 come back, larger ones as Infinity", () => {
  const view = new DataView(new ArrayBuffer(12));
  for (const value of [0, 1, 255, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, Number.MAX_SAFE_INTEGER]) {
    setUint53(view, 3, value);
    assertEquals(getUint53(view, 3), value);
    assertEquals(view.getBigUint64(3, true), BigInt(value), "little-endian, 64 bits");
  }
  for (const value of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
    view.setBigUint64(3, value, true);
    assertEquals(getUint53(view, 3), Infinity);
  }
});

Deno.test("bytes: order is that of unsigned bytes, unlike that of JavaScript's strings", () => {
  const sorted = [[], [0], [0, 0], [0, 1], [1], [127], [128], [255], [255, 0], [255, 255]].map((bytes) =>
    Uint8Array.from(bytes)
  );
  for (const [i, a] of sorted.entries()) {
    for (const [j, b] of sorted.entries()) {
      assertEquals([Math.sign(compareBytes(a, b)), sameBytes(a, b)], [Math.sign(i - j), i === j]);
    }
  }
  const [low, high] = ["\u{ffff}", "\u{10000}"].map((text) => new TextEncoder().encode(text));
  assert(compareBytes(low!, high!) < 0 && "\u{ffff}" > "\u{10000}");
});

Deno.test("bytes: a prefix is found where it is asked for, and not past the end", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const found = (prefix: number[], start?: number) => startsWith(bytes, Uint8Array.from(prefix), start);
  assertEquals([found([]), found([1, 2]), found([1, 2, 3]), found([2, 3], 1), found([], 3)], Array(5).fill(true));
  assertEquals([found([2]), found([1, 2, 3, 0]), found([3, 0], 2), found([1], 1), found([0], 3)], Array(5).fill(false));
});

Deno.test("bytes: hexadecimal digits, and what UTF-8 can hold", () => {
  assertEquals(toHex(Uint8Array.of(0, 1, 0x0f, 0xa0, 255)), "00010fa0ff");
  assertEquals(["", "a", "\u{10000}", "\ud800", "\udc00\ud800"].map(isWellFormed), [true, true, true, false, false]);
});
