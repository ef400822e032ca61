/**
 * What this repository relies on in the packages that scripts/offline stands in for. `deno task jsr:test` runs the same
 * against the published ones, so the two cannot drift apart in what matters here.
 */

import {
  assert,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { ProgressBar } from "@std/cli/unstable-progress-bar";
import { walk } from "@std/fs/walk";

const passing: (() => void)[] = [
  () => assert(1),
  () => assertFalse(""),
  () => assertEquals({ a: [new Uint8Array([1])], z: -0 }, { a: [new Uint8Array([1])], z: 0 }),
  () => assertEquals(new Map([["a", { b: 1 }]]), new Map([["a", { b: 1 }]])),
  () => assertEquals(NaN, NaN),
  () => assertNotEquals<unknown>({ a: undefined }, {}),
  () => assertNotEquals<unknown>(new Uint8Array([1]), [1]),
  () => assertNotEquals(new Map([["a", { b: 1 }]]), new Map([["a", { b: 2 }]])),
  () => assertNotEquals(new RangeError("a"), new RangeError("b")),
  () => assertStrictEquals("a", "a"),
  () => assertExists(0),
  () => assertStringIncludes("abc", "b"),
  () => assertArrayIncludes([{ a: 1 }, { a: 2 }], [{ a: 2 }]),
  () => assertMatch("abc", /b/),
  () => assertInstanceOf(new RangeError("r"), Error),
  () => assertGreater(2, 1),
  () => assertGreaterOrEqual(2, 2),
  () => assertLess(1, 2),
  () => assertLessOrEqual(2, 2),
];

const failing: [() => void, string][] = [
  [() => assert(0, "said"), "said"],
  [() => assertFalse(1, "said"), "said"],
  [() => assertEquals([1, 2], [1, 3], "said"), "Values are not equal: said"],
  [() => assertEquals("a\nb", "a\nc"), "Values are not equal."],
  [() => assertNotEquals({ a: 1 }, { a: 1 }), "not to be"],
  [() => assertStrictEquals<unknown>([], []), "Values"],
  [() => assertExists(null), "null or undefined"],
  [() => assertStringIncludes("abc", "x"), `Expected actual: "abc" to contain: "x"`],
  [() => assertArrayIncludes([1, 2], [3]), "missing"],
  [() => assertMatch("abc", /x/), `Expected actual: "abc" to match: "/x/"`],
  [() => assertInstanceOf({}, Error), `Expected object to be an instance of "Error" but was "Object"`],
  [() => assertGreater(1, 1), "Expect 1 > 1"],
  [() => assertGreaterOrEqual(1, 2), "Expect 1 >= 2"],
  [() => assertLess(1, 1), "Expect 1 < 1"],
  [() => assertLessOrEqual(2, 1), "Expect 2 <= 1"],
  [() => fail("said"), "Failed assertion: said"],
  [() => assertThrows(() => {}), "Expected function to throw"],
  [() => assertThrows(() => throwing("no"), Error, "yes"), `Expected error message to include "yes", but got "no"`],
  [() => assertThrows(() => throwing("no"), RangeError), `Expected error to be instance of "RangeError"`],
];

function throwing(message: string): never {
  throw new TypeError(message);
}

Deno.test("assertions pass and fail as they should", () => {
  for (const check of passing) check();
  for (const [check, message] of failing) {
    let error: unknown;
    try {
      check();
    } catch (thrown) {
      error = thrown;
    }
    if (!(error instanceof AssertionError)) throw new Error(`${check} did not fail as an assertion: ${error}`);
    if (!error.message.includes(message)) throw new Error(`${check} said: ${error.message}`);
  }
});

Deno.test("assertThrows and assertRejects hand over the error", async () => {
  const error = new RangeError("out of range");
  assertStrictEquals(assertThrows(() => throwIt(error), RangeError, "range"), error);
  assertStrictEquals(await assertRejects(() => Promise.reject(error), Error, "out"), error);
  assertStrictEquals(await assertRejects(() => Promise.reject(error)), error);
  await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError, "Expected function to reject");
  await assertRejects(() => assertRejects(() => throwIt(error)), AssertionError, "throws when expected to reject");
  await assertRejects(() => assertRejects(() => Promise.reject(1), Error), AssertionError, "non-Error");
});

