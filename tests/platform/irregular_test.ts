/** A directory that somebody else prepared: nothing but regular files is opened, under their own names. */

import { assertEquals, assertThrows } from "@std/assert";
import { KvStoreError } from "../../mod.ts";
import { denoPlatform } from "../../src/platform/deno.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { everything, IRREGULAR } from "../support/irregular.ts";
import { canStartProcesses } from "../support/permissions.ts";

for (const [runtime, platform] of [["deno", denoPlatform], ["node", nodePlatform]] as const) {
  const test = (name: string, run: (directory: string) => void) =>
    Deno.test({
      name: `irregular: ${runtime} ${name}`,
      ignore: !canStartProcesses || Deno.build.os === "windows",
      fn: () => {
        const directory = Deno.makeTempDirSync();
        try {
          run(directory);
        } finally {
          Deno.removeSync(directory, { recursive: true });
        }
      },
    });

  const calls = {
    "opens to read": (path: string) => platform.open(path, "read"),
    "opens to write": (path: string) => platform.open(path, "write"),
    locks: (path: string) => platform.lock(path, "text"),
  };
  for (const [does, call] of Object.entries(calls)) {
    test(`${does} no file that is not a regular one, follows no link, and waits for none`, (directory) => {
      Deno.writeTextFileSync(`${directory}/target`, "what links lead to");
      for (const { kind, make } of IRREGULAR) {
        for (const target of ["target", "missing"]) {
          const path = `${directory}/${kind} to ${target}`;
          const end = make(path, target);
          const before = everything(directory);
          const error = assertThrows(() => call(path), KvStoreError);
          const { code, file, reason } = error;
          assertEquals([code, file, reason], ["CORRUPT", `${kind} to ${target}`, `it is ${kind}, not a regular file`]);
          assertEquals(platform.kindOf(path), kind);
          assertEquals(everything(directory), before, kind);
          end();
        }
      }
    });
  }

  test("tells a regular file from nothing at all, and opens a hard link", (directory) => {
    Deno.writeTextFileSync(`${directory}/file`, "text");
    Deno.linkSync(`${directory}/file`, `${directory}/hard`);
    assertEquals(["file", "hard", "none"].map((name) => platform.kindOf(`${directory}/${name}`)), [
      "a regular file",
      "a regular file",
      undefined,
    ]);
    for (const mode of ["read", "write"] as const) platform.open(`${directory}/hard`, mode).close();
  });

  test("takes a lock for lost that a link to the locked file has replaced", (directory) => {
    const lock = platform.lock(`${directory}/LOCK`, "text");
    if (!("release" in lock)) throw new Error("nobody else holds it");
    Deno.renameSync(`${directory}/LOCK`, `${directory}/moved`);
    Deno.symlinkSync("moved", `${directory}/LOCK`);
    assertEquals(lock.isCurrent(), false);
    lock.release();
  });
}
