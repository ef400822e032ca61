import { assert, assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../../../src/cli/command_line/errors.ts";
import { parseJson } from "../../../src/cli/text/json_text.ts";

function refusal(text: string, outerLevels = 0): string {
  return assertThrows(() => parseJson(text, { outerLevels }), InputError).message;
}

const nested = (levels: number, inside = "") => "[".repeat(levels) + inside + "]".repeat(levels);

Deno.test("cli json: is as deep as a value may be, and is refused beyond, whatever its strings hold", () => {
  for (const outerLevels of [0, 2]) {
    for (const inside of ["", '"[[["', '"\\"[[["', '"\\\\",[]', JSON.stringify("[{\\".repeat(2000))]) {
      const levels = 998 + outerLevels;
      assertEquals(parseJson(nested(levels, inside), { outerLevels }), JSON.parse(nested(levels, inside)));
    }
    assertEquals(refusal(nested(1001 + outerLevels), outerLevels), refusal(nested(50_000)));
  }
  const wide = JSON.stringify(Array.from({ length: 5000 }, (_, i) => ({ i, "]": [] })));
  assertEquals(parseJson(wide, { outerLevels: 0 }), JSON.parse(wide));
  for (const text of ["[".repeat(900), `${"[".repeat(900)}"`, '["'.repeat(600), '"\\', `${"[]".repeat(5000)}"\\"`]) {
    assert(refusal(text).startsWith("not JSON ("), text.slice(0, 20));
  }
});

// A line of 60 MB of `[` took `import` minutes and gigabytes, and no signal ended it.
Deno.test("cli json: what no value can be is refused before it is parsed", () => {
  const { parse } = JSON;
  JSON.parse = () => {
    throw new Error("it was parsed");
  };
  try {
    for (const piece of ["[", '{"a":', '[{"":']) {
      assertEquals(refusal(piece.repeat(200_000)), "nested too deep; a value may be nested 1000 levels deep");
    }
    // 64 MiB of commas alone.
    const wide = `[${"1,".repeat(2 ** 26)}1]`;
    assertEquals(refusal(wide), "too many values in one; a value may have 67108864 bytes as JSON");
  } finally {
    JSON.parse = parse;
  }
});
