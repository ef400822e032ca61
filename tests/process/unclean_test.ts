/** Programs that never close their store: Ctrl-C, `deno --watch`, `process.exit()`. */

import { assert, assertEquals } from "@std/assert";
import { KvStore, verifyStore } from "../../mod.ts";
import { denoRun, processTest, run } from "../support/processes.ts";

const STARTS = 20;
/** Seven small ones, what they were merged into, what is being written, and what recovery copies. */
const MOST_SEGMENTS = 11;

await processTest("twenty starts that set one key and exit leave a few segments", async (root) => {
  const directory = `${root}/store`;
  for (let i = 0; i < STARTS; i++) {
    const { code, err } = await run(denoRun("tests/process/support/unclean.ts", [directory, `key ${i}`]));
    assertEquals([code, err], [0, ""]);
  }
  const store = await KvStore.open(directory, { readOnly: true });
  assert(store.stats().segments <= MOST_SEGMENTS, `${store.stats().segments} segments`);
  assertEquals(store.size, STARTS);
  await store.close();
  assertEquals((await verifyStore(directory)).problems, []);
});
