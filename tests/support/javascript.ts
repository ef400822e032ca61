/**
 * Makes modules run in Node and Bun as they are, with the types taken out: Node 20 cannot do that itself.
 */

import { stripTypeScriptTypes } from "node:module";

/** The few assertions that staged modules use, since the import map is Deno's. */
const assertions = `
import { deepStrictEqual, ok, throws } from "node:assert/strict";
export { deepStrictEqual as assertEquals, ok as assert };
export const assertThrows = (action) => throws(action);
`;

/**
 * Copies modules, named relative to the project, as JavaScript to `directory`; returns the URL of the copied folder.
 */
export function stageModules(names: string[], directory: string): URL {
  const project = new URL("../../", import.meta.url);
  const target = new URL(`file://${directory}/`);
  Deno.writeTextFileSync(new URL("package.json", target), '{ "type": "module" }');
  Deno.writeTextFileSync(new URL("assertions.js", target), assertions);
  for (const name of names) {
    const source = Deno.readTextFileSync(new URL(name, project));
    const upwards = "../".repeat(name.split("/").length - 1);
    const script = stripTypeScriptTypes(source)
      .replaceAll(/(["']\.{1,2}\/[^"'\n]*)\.ts(["'])/g, "$1.js$2")
      .replaceAll('"@std/assert"', `"${upwards}assertions.js"`);
    const file = new URL(name.replace(/\.ts$/, ".js"), target);
    Deno.mkdirSync(new URL(".", file), { recursive: true });
    Deno.writeTextFileSync(file, script);
  }
  return target;
}

/** All modules of the library. */
export function libraryModules(): string[] {
  const project = new URL("../../", import.meta.url);
  const found = ["mod.ts"];
  const visit = (folder: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, project))) {
      if (isDirectory && folder + name !== "src/cli") visit(`${folder}${name}/`);
      else if (name.endsWith(".ts")) found.push(folder + name);
    }
  };
  visit("src/");
  return found;
}

/** Modules of the platforms, and what their tests run in other processes. */
export function platformModules(): string[] {
  return [
    ...libraryModules().filter((name) => name.startsWith("src/platform/")),
    "src/errors.ts",
    "src/kinds.ts",
    "tests/platform/support/suite.ts",
    "tests/platform/support/peer.ts",
    "tests/platform/support/worker.ts",
  ];
}

/** Where the programs of Node and Bun are, by name, as far as they are installed. */
export function runtimes(): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of ["node", "bun"]) {
    try {
      const { success, stdout } = new Deno.Command(name, { args: ["-p", "process.execPath"], stderr: "null" })
        .outputSync();
      if (success) found.set(name, new TextDecoder().decode(stdout).trim());
    } catch {
      // Not installed.
    }
  }
  return found;
}
