/** Real processes, one after the other, on a store whose lock does not hold. */

import { assertEquals } from "@std/assert";
import { KvStore, verifyStore } from "../../mod.ts";
import { libraryModules, runtimes, stageModules } from "../support/javascript.ts";
import { denoRun, processTest } from "../support/processes.ts";
import { Holder, SCRIPT } from "./support/holding.ts";

// A script named `flock` that exits with 0 gave two writers, both without an error, and a store that could not be opened.
for (const runtime of ["deno", ...runtimes().keys()]) {
  await processTest(`${runtime}, where the lock lies: each writer that comes fails the one before`, async (root) => {
    const directory = `${root}/store`;
    const programs = `${root}/programs`;
    await Deno.mkdir(programs);
    await Deno.writeTextFile(`${programs}/flock`, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    let command = denoRun(`${SCRIPT}.ts`, [directory, "unasked"]);
    if (runtime !== "deno") {
      await Deno.mkdir(`${root}/stage`);
      stageModules([...libraryModules(), `${SCRIPT}.ts`], `${root}/stage`);
      // Node believes the script. Bun asks the C library, which does not lie.
      command = [runtimes().get(runtime)!, `${root}/stage/${SCRIPT}.js`, directory];
      if (runtime === "bun") command.push("unasked");
    }
    const acknowledged: string[] = [];
    const holders: Holder[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const holder = new Holder(command, { PATH: programs });
      assertEquals(await holder.hear(), "ok");
      holders.push(holder);
      for (let i = 0; i < 12; i++) {
        // The former one first, so that it may write into a segment that the next one goes on in.
        for (const [at, writer] of holders.entries()) {
          const key = `${turn} ${i} ${at}`;
          const answer = await writer.tell(i === 7 ? "compact" : key);
          assertEquals([turn, i, at, answer], [turn, i, at, writer === holder ? "ok" : "FAILED"]);
          if (writer === holder && i !== 7) acknowledged.push(key);
        }
      }
    }
    for (const holder of holders) {
      assertEquals(await holder.tell("close"), holder === holders.at(-1) ? "ok" : "FAILED");
      await holder.end();
    }
    assertEquals((await verifyStore(directory)).problems, []);
    const store = await KvStore.open(directory);
    assertEquals([...store.keys()], acknowledged.sort());
    await store.close();
  });
}
