/** A program that does nothing but follow a store that another process writes. */

import { assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { canStartProcesses } from "../support/permissions.ts";
import { libraryModules, runtimes, stageModules } from "../support/javascript.ts";
import { denoRun, processTest, run } from "../support/processes.ts";

/** By runtime, what starts the program, which is staged as JavaScript in a folder. */
const STARTS = new Map<string, (folder: string) => string[]>([[
  "deno",
  () => denoRun("tests/process/support/follower.ts", []),
]]);
for (const [name, program] of canStartProcesses ? runtimes() : []) {
  STARTS.set(name, (folder) => [program, `${folder}/tests/process/support/follower.js`]);
}

for (const [name, commandIn] of STARTS) {
  await processTest(
    `${name}: a program runs for as long as it waits for the change of a read-only store`,
    async (root) => {
      const folder = `${root}/stage`;
      await Deno.mkdir(folder);
      stageModules([...libraryModules(), "tests/process/support/follower.ts"], folder);
      await using store = await KvStore.open(`${root}/store`);
      let hasEnded = false;
      const ended = run([...commandIn(folder), `${root}/store`]).finally(() => hasEnded = true);
      for (let i = 0; !hasEnded; i++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        await store.set("k", i);
      }
      assertEquals(await ended, { code: 0, out: "set\n", err: "" });
    },
  );
}
