import { pathToFileURL } from "node:url";
import { assertEquals } from "@std/assert";
import { KvStore, repairStore, verifyStore } from "../../mod.ts";
import { memoryPlatform } from "../../src/platform/memory.ts";
import { denoPlatform } from "../../src/platform/deno.ts";
import { MAX_OPEN_FILES } from "../../src/platform/pool.ts";
import { cases, runCase } from "./support/cases.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";
import { canUseDisk } from "../support/permissions.ts";
import { IS_GATE, IS_THOROUGH } from "../support/sweep.ts";

/** Of how many cases the suite runs one on the disk as well. The gate runs them all. */
const ON_DISK = IS_THOROUGH ? 1 : 9;

/** Nobody else can open a store in memory, and its directory is always one. */
const NOT_IN_MEMORY = /^lock: |a directory that is a file/;

for (const [number, one] of cases.entries()) {
  // The gate runs the suite first, and then adds a single open segment beside the one that is written: most readings
  // open the file again.
  for (const openFiles of IS_GATE ? [1] : [MAX_OPEN_FILES]) {
    if (openFiles === 1 && (one.needsOpenFiles || one.isCostly)) continue;
    const suffix = openFiles === 1 ? ", one file open" : "";
    Deno.test(`contract, in memory${suffix}: ${one.name}`, async () => {
      let platform = new MemoryPlatform(openFiles);
      platform.makeDirectory("/root");
      platform.syncDirectory("/");
      await runCase(one, { platform, root: "/root", powerCut: (cut) => platform = platform.crash(cut) });
    });
  }

  if (one.needsPowerCut || one.isCostly || number % ON_DISK !== 0) continue;
  Deno.test({
    name: `store in memory, contract: ${one.name}`,
    ignore: NOT_IN_MEMORY.test(one.name),
    fn: async () => {
      const platform = memoryPlatform(denoPlatform);
      platform.makeDirectory("/root");
      await runCase(one, { platform, root: "/root" });
    },
  });
  Deno.test({
    name: `contract, on disk: ${one.name}`,
    ignore: !canUseDisk,
    fn: async () => {
      const root = Deno.makeTempDirSync({ prefix: "kvstore-contract-" });
      try {
        await runCase(one, { platform: denoPlatform, root });
      } finally {
        Deno.removeSync(root, { recursive: true });
      }
    },
  });
}

Deno.test({
  name: "contract, on disk: the functions that programs import do the same on the runtime's own files",
  ignore: !canUseDisk,
  fn: async () => {
    const root = Deno.makeTempDirSync({ prefix: "kvstore-contract-" });
    const directory = `${root}/store`;
    try {
      const store = await KvStore.open<number>(directory);
      await store.set("a", 1);
      await store.close();
      assertEquals(await verifyStore(pathToFileURL(directory)), { problems: [], notes: [] });
      assertEquals((await repairStore(directory, { dryRun: true })).problems, []);
      await using reader = await KvStore.open<number, string>(pathToFileURL(directory), { readOnly: true });
      assertEquals([...reader], [["a", 1]]);
    } finally {
      Deno.removeSync(root, { recursive: true });
    }
  },
});
