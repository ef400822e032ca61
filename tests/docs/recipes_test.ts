/** Each program of docs/recipes.md, in a folder of its own: it must print what the document says. */

import { assert, assertEquals } from "@std/assert";
import { pathToFileURL } from "node:url";
import { verifyStore } from "../../mod.ts";
import { KvLevel } from "../../src/adapters/level.ts";
import { canStartProcesses, canUseDisk } from "../support/permissions.ts";
import { type Block, blocksOf } from "./support/blocks.ts";

const RECIPES = new URL("../../docs/recipes.md", import.meta.url);
const text = canUseDisk ? Deno.readTextFileSync(RECIPES) : "";

/** What stands behind each `console.log`. */
function promised(program: string): string[] {
  return [...program.matchAll(/^ *console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]!);
}

async function follow({ text }: Block): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kvstore-recipe-" });
  try {
    const imports = { "@kvstore/kvstore": new URL("../../mod.ts", import.meta.url).href };
    Deno.writeTextFileSync(`${folder}/deno.json`, JSON.stringify({ imports }));
    Deno.writeTextFileSync(`${folder}/recipe.ts`, text);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-lock", "recipe.ts"],
      cwd: folder,
      env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals({ code, err }, { code: 0, err: "" });
    assertEquals(out!.split("\n").slice(0, -1), promised(text));
    const store = `${folder}/data`;
    const isThere = await Deno.stat(store).then(() => true, () => false);
    if (isThere) assertEquals((await verifyStore(store)).problems, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const block of blocksOf(text).filter(({ language }) => language === "ts")) {
  Deno.test({ name: `recipes: ${block.heading}`, ignore: !canStartProcesses, fn: () => follow(block) });
}

Deno.test({
  name: "recipes: every program prints something, and every heading is in the contents",
  ignore: !canUseDisk,
  fn: () => {
    for (const block of blocksOf(text)) {
      if (block.language === "ts") assert(promised(block.text).length > 0, block.heading);
    }
    const contents = text.slice(text.indexOf("Contents:"), text.indexOf("\n## "));
    for (const [, heading] of text.matchAll(/^## (.*)$/gm)) {
      const anchor = heading!.toLowerCase().replaceAll(/[^\w -]/g, "").replaceAll(" ", "-");
      assert(contents.replaceAll("\n", " ").includes(`[${heading}](#${anchor})`), heading);
    }
  },
});

Deno.test("recipes: From LevelDB, with another database of the same calls in LevelDB's place", {
  ignore: !canUseDisk,
}, async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvstore-recipe-" });
  const source = { keyEncoding: "utf8", valueEncoding: "utf8" };
  const old = new KvLevel(`${folder}/level-data`, source);
  for (let i = 0; i < 250; i++) await old.put(`key ${i}`, `value ${i}`);
  await old.sublevel("s").put("in", "it");
  const expected = await old.iterator().all();
  await old.close();
  const level = new URL("../../src/adapters/level.ts", import.meta.url).href;
  const block = blocksOf(text).find(({ language, heading }) => language === "js" && heading === "From LevelDB");
  const program = block!.text.replace('{ KvLevel } from "@kvstore/kvstore/level"', `{ KvLevel } from "${level}"`)
    .replace('{ ClassicLevel } from "classic-level"', `{ KvLevel as ClassicLevel } from "${level}"`)
    .replaceAll(/"\.\/(level-data|data)"/g, `"${folder}/$1"`);
  await Deno.writeTextFile(`${folder}/recipe.js`, program);
  await import(pathToFileURL(`${folder}/recipe.js`).href);
  const converted = new KvLevel(`${folder}/data`, { ...source, createIfMissing: false });
  assertEquals(await converted.iterator().all(), expected);
  await converted.close();
  await Deno.remove(folder, { recursive: true });
});
