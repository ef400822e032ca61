/** The command `flock`, with which Node locks: one that never ends. It takes as long as the store waits for it. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { libraryModules, runtimes, stageModules } from "../support/javascript.ts";
import { canStartProcesses } from "../support/permissions.ts";
import { processTest, run } from "../support/processes.ts";

const node = canStartProcesses ? runtimes().get("node") : undefined;

// It blocked the process that opened a store for ever.
if (node !== undefined) {
  await processTest("a command flock that hangs is killed after ten seconds, and the open is NO_LOCK", async (root) => {
    await Deno.mkdir(`${root}/stage`);
    await Deno.mkdir(`${root}/programs`);
    stageModules(libraryModules(), `${root}/stage`);
    await Deno.writeTextFile(`${root}/programs/flock`, "#!/bin/sh\nexec /bin/sleep 1000\n", { mode: 0o755 });
    const program = `
      import { KvStore } from "${root}/stage/mod.js";
      await KvStore.open("${root}/store").catch(({ code, message }) => console.log(code, message));
      const store = await KvStore.open("${root}/store", { lock: false });
      await store.set("a", 1);
      await store.close();
      console.log("written");
    `;
    const begun = performance.now();
    const command = ["env", `PATH=${root}/programs`, node, "--input-type=module", "--eval", program];
    const { code, out, err } = await run(command);
    const tookMs = performance.now() - begun;
    assertEquals([code, err], [0, ""]);
    assertStringIncludes(out, "NO_LOCK ");
    assertStringIncludes(out, "the command 'flock' did not end within 10 s");
    assertStringIncludes(out, "written");
    assert(tookMs > 10_000 && tookMs < 20_000, `${tookMs} ms`);
  });
}
