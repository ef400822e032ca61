import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { KvStoreError } from "../../mod.ts";
import { compareBytes, startsWith, toHex } from "../../src/bytes.ts";
import { decodeKey, encodeKey, type KvKey, type KvKeyPart } from "../../src/kv/keys.ts";
import { testProperty } from "../property/support/property.ts";
import { KEYS } from "./support/keys.ts";
import { shape } from "./support/shape.ts";

const fromHex = (digits: string) => Uint8Array.from(digits.split(" ").filter(Boolean), (byte) => parseInt(byte, 16));

Deno.test("kv keys: each kind of part has its bytes, comes back, and stands in its order", () => {
  let last = new Uint8Array();
  for (const [key, digits] of KEYS) {
    const bytes = encodeKey(key);
    assertEquals(toHex(bytes), digits.replaceAll(" ", ""), shape(key));
    assertEquals(shape(decodeKey(bytes)), shape(key));
    const buffer = Buffer.from(bytes);
    assertEquals([shape(decodeKey(buffer)), buffer.equals(bytes)], [shape(key), true], "from a Buffer, left as it was");
    assert(compareBytes(last, bytes) < 0, shape(key));
    last = bytes;
  }
  assertEquals([encodeKey([]).length, decodeKey(new Uint8Array())], [0, []]);
});

Deno.test("kv keys: a lone surrogate becomes U+FFFD, a NaN is a NaN, and a view is its bytes", () => {
  assertEquals(decodeKey(encodeKey(["a\ud800b"])), ["a\ufffdb"]);
  const negative = new Float64Array(new BigUint64Array([0xfff8000000000001n]).buffer)[0]!;
  assertEquals(encodeKey([negative]), encodeKey([NaN]));
  assertEquals(decodeKey(fromHex("21 00 07 ff ff ff ff ff ff")), [NaN], "Deno writes a negative NaN so");
  const view = new Uint16Array(new Uint8Array([1, 2, 0, 4]).buffer, 2, 1);
  assertEquals(shape(decodeKey(encodeKey([view as unknown as Uint8Array]))), shape([Uint8Array.of(0, 4)]));
});

Deno.test("kv keys: a getter may encode another key meanwhile", () => {
  const key = ["before", "", "after"];
  Object.defineProperty(key, 1, { get: () => encodeKey(["other", "key"]) });
  assertEquals(decodeKey(encodeKey(key)), ["before", encodeKey(["other", "key"]), "after"]);
});

Deno.test("kv keys: what a key cannot have is refused as Deno refuses it", () => {
  const expected = "expected string, number, bigint, ArrayBufferView, boolean";
  for (const part of [null, undefined, {}, [], Symbol(), () => 1, new Date(), new ArrayBuffer(1), Object("s")]) {
    assertThrows(() => encodeKey(["a", part as string]), TypeError, expected);
  }
  // deno-lint-ignore no-sparse-arrays
  assertThrows(() => encodeKey(["a", , "b"] as unknown as KvKey), TypeError, expected);
  for (const bigint of [2n ** 2040n, -(2n ** 2040n)]) assertThrows(() => encodeKey([bigint]), TypeError, "255 bytes");
  for (const key of ["abc", 5, {}, null, undefined]) {
    assertThrows(() => encodeKey(key as unknown as KvKey), TypeError, "a key is an array of parts");
  }
  assertEquals(encodeKey(["a"]), fromHex("02 61 00"), "after a refusal");
});

