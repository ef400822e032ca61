/** A program whose descriptors are closed by somebody else: the numbers are given out again, to other files. */

import { assert, assertEquals } from "@std/assert";
import { KvStore, verifyStore } from "../../mod.ts";
import { canStartProcesses } from "../support/permissions.ts";
import { libraryModules, runtimes, stageModules } from "../support/javascript.ts";
import { processTest, run } from "../support/processes.ts";

const NEED = { what: "/proc/self/fd", command: () => ["test", "-d", "/proc/self/fd"] };

// Deno gives out no descriptors that could be closed.
for (const [name, program] of canStartProcesses ? runtimes() : []) {
  await processTest(
    `descriptors closed behind the back of ${name}: refused, what was acknowledged stays`,
    async (root) => {
      await Deno.mkdir(`${root}/stage`);
      stageModules([...libraryModules(), "tests/process/support/closed.ts"], `${root}/stage`);
      const { code, out, err } = await run([program, `${root}/stage/tests/process/support/closed.js`, `${root}/store`]);
      assertEquals([code, err], [0, ""]);
      const { acknowledged, codes } = JSON.parse(out);
      assert(acknowledged.length >= 20 && codes.length > 0, out);
      for (const one of codes) assert(["IO", "FAILED", "CORRUPT"].includes(one), out);
      const store = await KvStore.open(`${root}/store`, { create: false });
      for (const key of acknowledged) assertEquals(store.get(key), "v".repeat(900), key);
      await store.close();
      assertEquals((await verifyStore(`${root}/store`)).problems, []);
    },
    NEED,
  );
}
