import { assertEquals } from "@std/assert";
import { denoPlatform } from "../../src/platform/deno.ts";
import type { DenoNamespace } from "../../src/platform/deno.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";
import { platform as chosenPlatform } from "../../src/platform/mod.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { canStartProcesses, canUseDisk } from "../support/permissions.ts";
import { checks } from "./support/suite.ts";

// Fails to compile where Deno is not what deno.ts takes it for.
const _: DenoNamespace = Deno;

for (const { name, run } of checks) {
  Deno.test(`memory: ${name}`, async () => {
    const platform = new MemoryPlatform();
    platform.makeDirectory("/data");
    await run(platform, "/data");
  });
}

for (const [runtime, platform] of [["deno", denoPlatform], ["node", nodePlatform]] as const) {
  // The node platform locks by starting a process.
  const ignore = runtime === "deno" ? !canUseDisk : !canStartProcesses;
  for (const { name, run } of checks) {
    Deno.test({
      name: `${runtime}: ${name}`,
      ignore,
      fn: async () => {
        const directory = Deno.makeTempDirSync();
        try {
          await run(platform, directory);
        } finally {
          Deno.removeSync(directory, { recursive: true });
        }
      },
    });
  }

  Deno.test({
    name: `${runtime}: files and directories are the owner's alone`,
    ignore: ignore || Deno.build.os === "windows",
    fn: () => {
      const directory = Deno.makeTempDirSync();
      try {
        platform.makeDirectory(`${directory}/d`);
        platform.open(`${directory}/f`, "create").close();
        const lock = platform.lock(`${directory}/LOCK`, "");
        if ("release" in lock) lock.release();
        const modes = ["d", "f", "LOCK"].map((name) => (Deno.statSync(`${directory}/${name}`).mode ?? 0) & 0o777);
        assertEquals(modes, [0o700, 0o600, 0o600]);
      } finally {
        Deno.removeSync(directory, { recursive: true });
      }
    },
  });

  Deno.test({
    name: `${runtime}: makes paths absolute`,
    ignore,
    fn: () => assertEquals(platform.absolute("a/../b"), `${Deno.cwd()}${Deno.build.os === "windows" ? "\\" : "/"}b`),
  });
}

Deno.test("Deno's own files are chosen under Deno", () => {
  assertEquals(chosenPlatform, denoPlatform);
});