Deno.test("kv keys: bytes that are no key are told, with their place", () => {
  const cases: [string, number, string][] = [
    ["00", 0, "byte 0, which no type has"],
    ["26 28", 1, "byte 40, which no type has"],
    ["0a", 0, "byte 10"],
    ["1e", 0, "byte 30"],
    ["02 61", 1, "a string has no end"],
    ["02 61 00 ff", 1, "a string has no end"],
    ["01 00 ff", 1, "a string has no end"],
    ["27 02 c3 00", 2, "not UTF-8"],
    ["02 ed a0 80 00", 1, "not UTF-8"],
    ["21 80 00 00 00 00 00 00", 1, "it ends within a part: 8 bytes are wanted"],
    ["16 01", 1, "2 bytes are wanted"],
    ["1d", 1, "1 bytes are wanted"],
    ["1d 09 01 00", 2, "9 bytes are wanted"],
    ["0b f6 fe", 2, "9 bytes are wanted"],
    ["15 00", 0, "longer than it has to be"],
    ["13 ff", 0, "longer than it has to be"],
    ["1d 01 05", 0, "longer than it has to be"],
    ["1d 09 00 01 01 01 01 01 01 01 01", 0, "longer than it has to be"],
  ];
  for (const [digits, offset, reason] of cases) {
    const error = assertThrows(() => decodeKey(fromHex(digits)), KvStoreError);
    assertEquals(error.code, "FORMAT");
    assertStringIncludes(error.message, `at byte ${offset}: `, digits);
    assertStringIncludes(error.message, reason, digits);
  }
});

const part: fc.Arbitrary<KvKeyPart> = fc.oneof(
  fc.uint8Array({ maxLength: 6 }),
  fc.array(fc.constantFrom(0, 0xff, 1), { maxLength: 6 }).map((list) => Uint8Array.from(list)),
  fc.string({ unit: "binary", maxLength: 50 }),
  fc.string({ maxLength: 6 }),
  fc.double(),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.boolean(),
);
const key = fc.array(part, { minLength: 1, maxLength: 4 });

/** What a part sorts by: its type, and then itself. */
function rank(one: KvKeyPart): number {
  return typeof one === "object" ? 0 : ["string", "bigint", "number", "boolean"].indexOf(typeof one) + 1;
}

function compareParts(a: KvKeyPart, b: KvKeyPart): number {
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (typeof a === "object") return compareBytes(a, b as Uint8Array);
  if (typeof a === "string") {
    const [left, right] = [a, b as string].map((text) => new TextEncoder().encode(text));
    return compareBytes(left!, right!);
  }
  if (Object.is(a, b)) return 0;
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) ? 1 : -1;
  if (a === b) return Object.is(a, -0) ? -1 : 1;
  return (a as number) < (b as number) ? -1 : 1;
}

testProperty(
  import.meta.url,
  "kv keys: the order of bytes is that of keys, and a prefix of a key is one of its bytes",
  {
    of: fc.tuple(key, key, fc.boolean()).map(([a, b, alike]) => [a, alike ? [...a.slice(0, -1), ...b] : b] as const),
    rounds: 1500,
    holds: ([a, b]) => {
      const [left, right] = [encodeKey(a), encodeKey(b)];
      assertEquals(shape(decodeKey(left)), shape(a));
      const differs = a.findIndex((one, i) => i >= b.length || compareParts(one, b[i]!) !== 0);
      const wanted = differs < 0
        ? a.length - b.length
        : differs >= b.length
        ? 1
        : compareParts(a[differs]!, b[differs]!);
      assertEquals(Math.sign(compareBytes(left, right)), Math.sign(wanted));
      const isPrefix = a.length <= b.length && a.every((one, i) => compareParts(one, b[i]!) === 0);
      // A 0 in a string looks like its end, but for the byte after it, with which no part begins.
      assertEquals(startsWith(right, left) && right[left.length] !== 0xff, isPrefix);
    },
  },
);

testProperty(import.meta.url, "kv keys: bytes are a key in one way alone, or none", {
  of: fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 0x0b, 0x13, 0x14, 0x15, 0x1d, 0x26, 0xff), fc.nat(255)), {
    maxLength: 12,
  }),
  rounds: 3000,
  holds: (list) => {
    const bytes = Uint8Array.from(list);
    let decoded: KvKeyPart[];
    try {
      decoded = decodeKey(bytes);
    } catch (error) {
      assertEquals((error as KvStoreError).code, "FORMAT");
      return;
    }
    // Of the NaNs there is one when keys are written.
    if (!decoded.some(Number.isNaN)) assertEquals(encodeKey(decoded), bytes);
  },
});
