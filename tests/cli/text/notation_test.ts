import { assertEquals, assertThrows } from "@std/assert";
import type { Key, Value } from "../../../mod.ts";
import { InputError } from "../../../src/cli/command_line/errors.ts";
import { entryLine, keyText, parseBase64, parseEntry } from "../../../src/cli/text/notation.ts";
import { escaped } from "../../../src/cli/text/printable.ts";

const entries: [Key, Value, string][] = [
  ["k", "text", '{"key":"k","value":"text"}'],
  ["", "", '{"key":"","value":""}'],
  ["k", 7, '{"key":"k","value":7}'],
  ["k", null, '{"key":"k","value":null}'],
  ["k", [1, "a"], '{"key":"k","value":[1,"a"]}'],
  ["k", new Uint8Array([0, 255]), '{"key":"k","value":{"base64":"AP8="}}'],
  ["k", new Uint8Array(), '{"key":"k","value":{"base64":""}}'],
  [new Uint8Array([255]), "v", '{"key":{"base64":"/w=="},"value":"v"}'],
  ["k", { base64: "AP8=" }, '{"key":"k","value":{"json":{"base64":"AP8="}}}'],
  ["k", { json: 1 }, '{"key":"k","value":{"json":{"json":1}}}'],
  ["k", { base64: 1, json: 2 }, '{"key":"k","value":{"base64":1,"json":2}}'],
  ["k", { json: { base64: "" } }, '{"key":"k","value":{"json":{"json":{"base64":""}}}}'],
  ["k", "\ud800", '{"key":"k","value":"\\ud800"}'],
  ["\u2028", "\ufeff\n", '{"key":"\u2028","value":"\ufeff\\n"}'],
];

Deno.test("cli notation: what an export writes, an import reads back", () => {
  for (const [key, value, line] of entries) {
    assertEquals(entryLine(key, value), line);
    assertEquals(parseEntry(line), { type: "set", key, value, expiresAt: undefined });
    const expiring = `${line.slice(0, -1)},"expiresAt":1800000000000}`;
    assertEquals(entryLine(key, value, 1_800_000_000_000), expiring);
    assertEquals(parseEntry(expiring), { type: "set", key, value, expiresAt: 1_800_000_000_000 });
  }
});

Deno.test("cli notation: any JSON may stand in a json wrapper", () => {
  assertEquals(parseEntry('{"value":{"json":[1]},"key":"k"}'), {
    type: "set",
    key: "k",
    value: [1],
    expiresAt: undefined,
  });
});

Deno.test("cli notation: a line that is no entry says what was wanted", () => {
  const bad: [line: string, message: string][] = [
    ["{", "not JSON"],
    ["7", "wanted an object"],
    ["[]", "wanted an object"],
    ["null", "wanted an object"],
    ["{}", 'no "value"'],
    ['{"value":1}', 'no "key"'],
    ['{"key":"k"}', 'no "value"'],
    ['{"key":7,"value":1}', "the key is neither"],
    ['{"key":{"base64":"?"},"value":1}', "the key is neither"],
    ['{"key":{"json":"k"},"value":1}', "the key is neither"],
    ['{"key":"k","value":{"base64":"AP8"}}', "not base64"],
    ['{"key":"k","value":{"base64":7}}', "not base64"],
    ['{"key":"k","value":1e999}', "too large"],
    ['{"key":"k","value":1,"ttl":5}', 'unknown field "ttl"'],
    ...["-1", "1.5", '"5"', "null", "1e300"].map((at): [string, string] => [
      `{"key":"k","value":1,"expiresAt":${at}}`,
      "milliseconds",
    ]),
    ['{"key":"k","value":1,"__proto__":5}', 'unknown field "__proto__"'],
    ['{"key":"\\ud800","value":1}', "lone surrogate"],
    [`{"key":"${"é".repeat(32_768)}","value":1}`, "65536 bytes"],
  ];
  for (const [line, message] of bad) assertThrows(() => parseEntry(line), InputError, message);
});

Deno.test("cli notation: base64 has one form", () => {
  assertEquals(parseBase64("AP8="), new Uint8Array([0, 255]));
  for (const text of ["AP8", "AP8=\n", "AP9=", "A", "-_==", 7]) assertEquals(parseBase64(text), undefined);
});

Deno.test("cli notation: listed keys are on one line and no two look alike", () => {
  assertEquals(keyText("a b"), "a b");
  assertEquals(keyText("a\nb\t\x00\x7f\u0085\u2028"), "a\\nb\\t\\u0000\\u007f\\u0085\\u2028");
  assertEquals(keyText("a\\nb"), "a\\\\nb");
  assertEquals(keyText(new Uint8Array([0x61])), "a");
  assertEquals(keyText(new Uint8Array([255])), "base64:/w==");
  assertEquals(keyText("base64:/w=="), "\\u0062ase64:/w==");
  assertEquals(keyText("日本"), "日本");
  assertEquals(escaped("\ud800x"), "\\ud800x");
});
