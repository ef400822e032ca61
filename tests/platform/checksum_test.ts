import { assertEquals } from "@std/assert";
import { crc32, crc32Pair, reseeded } from "../../src/platform/checksum.ts";

Deno.test("the checksum is CRC-32, and goes on from a seed", () => {
  const digits = new TextEncoder().encode("123456789");
  assertEquals(crc32(digits), 0xcbf43926);
  assertEquals(crc32(digits.subarray(4), crc32(digits.subarray(0, 4))), 0xcbf43926);
  assertEquals(crc32(new Uint8Array(0), 0xfedcba98), 0xfedcba98);
});

Deno.test("two checksums side by side are those of each piece alone, however long", () => {
  const bytes = new Uint8Array(1024).map((_, i) => (i * 131) ^ (i >>> 3));
  const buffer = { bytes, view: new DataView(bytes.buffer) };
  // Up to 100 bytes on Deno, and 200 on Node, are short.
  const lengths = Array.from({ length: 205 }, (_, length) => length).filter((length) => length <= 104 || length >= 196);
  for (const seed of [0, 1, 0x80000000, 0xfedcba98]) {
    for (const first of lengths) {
      for (const second of lengths) {
        const middle = 3 + first;
        const end = middle + second;
        const wanted = { first: crc32(bytes, seed, 3, middle), second: crc32(bytes, seed, middle, end) };
        assertEquals({ ...crc32Pair(buffer, seed, 3, middle, end) }, wanted, `${first} and ${second} bytes`);
      }
    }
  }
});

Deno.test("a checksum is carried over to another seed without its bytes", () => {
  const bytes = new Uint8Array(70_000).map((_, i) => (i * 131) ^ (i >>> 7));
  for (const length of [0, 1, 2, 3, 7, 8, 100, 255, 4096, 65_537, 70_000]) {
    for (const [from, to] of [[0, 1], [0xfedcba98, 0], [0x80000000, 0x7fffffff], [5, 5]] as const) {
      const crc = crc32(bytes, from, 0, length);
      assertEquals(reseeded(crc, length, from ^ to), crc32(bytes, to, 0, length), `${length} bytes`);
    }
  }
});
