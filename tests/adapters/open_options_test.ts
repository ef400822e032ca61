import { assertEquals } from "@std/assert";
import { openOptionsIn } from "../../src/adapters/open_options.ts";

// Each adapter had a list of its own, and neither had `strictJson`: it was dropped without a word.
Deno.test("adapters: options of the store are passed on, those of others and unset ones are not", () => {
  const options = { strictJson: true, durability: "write", readOnly: undefined, base: "./data", ttl: 5 } as const;
  assertEquals(openOptionsIn(options), { strictJson: true, durability: "write" });
});
