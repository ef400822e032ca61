/** Somebody who follows a document line by line: writes the files that it shows, and types its commands. */

import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import config from "../../../deno.json" with { type: "json" };
import { type Block, blocksOf } from "./blocks.ts";

const ROOT = new URL("../../../", import.meta.url);
/** The package itself comes from here and not from a registry. */
const PACKAGE = "jsr:@kvstore/kvstore";
/** Of its entry points, those that documents use: `deno add` looks at all that is in the import map. */
const ENTRY_POINTS = [".", "./keyv", "./kv", "./unstorage"] as const;

/** A folder in which a document is followed. */
export class Follower {
  readonly folder: string;
  readonly #replaced: [shown: string, here: string][];
  /** What the document exported so far. */
  readonly #exports: string[] = [];

  /** In `folder`, which is empty; `replaced` is what is different here from what the document shows: ports. */
  constructor(folder: string, replaced: [shown: string, here: string][]) {
    this.folder = folder;
    this.#replaced = replaced;
    const imports = ENTRY_POINTS.map((name) => [config.name + name.slice(1), new URL(config.exports[name], ROOT).href]);
    Deno.writeTextFileSync(`${folder}/deno.json`, JSON.stringify({ imports: Object.fromEntries(imports) }));
    Deno.mkdirSync(`${folder}/bin`);
    Deno.symlinkSync(Deno.execPath(), `${folder}/bin/deno`);
    const cli = fileURLToPath(new URL("cli.ts", ROOT));
    const script = `#!/bin/sh\nexec "${Deno.execPath()}" run -A --no-check "${cli}" "$@"\n`;
    Deno.writeTextFileSync(`${folder}/bin/kvstore`, script, { mode: 0o755 });
  }

  /** Does what blocks say, one after the other. A block of text is what the commands before it print. */
  async follow(blocks: Block[]): Promise<void> {
    for (const [i, block] of blocks.entries()) {
      if (block.language === "ts") this.write(fileNameIn(block), block.text);
      if (block.language !== "sh") continue;
      const printed = await this.run(this.#here(block.text));
      this.#exports.push(...this.#here(block.text).split("\n").filter((line) => line.startsWith("export ")));
      const next = blocks[i + 1];
      if (next?.language === "text") assertEquals(printed, next.text, block.text);
    }
  }

  /** Writes a file. */
  write(name: string, text: string): void {
    Deno.writeTextFileSync(`${this.folder}/${name}`, text);
  }

  /** Runs commands in bash, which must all do well, and returns what they print. */
  async run(commands: string): Promise<string> {
    const script = ["set -euo pipefail", ...this.#exports, commands].join("\n");
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      args: ["-c", script],
      cwd: this.folder,
      env: {
        PATH: `${this.folder}/bin:${Deno.env.get("PATH")}`,
        DENO_NO_UPDATE_CHECK: "1",
        NO_COLOR: "1",
      },
      stdin: "null",
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(
      { code, err: code === 0 ? "" : err, out: code === 0 ? "" : out },
      { code: 0, err: "", out: "" },
      commands,
    );
    return out!;
  }

  #here(text: string): string {
    return this.#replaced.reduce((changed, [shown, here]) => changed.replaceAll(shown, here), text)
      .replaceAll(`${PACKAGE} `, "");
  }
}

/** The name that stands in the line above a block: `storage.ts`. */
function fileNameIn({ before, text }: Block): string {
  const name = /`(\w+\.ts)`:$/.exec(before)?.[1];
  if (name === undefined) throw new Error(`the line above a program ends with its name: ${text}`);
  return name;
}

/** The blocks of a document in some of its sections. */
export function blocksUnder(document: string, headings: string[]): Block[] {
  const blocks = blocksOf(Deno.readTextFileSync(new URL(document, ROOT)));
  return blocks.filter(({ heading }) => headings.includes(heading));
}
