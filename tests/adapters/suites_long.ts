/** The suites of the packages that adapters are for, on the source: every case, none skipped. */

import { assertEquals } from "@std/assert";
import { denoRun, pathOf, processTest, run } from "../support/processes.ts";
import { canUseDisk } from "../support/permissions.ts";
import { PEERS_MANIFEST, problemOf, type Suite, SUITES } from "./support/suites.ts";

const NPM = { what: "npm, to install the suite", command: () => ["npm", "--version"] };

/** Installs what there is under npm alone. */
async function installPeers(folder: string): Promise<void> {
  await Deno.mkdir(folder);
  await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify(PEERS_MANIFEST));
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  const { code, err } = await run(["npm", "install", "--prefix", folder, ...quiet]);
  assertEquals(code, 0, err);
}

for (const suite of SUITES) {
  const needsNpm = suite.args.includes("PEERS");
  await processTest(`the suite of ${suite.name} passes at full count`, async (root) => {
    if (needsNpm) await installPeers(`${root}/peers`);
    await Deno.mkdir(`${root}/stores`);
    const { out, err } = await run(commandOf(suite, root));
    assertEquals(problemOf(suite, out), undefined, err);
  }, needsNpm ? NPM : undefined);
}

function commandOf({ program, args }: Suite, root: string): string[] {
  const given = args.map((arg) => arg === "PEERS" ? `${root}/peers` : arg);
  return denoRun(`tests/adapters/support/${program}`, [`${root}/stores`, ...given]);
}

await processTest("the package and its command load none of the packages that adapters are for", async (root) => {
  for (
    const entry of ["mod.ts", "cli.ts", "src/adapters/keyv.ts", "src/adapters/unstorage.ts", "src/kv/mod.ts"]
  ) {
    const { out } = await run([Deno.execPath(), "info", "--json", pathOf(entry)]);
    const modules: { specifier: string }[] = JSON.parse(out).modules;
    assertEquals(modules.map(({ specifier }) => specifier).filter((one) => one.startsWith("npm:")), [], entry);
  }
  // Nor does Deno fetch them because deno.json names them: with an empty cache and no registry, the command works.
  const env = { DENO_DIR: `${root}/cache`, NPM_CONFIG_REGISTRY: "http://127.0.0.1:9/", DENO_NO_UPDATE_CHECK: "1" };
  const args = ["run", "-A", "--no-check", pathOf("cli.ts"), "--dir", `${root}/store`, "set", "a", "1"];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args, env, stdin: "null" }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
});

Deno.test("suites: docs/adapters.md has their counts", { ignore: !canUseDisk }, async () => {
  const document = await Deno.readTextFile(pathOf("docs/adapters.md"));
  for (const { name, passed } of SUITES) {
    const row = new RegExp(`^\\| ${name} .*\\| +${passed.toLocaleString("en-US")} \\|$`, "m");
    assertEquals(row.test(document), true, `docs/adapters.md: no row with ${name} and ${passed}`);
  }
});
