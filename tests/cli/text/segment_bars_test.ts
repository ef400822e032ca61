import { assertEquals, assertStringIncludes } from "@std/assert";
import { displayWidth, painter } from "../../../src/cli/text/format.ts";
import { PARTS, sharesBar, stretchesBar } from "../../../src/cli/text/segment_bars.ts";

const plain = painter(false);

Deno.test("bars: parts have characters of their own, so that they are told apart without colour", () => {
  const characters = Object.values(PARTS).map(({ character }) => character);
  assertEquals(new Set(characters).size, characters.length);
  for (const character of characters) assertEquals(displayWidth(character), 1);
});

Deno.test("bars: shares fill exactly the width, and what is there at all shows", () => {
  for (const width of [1, 3, 5, 40, 200]) {
    for (const shares of [{ live: 1 }, { live: 1, stale: 1e9 }, { live: 5, stale: 3, tombstone: 1, free: 2 }]) {
      const bar = sharesBar(shares, width, plain);
      assertEquals(bar.length, width);
      if (width < 4) continue;
      for (const part of Object.keys(shares) as (keyof typeof PARTS)[]) {
        assertStringIncludes(bar, PARTS[part].character);
      }
    }
  }
  assertEquals(sharesBar({}, 10, plain), "");
});

Deno.test("bars: colours do not change the characters", () => {
  const stretches = ["live", "live", "stale", "damaged", "tombstone", "free"] as const;
  // deno-lint-ignore no-control-regex
  const uncoloured = stretchesBar(stretches, painter(true)).replaceAll(/\x1b\[[0-9;]*m/g, "");
  assertEquals(uncoloured, stretchesBar(stretches, plain));
  assertEquals(uncoloured, "██░!▒·");
});