function throwIt(error: Error): never {
  throw error;
}

Deno.test("an unequal value shows where it differs", () => {
  const error = assertThrows(() => assertEquals({ same: 1, other: 2 }, { same: 1, other: 3 }), AssertionError);
  assertMatch(error.message, /-.*other: 2/);
  assertMatch(error.message, /\+.*other: 3/);
});

Deno.test("parseArgs", () => {
  const args = parseArgs(
    ["-q", "--dir=x", "--tag", "a", "set", "--no-color", "007", "--limit", "5", "--tag=b", "--", "-5", ""],
    {
      boolean: ["quiet", "json", "color"],
      string: ["_", "dir", "tag", "wait"],
      collect: ["tag"],
      negatable: ["color"],
      alias: { quiet: "q" },
      default: { wait: "0" },
    },
  );
  assertEquals({ ...args }, {
    _: ["set", "007", "-5", ""] as unknown as typeof args._,
    quiet: true,
    q: true,
    json: false,
    color: false,
    dir: "x",
    tag: ["a", "b"],
    wait: "0",
    limit: 5,
  });
});

Deno.test("parseArgs: `--`, stopEarly, and unknown options", () => {
  assertEquals(parseArgs(["a", "--b", "--", "--c"], { "--": true }), { _: ["a"], b: true, "--": ["--c"] });
  assertEquals(parseArgs(["--a", "1", "b", "--c"], { stopEarly: true }), { _: ["b", "--c"], a: 1 });
  const unknown: unknown[][] = [];
  const args = parseArgs(["-xy", "--json", "p", "--zed=1", "--no-json"], {
    boolean: ["json"],
    unknown: (...call) => {
      unknown.push(call);
      return call[1] === undefined;
    },
  });
  assertEquals({ ...args }, { _: ["p"], json: true });
  assertEquals(unknown.map(([arg, key, value]) => [arg, key, value]), [
    ["-xy", "x", true],
    ["-xy", "y", true],
    ["p", undefined, undefined],
    ["--zed=1", "zed", "1"],
    ["--no-json", "no-json", true],
  ]);
});

Deno.test("ProgressBar draws on the stream it is given and leaves it open", async () => {
  let text = "";
  const decoder = new TextDecoder();
  const writable = new WritableStream<Uint8Array>({
    write: (chunk) => {
      text += decoder.decode(chunk);
    },
  });
  const bar = new ProgressBar({ max: 4096, writable, barLength: 4, interval: 10_000 });
  bar.value = 1024;
  await bar.stop();
  assertEquals(text, "\r\x1b[K[00:00] [----] [0.00/4.00 KiB]\r\x1b[K[00:00] [#---] [1.00/4.00 KiB]\n");
  const clearing = new ProgressBar({ max: 1, writable, clear: true, formatter: (f) => `${f.value}/${f.max}` });
  await clearing.stop();
  assertStringIncludes(text, "\n\r\x1b[K0/1\r\x1b[K");
  await writable.close();
});

const mayRead = (await Deno.permissions.query({ name: "read" })).state === "granted";

Deno.test({
  name: "walk lists files below a folder",
  ignore: !mayRead,
  fn: async () => {
    const here = new URL(".", import.meta.url).pathname.replace(/^\/(?=\w:)/, "");
    const paths: string[] = [];
    for await (const entry of walk(here, { includeDirs: false, exts: [".ts"], skip: [/checks_/] })) {
      paths.push(entry.path);
    }
    assert(paths.some((path) => path.endsWith("offline_test.ts")));
    assert(paths.every((path) => path.endsWith(".ts") && !path.includes("checks_")));
  },
});
