/**
 * Holds the interface of Deno KV on this store against the cases of its conformance suite.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { KvU64, openKv } from "../../src/kv/mod.ts";
import { cases, runCase } from "./support/conformance.ts";

// Each case has a name of its own.
assertEquals(new Set(cases.map(({ name }) => name)).size, cases.length);

for (const one of cases) {
  Deno.test({
    name: `kv: ${one.name}`,
    permissions: "none",
    fn: () => runCase({ open: () => openKv(":memory:"), KvU64, inspect: Deno.inspect }, one),
  });
}
