/** Programs of `examples/`, run the way a reader would: copied into a folder of their own, with the package beside. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { verifyStore } from "../../../mod.ts";
import { canStartProcesses } from "../../support/permissions.ts";

/** Where the programs are. */
export const EXAMPLES: URL = new URL("../../../examples/", import.meta.url);

/** The names of all programs. */
export function exampleNames(): string[] {
  return [...Deno.readDirSync(EXAMPLES)].map(({ name }) => name).sort();
}

/** A folder with a copy of one program, and with an import map that leads to the package. */
export class Example {
  readonly name: string;
  readonly folder: string;
  readonly #flags: string[];

  constructor(name: string, folder: string) {
    this.name = name;
    this.folder = folder;
    const text = Deno.readTextFileSync(new URL(name, EXAMPLES));
    Deno.writeTextFileSync(`${folder}/${name}`, text);
    const imports = {
      "@kvstore/kvstore": new URL("../../../mod.ts", import.meta.url).href,
      "@kvstore/kvstore/kv": new URL("../../../src/kv/mod.ts", import.meta.url).href,
    };
    Deno.writeTextFileSync(`${folder}/deno.json`, JSON.stringify({ imports }));
    this.#flags = flagsIn(name, text);
  }

  /** Writes a file into the folder. */
  write(name: string, text: string): void {
    Deno.writeTextFileSync(`${this.folder}/${name}`, text);
  }

  /** The program with the permissions that its own comment asks for, not started yet. */
  command(args: string[] = []): Deno.Command {
    return new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--no-lock", ...this.#flags, this.name, ...args],
      cwd: this.folder,
      env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  /** Runs the program to its end, which must be a good one, and returns the lines that it printed. */
  async run(): Promise<string[]> {
    const { code, stdout, stderr } = await this.command().output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals({ code, err }, { code: 0, err: "" }, this.name);
    return out!.split("\n").slice(0, -1);
  }
}

/** The flags of the command that a program's comment shows. */
function flagsIn(name: string, text: string): string[] {
  const [comment] = /^\/\*\*[^]*?\*\/\n/.exec(text) ?? [];
  assertMatch(comment ?? "", new RegExp(`\`deno run ([^\`]*) ${name}\``), `${name} begins with how to run it`);
  return new RegExp(`\`deno run ([^\`]*) ${name}\``).exec(comment!)![1]!.split(" ");
}

/** A test of one program; every store that it left in its folder must be intact at the end. */
export function exampleTest(name: string, test: (example: Example) => Promise<void>): void {
  Deno.test({
    name: `examples: ${name}`,
    ignore: !canStartProcesses,
    fn: async () => {
      const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "kvstore-example-" }));
      try {
        await test(new Example(name, folder));
        const stores = storesIn(folder);
        assert(stores.length > 0, "it leaves a store");
        for (const directory of stores) assertEquals((await verifyStore(directory)).problems, [], directory);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

function storesIn(folder: string): string[] {
  const entries = [...Deno.readDirSync(folder)];
  if (entries.some(({ name }) => name === "MANIFEST")) return [folder];
  return entries.filter((entry) => entry.isDirectory).flatMap(({ name }) => storesIn(`${folder}/${name}`));
}
