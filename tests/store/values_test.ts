import { assert, assertEquals, assertThrows } from "@std/assert";
import { VALUE_TYPE } from "../../src/engine/record.ts";
import { decodeValue, encodeValue } from "../../src/store/values.ts";
import type { Value } from "../../src/types.ts";

function roundTrip(value: Value): Value {
  const { type, data } = encodeValue(value);
  return decodeValue(type, typeof data === "string" ? new TextEncoder().encode(data) : data.slice());
}

Deno.test("values: text comes back exactly, lone surrogates and byte order marks too", () => {
  const texts = [
    "",
    "a",
    "\u{feff}",
    "\u{feff}\u{feff}x",
    "\u{1f600}",
    "\ud800",
    "a\udc00",
    "\udc00\ud800",
    "\0",
    "x".repeat(9000),
  ];
  for (const text of [...texts, "\ud800".repeat(40_000)]) assertEquals(roundTrip(text), text);
  assertEquals(encodeValue("plain").type, VALUE_TYPE.utf8);
  assertEquals(encodeValue("\ud800").type, VALUE_TYPE.utf16);
});

Deno.test("values: bytes come back as a copy, whatever they were a part of", () => {
  const whole = Uint8Array.of(1, 2, 3, 4);
  assertEquals<unknown>(roundTrip(whole.subarray(1, 3)), Uint8Array.of(2, 3));
  assertEquals<unknown>(roundTrip(new Uint8Array(0)), new Uint8Array(0));
  const decoded = decodeValue(VALUE_TYPE.bytes, whole) as Uint8Array;
  whole[0] = 9;
  assertEquals(decoded[0], 1);
  assert(!(roundTrip(new Uint8Array(2)) as object instanceof Array));
});

Deno.test("values: of JSON comes back what JSON makes of it", () => {
  const date = new Date(0);
  const values: Value[] = [
    null,
    true,
    0,
    -0,
    1e300,
    [],
    {},
    [undefined, Number.NaN],
    { a: undefined, b: date },
    { __proto__: 1, constructor: 2 },
    Object.assign(Object.create(null), { a: 1 }),
    { nested: [{ "": "\ud800" }] },
    { toJSON: () => 5 },
  ];
  for (const value of values) assertEquals<unknown>(roundTrip(value), JSON.parse(JSON.stringify(value)));
});

Deno.test("values: what has no JSON form at the top is a TypeError", () => {
  class Own {}
  const values = [
    undefined,
    () => 1,
    Symbol("s"),
    1n,
    Number.NaN,
    Infinity,
    -Infinity,
    new Date(),
    new Map(),
    new Own(),
    /x/,
    new Uint16Array(1),
    new ArrayBuffer(1),
    Promise.resolve(),
    { toJSON: () => undefined },
    { big: 1n },
  ];
  for (const value of values) assertThrows(() => encodeValue(value as Value), TypeError);
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  assertThrows(() => encodeValue(circle), TypeError);
});

Deno.test("values: the limit is named", () => {
  const limit = 64 * 1024 * 1024;
  assertEquals((encodeValue(new Uint8Array(limit)).data as Uint8Array).length, limit);
  assertThrows(() => encodeValue(new Uint8Array(limit + 1)), RangeError, String(limit));
  assertThrows(() => encodeValue("x".repeat(limit + 1)), RangeError, String(limit));
  assertThrows(() => encodeValue(["x".repeat(limit)]), RangeError, String(limit));
});

Deno.test("values: short bytes share a block, and never each other's place in it", () => {
  const decode = (i: number) => decodeValue(VALUE_TYPE.bytes, new Uint8Array(i % 1030).fill(i)) as Uint8Array;
  const all = Array.from({ length: 3000 }, (_, i) => decode(i));
  assert(new Set(all.map(({ buffer }) => buffer)).size < 1500);
  all.forEach((bytes, i) => {
    assertEquals([bytes.length, bytes.byteOffset % 8], [i % 1030, 0]);
    assert(bytes.every((byte) => byte === (i & 0xff)));
    bytes.fill(7);
  });
  // Whoever transfers a buffer takes the block along; that is the end of this block only.
  structuredClone(decode(9), { transfer: [decode(9).buffer as ArrayBuffer] });
  assertEquals(decode(5), Uint8Array.of(5, 5, 5, 5, 5));
});

Deno.test("values: an empty value whose buffer was transferred leaves the next one be", () => {
  // The first of a block, whatever came before.
  for (let i = 0; i < 2000; i++) {
    const empty = decodeValue(VALUE_TYPE.bytes, new Uint8Array(0)) as Uint8Array;
    structuredClone(empty, { transfer: [empty.buffer as ArrayBuffer] });
    assertEquals(decodeValue(VALUE_TYPE.bytes, new Uint8Array(0)), new Uint8Array(0));
    decodeValue(VALUE_TYPE.bytes, new Uint8Array(8));
  }
});
