import { assert, assertEquals } from "@std/assert";
import { entryLine, keyText, parseEntry } from "../../src/cli/text/notation.ts";
import { EncodedKey } from "../../src/store/keys.ts";
import { decodeKey } from "../../src/store/keys.ts";
import { encodeUtf8 } from "../../src/platform/text.ts";
import { decodeValue, encodeValue } from "../../src/store/values.ts";
import type { Key, Value } from "../../src/types.ts";
import { someBytes, someText, someUnits, testProperty } from "./support/property.ts";
import fc from "fast-check";

const key: fc.Arbitrary<Key> = fc.oneof(someText, someBytes);
/** JSON of all kinds, with what needs care: wrappers of the notation, the key __proto__, −0 and the largest numbers. */
const json = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<Value>(0, -0, 5e-324, Number.MAX_VALUE, null, [], {}, ["\ud800"], JSON.parse('{"__proto__":1}')),
  fc.dictionary(fc.constantFrom("base64", "json", "a"), fc.jsonValue({ maxDepth: 1 }), { noNullPrototype: true }),
) as fc.Arbitrary<Value>;
const long = fc.tuple(someUnits, fc.nat(40_000)).map(([units, length]) => units + "x".repeat(length) + units);
const value: fc.Arbitrary<Value> = fc.oneof(someText, someUnits, long, someBytes, json);

/** What comes back of a value. */
function kept(one: Value): Value {
  return typeof one === "string" || one instanceof Uint8Array ? one : JSON.parse(JSON.stringify(one));
}

testProperty(import.meta.url, "encoding: a value comes back", {
  of: value,
  holds(one) {
    const { type, data } = encodeValue(one);
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const found = decodeValue(type, bytes.slice());
    assertEquals(found, kept(one));
    assert(Object.is(found, kept(one)) || typeof found === "object");
  },
});

testProperty(import.meta.url, "encoding: text becomes UTF-8", {
  of: someText,
  holds(text) {
    const target = new Uint8Array(3 * text.length + 2).fill(7);
    const wanted = new TextEncoder().encode(text);
    assertEquals(encodeUtf8(text, target, 1), wanted.length);
    assertEquals(target.subarray(1, 1 + wanted.length), wanted);
    assertEquals(target[0], 7);
  },
});

testProperty(import.meta.url, "encoding: a key comes back in the form it had", {
  of: key,
  holds(one) {
    const encoded = new EncodedKey().encode(one);
    assertEquals(decodeKey(encoded.copy(), encoded.isString), one);
    if (typeof one === "string") assertEquals(encoded.copy(), new TextEncoder().encode(one));
  },
});

testProperty(import.meta.url, "notation: an exported line is read as what it was written from", {
  of: fc.tuple(key, value),
  holds([theKey, theValue]) {
    const line = entryLine(theKey, theValue);
    assert(!/[\n\r]/.test(line));
    assertEquals(parseEntry(line), { type: "set", key: theKey, value: kept(theValue), expiresAt: undefined });
  },
});

testProperty(import.meta.url, "notation: no two keys look alike in a list", {
  of: fc.oneof(fc.tuple(key, key), key.map((one): [Key, Key] => [one, keyText(one)])),
  holds([a, b]) {
    const hexOf = (one: Key) => new EncodedKey().encode(one).copy().join();
    assertEquals(keyText(a) === keyText(b), hexOf(a) === hexOf(b));
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x1f]/.test(keyText(a)));
  },
});
