/** A directory that somebody else prepared: nothing but regular files is opened, under their own names. */

import { assertEquals, assertThrows } from "@std/assert";
import { KvStoreError } from "../../mod.ts";
import { denoPlatform } from "../../src/platform/deno.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { canStartProcesses } from "../support/permissions.ts";
import { irregularFiles } from "../support/irregular.ts";

for (const [runtime, platform] of [["deno", denoPlatform], ["node", nodePlatform]] as const) {
  Deno.test({
    name: `irregular: ${runtime} locks no file that is not a regular one, follows no link, and waits for none`,
    ignore: !canStartProcesses || Deno.build.os === "windows",
    fn: () => {
      using files = irregularFiles();
      for (const { kind, path } of files.all("LOCK")) {
        const error = assertThrows(() => platform.lock(path, "text"), KvStoreError);
        assertEquals([error.code, error.file, error.reason], ["CORRUPT", "LOCK", `it is ${kind}, not a regular file`]);
        assertEquals(files.changed(), [], kind);
      }
    },
  });

  Deno.test({
    name: `irregular: ${runtime} takes a lock for lost that a link to the locked file has replaced`,
    ignore: !canStartProcesses || Deno.build.os === "windows",
    fn: () => {
      const directory = Deno.makeTempDirSync();
      try {
        const lock = platform.lock(`${directory}/LOCK`, "text");
        if (!("release" in lock)) throw new Error("nobody else holds it");
        Deno.renameSync(`${directory}/LOCK`, `${directory}/moved`);
        Deno.symlinkSync("moved", `${directory}/LOCK`);
        assertEquals(lock.isCurrent(), false);
        lock.release();
      } finally {
        Deno.removeSync(directory, { recursive: true });
      }
    },
  });
}
