/** What `kvstore inspect --html` emits is built from its sources, and committed: the two must not drift apart. */

import { assert } from "@std/assert";
import { canStartProcesses } from "../support/permissions.ts";

Deno.test({
  name: "inspect: the generated module is what its sources make, to the byte",
  ignore: !canStartProcesses,
  fn: async () => {
    const { builtModule } = await import("../../scripts/inspect_page.ts");
    const committed = Deno.readTextFileSync(new URL("../../src/cli/inspect/generated.ts", import.meta.url));
    // Not assertEquals: nobody wants to see these texts.
    assert(await builtModule() === committed, "run deno task inspect:build");
  },
});
