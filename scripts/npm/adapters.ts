/**
 * The suites of keyv, abstract-level and unstorage on the installed package.
 *
 * @module
 */

import { join } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { PEERS_MANIFEST, problemOf, type Suite, SUITES } from "../../tests/adapters/support/suites.ts";
import { compile } from "./compile.ts";
import type { Results } from "./results.ts";
import { npm, run } from "./run.ts";
import type { Runtime } from "./runtimes.ts";

/** The column of these checks. */
export const ADAPTERS = "adapters";

/** The suite of Level opens hundreds of databases; a machine that is busy may take its time. */
const LIMIT_MILLISECONDS = 600_000;

/** What the suites need beside the package, in the versions that deno.json names. */
const PEERS = ["abstract-level", "expect", "keyv", "keyv6", "tape", "unstorage"] as const;

/** The suites, compiled, in a project that has all they need. */
export interface AdapterProject {
  /** The project's folder. */
  folder: string;
  /** Where the compiled programs are, by their names. */
  programs: Map<string, string>;
}

/** Makes a project with the tarball and the packages that its adapters are for, and compiles the suites. */
export async function makeAdapterProject(
  folder: string,
  { tarball, cache }: { tarball: string; cache: string },
): Promise<AdapterProject> {
  await Deno.mkdir(folder, { recursive: true });
  const peers = PEERS.map((name) => [name, specOf(name)]);
  const dependencies = {
    ...PEERS_MANIFEST.dependencies,
    ...Object.fromEntries(peers),
    [config.name]: `file:${tarball}`,
  };
  await Deno.writeTextFile(join(folder, "package.json"), JSON.stringify({ ...PEERS_MANIFEST, dependencies }));
  await npm(["install", "--prefix", folder], folder, cache);
  const target = { folder: join(folder, "esm"), format: "esm" } as const;
  const programs = new Map<string, string>();
  for (const { program } of SUITES) {
    if (!programs.has(program)) programs.set(program, await compile(`tests/adapters/support/${program}`, target));
  }
  return { folder, programs };
}

/** What npm calls a package of deno.json's imports: its version, or for a second one of a name both. */
function specOf(name: (typeof PEERS)[number]): string {
  const spec = config.imports[name];
  return spec.startsWith(`npm:${name}@`) ? spec.slice(`npm:${name}@`.length) : spec;
}

/** Runs all suites in one runtime, one after the other. */
export async function checkAdapters(project: AdapterProject, runtime: Runtime, results: Results): Promise<void> {
  for (const suite of SUITES) {
    const stores = await Deno.makeTempDir({ dir: project.folder, prefix: "stores-" });
    const { stdout, stderr } = await run(runtime.program, commandOf(suite, { project, stores }), {
      limitMilliseconds: LIMIT_MILLISECONDS,
    });
    const problem = problemOf(suite, stdout);
    if (problem === undefined) results.pass(runtime.name, ADAPTERS, suite.passed);
    else results.fail(runtime.name, ADAPTERS, `${problem}\n${stderr}`);
    await Deno.remove(stores, { recursive: true });
  }
}

function commandOf(
  { program, args }: Suite,
  { project, stores }: { project: AdapterProject; stores: string },
): string[] {
  const given = args.map((arg) => arg === "PEERS" ? project.folder : arg);
  return [project.programs.get(program)!, stores, ...given];
}
