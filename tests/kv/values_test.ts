import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import v8 from "node:v8";
import { KvStoreError } from "../../mod.ts";
import { toHex } from "../../src/bytes.ts";
import { isU64, KvU64 } from "../../src/kv/u64.ts";
import { decodeValue, encodeValue, sizeOfValue } from "../../src/kv/values.ts";
import { testProperty } from "../property/support/property.ts";
import { REFUSED } from "./support/refused.ts";
import { shape } from "./support/shape.ts";
import { VALUES, WRITTEN_IN_TWO_WAYS } from "./support/values.ts";

const ascii = (text: string) => Array.from(text, (one) => one.charCodeAt(0));
const encoded = (...parts: (number | string)[]) =>
  Uint8Array.from([0xff, 15, ...parts.flatMap((one) => typeof one === "string" ? ascii(one) : [one])]);

/** Whether V8's own module writes a value as we do: it keeps views in a way of its own. */
const isPlain = (value: unknown) => !/Array (\d|\[object)|DataView/.test(shape(value));

Deno.test("kv values: each kind comes back, with what it shares and the order of its properties", () => {
  for (const [name, value] of Object.entries(VALUES)) {
    assertEquals(shape(decodeValue(encodeValue(value))), shape(value), name);
    // Not every offset is even, what stands around a value does not matter, and a Buffer's `slice` is no copy.
    const bytes = encodeValue(value);
    const around = Buffer.alloc(bytes.length + 2, 0x30);
    around.set(bytes, 1);
    const decoded = decodeValue(around.subarray(1, -1));
    around.fill(0);
    assertEquals(shape(decoded), shape(value), `${name} at an odd offset of a Buffer`);
  }
});

Deno.test("kv values: the bytes are those of V8's own serialiser, each reads the other's", () => {
  for (const [name, value] of Object.entries(VALUES)) {
    if (!isPlain(value)) continue;
    const theirs = v8.serialize(value);
    assertEquals(shape(decodeValue(new Uint8Array(theirs))), shape(value), name);
    assertEquals(shape(v8.deserialize(Buffer.from(encodeValue(value)))), shape(value), name);
    if (!WRITTEN_IN_TWO_WAYS.includes(name)) {
      assertEquals(toHex(encodeValue(value)), toHex(new Uint8Array(theirs)), name);
    }
  }
});

Deno.test("kv values: bytes alone and KvU64 are told apart, and take in a limit what they take in Deno", () => {
  const whole = Uint8Array.of(1, 2, 3, 4);
  const cases: [unknown, unknown, number][] = [
    [whole.subarray(1, 3), Uint8Array.of(2, 3), 2],
    [Buffer.from("ab"), Uint8Array.of(97, 98), 2],
    [new Uint8Array(0), new Uint8Array(0), 0],
    [new KvU64(2n ** 64n - 1n), new KvU64(2n ** 64n - 1n), 8],
    [new KvU64(0n), new KvU64(0n), 8],
    ["a", "a", 5],
  ];
  for (const [value, expected, size] of cases) {
    const bytes = encodeValue(value);
    const decoded = decodeValue(bytes);
    assertEquals([shape(decoded), isU64(decoded), sizeOfValue(bytes)], [shape(expected), isU64(expected), size]);
    if (decoded instanceof Uint8Array) assert(decoded.buffer !== bytes.buffer && !Buffer.isBuffer(decoded));
  }
  assertEquals(shape(decodeValue(encodeValue({ a: new KvU64(3n) }))), shape({ a: { value: 3n } }), "inside, as Deno");
});

Deno.test("kv values: a KvU64 of another copy of the class is one, and checks its number", () => {
  class Other {
    constructor(public value: bigint) {}
    get [Symbol.toStringTag]() {
      return "Deno.KvU64";
    }
  }
  const decoded = decodeValue(encodeValue(new Other(7n)));
  assert(decoded instanceof KvU64 && decoded.value === 7n);
  assertThrows(() => encodeValue(new Other(-1n)), RangeError, "Value must be a positive bigint");
  assertThrows(() => new KvU64(2n ** 64n), RangeError, "Value must fit in a 64-bit unsigned integer");
  assertThrows(() => new KvU64(1 as unknown as bigint), TypeError, "Value must be a bigint: received number");
  for (
    const other of [{ [Symbol.toStringTag]: "Deno.KvU64", value: 1n }, new Other(1 as unknown as bigint), null, 1n]
  ) {
    assert(!isU64(other));
  }
  assertEquals([Deno.inspect(new KvU64(3n)), String(new KvU64(3n)), Object.isFrozen(decoded)], [
    "[Deno.KvU64: 3n]",
    "3",
    true,
  ]);
});

Deno.test("kv values: what structured clone refuses is refused, and the next value is written well", () => {
  for (const [name, make] of Object.entries({ ...REFUSED, "shared buffer": () => new SharedArrayBuffer(2) })) {
    const kind = name === "getter that throws" ? RangeError : TypeError;
    assertThrows(() => encodeValue(make()), kind, undefined, name);
    assertThrows(() => encodeValue([new Map([[{ a: 1 }, make()]])]), kind, undefined, name);
    assertEquals(toHex(encodeValue([1])), "ff0f410149022400" + "01", name);
  }
  const error = assertThrows(() => encodeValue({ a: () => 1 }), TypeError);
  assertEquals(error.message, "()=>1 could not be cloned.".replace("()=>1", String(() => 1)));
});

Deno.test("kv values: a getter may write another value meanwhile", () => {
  const inner: Uint8Array[] = [];
  const value = {
    before: "before",
    get middle() {
      inner.push(encodeValue({ text: "x".repeat(5000) }));
      return "middle";
    },
    after: "after",
  };
  assertEquals(decodeValue(encodeValue(value)), { before: "before", middle: "middle", after: "after" });
  assertEquals(decodeValue(inner[0]!), { text: "x".repeat(5000) });
});

Deno.test("kv values: versions 13 to 16 are read, others are told", () => {
  const buffer = [..."B\u0002\u0001\u0002"].join("");
  const views = (version: number, ...flags: number[]) =>
    Uint8Array.from([0xff, version, ...ascii(buffer), ...ascii("VB"), 1, 1, ...flags]);
  const expected = shape(new Uint8Array(Uint8Array.of(1, 2).buffer, 1, 1));
  assertEquals(shape(decodeValue(views(13))), expected, "without flags");
  for (const version of [14, 15, 16]) assertEquals(shape(decodeValue(views(version, 0))), expected);
  for (const version of [0, 12, 17, 127]) {
    const error = assertThrows(() => decodeValue(views(version, 0)), KvStoreError, `version ${version} of the format`);
    assertEquals(error.code, "FORMAT");
  }
});

Deno.test("kv values: what other writers of the format may write is read", () => {
  const cases: [Uint8Array, unknown][] = [
    [encoded("U", 0xff, 0xff, 0xff, 0xff, 0x0f), 2 ** 32 - 1],
    [encoded("S", 3, 0xe6, 0x97, 0xa5), "日"],
    [encoded("S", 4, 0xef, 0xbb, 0xbf, "a"), "\ufeffa"],
    [encoded(0, 0, "T"), true],
    [encoded("A", 2, "-T$", 0, 2), [, true]],
    [encoded("oU", 5, "T{", 1), { 5: true }],
    [encoded("Z", 0x10, 1, 0, 0, 0, 0, 0, 0, 0), 1n],
    [encoded("Z", 0x08, 1, 0, 0, 0), 1n],
  ];
  for (const [bytes, value] of cases) assertEquals(shape(decodeValue(bytes)), shape(value), toHex(bytes));
});

Deno.test("kv values: nested up to a depth on writing as on reading; deeper is an error, not an overflow", () => {
  for (
    const around of [(one: unknown) => [one], (one: unknown) => ({ one }), (one: unknown) => new Map([[one, one]])]
  ) {
    let value: unknown = 1;
    for (let i = 0; i < 1000; i++) value = around(value);
    const bytes = encodeValue(value);
    assertEquals(encodeValue(decodeValue(bytes)), bytes);
    assertThrows(() => encodeValue(around(value)), RangeError, "nested more than 1000 deep");
  }
  for (const opening of [["o", '"', 0], ["A", 1], [";"], ["'"], ["rc"], ["a", 1, "I", 0]]) {
    const nested = Buffer.concat([encoded(), Buffer.alloc(1e6, encoded(...opening).subarray(2))]);
    assertThrows(() => decodeValue(nested), KvStoreError, "nested more than 1000 deep");
  }
});

Deno.test("kv values: what stands side by side is not nested", () => {
  for (const make of [() => ({}), () => [], () => [,], () => new Map(), () => new Set(), () => new Error("m")]) {
    const value = Array.from({ length: 1500 }, make);
    assertEquals(shape(decodeValue(encodeValue(value))), shape(value));
  }
});

Deno.test("kv values: a long array of holes takes no memory for them", () => {
  const length = [0x80, 0x87, 0xa7, 0x0e];
  const arrays = Array.from({ length: 250 }, () => ["a", ...length, "@", 0, ...length]).flat();
  const decoded = decodeValue(encoded("A", 0xfa, 0x01, ...arrays, "$", 0, 0xfa, 0x01)) as unknown[][];
  assertEquals([decoded.length, decoded[249]!.length, Object.keys(decoded[0]!)], [250, 30_000_000, []]);
});

Deno.test("kv values: a property called __proto__ is one, also where it is a setter of every object", () => {
  const setter = Object.getOwnPropertyDescriptor(Object.prototype, "__proto__");
  // Deno has taken it away.
  Object.defineProperty(Object.prototype, "__proto__", {
    configurable: true,
    set(this: object, value: object) {
      Object.setPrototypeOf(this, value);
    },
  });
  try {
    const decoded = decodeValue(encodeValue(VALUES["own proto"])) as object;
    assertEquals([Object.hasOwn(decoded, "__proto__"), Object.getPrototypeOf(decoded)], [true, Object.prototype]);
  } finally {
    if (setter) Object.defineProperty(Object.prototype, "__proto__", setter);
    else Reflect.deleteProperty(Object.prototype, "__proto__");
  }
});

Deno.test("kv values: a resizable buffer and its views come back; one that could grow without end is refused", () => {
  const make = (length: number, maxByteLength: number) =>
    new (ArrayBuffer as new (length: number, options: object) => ArrayBuffer)(length, { maxByteLength });
  const buffer = make(4, 16);
  const value = [buffer, new Uint8Array(buffer, 1, 2)];
  assertEquals(shape(decodeValue(encodeValue(value))), shape(value));
  // V8 marks views whose length follows that of their buffer.
  const bytes = encoded("A", 1, "~", 2, 8, 1, 2, "VB", 0, 2, 3, "$", 0, 1);
  const [view] = decodeValue(bytes) as [Uint8Array];
  (view!.buffer as ArrayBuffer & { resize(length: number): void }).resize(5);
  assertEquals(view!.length, 5);
  assertThrows(() => encodeValue([make(1, 2 ** 27), make(1, 2 ** 28)]), TypeError, "more memory");
});

Deno.test("kv values: no length in the bytes is believed", () => {
  const huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
  const many = (count: number, ...parts: (number | string)[]) =>
    encoded("A", 0xff, 0x3f, ...Array.from({ length: count }, () => parts).flat());
  const cases: Record<string, Uint8Array> = {
    "string": encoded('"', ...huge, "a"),
    "two-byte string": encoded("c", ...huge, "a"),
    "odd two-byte string": encoded("c", 3, "abc"),
    "name": encoded('o"', ...huge, "a"),
    "bigint": encoded("Z", ...huge, 1),
    "array": encoded("A", ...huge, "T"),
    "array of less than it says": encoded("A", 5, "TTT$", 0, 3),
    "buffer": encoded("B", ...huge, 1),
    "resizable buffer": encoded("~", 1, ...huge, 1),
    "resizable buffers": many(8000, "~", 0, 0xff, 0xff, 0x3f),
    "sparse arrays": many(8000, "a", 0xa0, 0x8d, 0x06, "@", 0, 0xa0, 0x8d, 0x06),
    "sparse arrays without end": many(8000, "a", ...huge, "@", 0, ...huge),
    "length as a property": encoded("A", 0, '"', 6, "lengthI", 100, "$", 1, 0),
    "element past the end": encoded("a", 2, "I", 8, "T@", 1, 2),
    "view past the buffer": encoded("B", 2, 1, 2, "VB", 1, 2, 0),
    "view of half an element": encoded("B", 4, 1, 2, 3, 4, "VW", 0, 3, 0),
    "unaligned view": encoded("B", 4, 1, 2, 3, 4, "VW", 1, 2, 0),
    "view of no class": encoded("B", 2, 1, 2, "Vx", 0, 2, 0),
    "reference to nothing": encoded("^", 0),
    "regular expression": encoded('R"', 1, "(", 0),
    "flags of no regular expression": encoded('R"', 1, "a", 0x80, 0x04),
    "count": encoded("o{", 1),
    "map without a value": encoded(";T:", 1),
    "number of more than 32 bits": encoded("U", 0xff, 0xff, 0xff, 0xff, 0x1f),
    "number that has no end": encoded("I", 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
    "object of Deno's own": encoded("\\", ...huge, "o{", 0),
    "more than a value": encoded("TT"),
    "nothing": encoded(),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    const before = performance.now();
    const error = assertThrows(() => decodeValue(bytes), KvStoreError, undefined, name);
    assertEquals(error.code, "FORMAT", name);
    assertStringIncludes(error.message, "not a value of a Kv, at byte ", name);
    if (/^sparse|buffers$/.test(name)) assertStringIncludes(error.message, "more memory", name);
    assert(performance.now() - before < 2000, name);
  }
  for (const bytes of [[], [2], [2, 1], [0x30], [0xfe, 15]]) {
    assertThrows(() => decodeValue(Uint8Array.from(bytes)), KvStoreError, "not a value of a Kv");
  }
});

/** Decodes bytes that may be anything: what comes is a value or the one error. */
function decodesOrTells(bytes: Uint8Array): void {
  try {
    decodeValue(bytes);
  } catch (error) {
    assertEquals((error as KvStoreError).code, "FORMAT", `${error}`);
  }
}

Deno.test("kv values: every cut is told, and every changed byte is a value or an error", () => {
  for (const [name, value] of Object.entries(VALUES)) {
    const bytes = encodeValue(value);
    const step = Math.ceil(bytes.length / 60);
    for (let i = 0; i < bytes.length; i += step) {
      // A buffer that views follow is a value, too.
      const isWhole = bytes.includes(0x56, i) && bytes[2] === 0x42 && i === 4 + bytes[3]!;
      if (!isWhole) {
        assertThrows(() => decodeValue(bytes.subarray(0, i)), KvStoreError, undefined, `${name}, ${i} bytes`);
      }
      for (const change of [1, 0x20, 0x80, 0xff]) {
        const changed = Uint8Array.from(bytes);
        changed[i]! ^= change;
        decodesOrTells(changed);
      }
    }
  }
});

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withBoxedValues: true,
  withSparseArray: true,
  withTypedArray: true,
  withNullPrototype: true,
  withUnicodeString: true,
  maxDepth: 4,
});

testProperty(import.meta.url, "kv values: whatever is generated comes back, also by V8's own serialiser", {
  of: fc.array(anything, { maxLength: 3 }),
  rounds: 500,
  holds: (list) => {
    // What stands twice is one object twice.
    const value = [...list, list, list[0]];
    const bytes = encodeValue(value);
    assertEquals(shape(decodeValue(bytes)), shape(value));
    assertEquals(shape(decodeValue(bytes)), shape(structuredClone(value)));
    if (!isPlain(value)) return;
    assertEquals(shape(v8.deserialize(Buffer.from(bytes))), shape(value));
    assertEquals(shape(decodeValue(new Uint8Array(v8.serialize(value)))), shape(value));
  },
});

testProperty(import.meta.url, "kv values: bytes that are anything at all are a value or an error", {
  of: fc.array(fc.oneof(fc.constantFrom(...ascii("\0-_0TFIUNZS\"c^o{a@A$DyxnzsR;:',B~Vr"), 1, 2, 3), fc.nat(255)), {
    maxLength: 40,
  }),
  rounds: 3000,
  holds: (list) => decodesOrTells(encoded(...list)),
});
