/**
 * What the README says is to be typed, and what it shows, holds as it stands there.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { canUseDisk } from "../support/permissions.ts";

/**
 * The first program was a SyntaxError on Node 20 and 22, which have no `await using`: only compiled copies of it had been
 * run there. The package's tests run it as it stands now, on every runtime; this one needs none.
 */
Deno.test({
  name: "README: its programs are what the oldest Node takes, but for types",
  ignore: !canUseDisk,
  async fn() {
    const [{ default: ts }, { readmePrograms, withoutTypes }] = await Promise.all([
      import("typescript"),
      import("../../scripts/npm/readme.ts"),
    ]);
    const programs = readmePrograms();
    assertEquals(programs.length, 5);
    for (const program of programs) assertEquals(withoutTypes(program, ts.ScriptTarget.ES2022), withoutTypes(program));
  },
});
