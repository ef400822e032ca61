/**
 * Builds, packs and installs the npm package, and runs on it, with the Node on the PATH, the programs of the README,
 * the suites of the packages that its adapters are for, and the behavioural suite in a realm of its own: the part of
 * `deno task npm:test` that the gate runs. Beside it, `@deno/kv` is held against the table of its differences. The last
 * line is `N passed, N failed`.
 *
 * @module
 */

import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ADAPTERS, checkAdapters, makeAdapterProject } from "./adapters.ts";
import { compileInRealm, IN_REALM, runContract } from "./contract.ts";
import { buildTarball, checkManifest } from "./pack.ts";
import { checkDenoKv } from "./deno_kv.ts";
import { checkDocuments } from "./documents.ts";
import { Results } from "./results.ts";
import { runOk } from "./run.ts";
import type { Runtime } from "./runtimes.ts";

async function nodeOnPath(): Promise<Runtime> {
  const [program, version] = JSON.parse(
    await runOk("node", ["-p", "JSON.stringify([process.execPath, process.versions.node])"]),
  );
  return { name: `Node ${version}`, kind: "node", program, folder: dirname(program) };
}

async function main(): Promise<number> {
  const scratch = await Deno.realPath(await Deno.makeTempDir({ prefix: "kvstore-adapters-" }));
  const results = new Results();
  try {
    const node = await nodeOnPath();
    const cache = join(tmpdir(), "kvstore-runtimes", "npm");
    const tarball = await buildTarball(scratch, cache);
    await results.check(node.name, ADAPTERS, "fields of package.json", () => checkManifest(tarball.manifest));
    const project = await makeAdapterProject(join(scratch, "project"), { tarball: tarball.file, cache });
    await checkDocuments(project.folder, node, { column: ADAPTERS, results });
    // most of the time `@deno/kv` waits
    await Promise.all([
      checkDenoKv(join(scratch, "deno_kv"), node, { cache, results }),
      checkAdapters(project, node, results),
    ]);
    const files = await compileInRealm(project.folder);
    await runContract(node, { files, scratch, results, column: IN_REALM });
    for (const failure of results.failures) console.log(`\nFAILED ${failure}`);
    const { passed, failed } = results.total();
    console.log(`${passed} passed, ${failed} failed`);
    return failed > 0 ? 1 : 0;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

if (import.meta.main) Deno.exitCode = await main();
