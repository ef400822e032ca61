/**
 * The package as users get it: built in a copy of the repository, packed, and installed from the tarball.
 *
 * @module
 */

import { join } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { copyForJsr, jsrProblem } from "../jsr.ts";
import { ROOT } from "../repository.ts";
import { assertSame, type Results } from "./results.ts";
import { npm, npmEnvironment, runOk, type RunOptions } from "./run.ts";

/** A file of the tarball. */
export interface PackedFile {
  /** Path within the package. */
  path: string;
  /** Size in bytes. */
  size: number;
  /** Permissions. */
  mode: number;
}

/** The packed package. */
export interface Tarball {
  /** Path of the tarball. */
  file: string;
  /** Its size. */
  sizeBytes: number;
  /** What is in it. */
  files: PackedFile[];
  /** What its package.json says. */
  // deno-lint-ignore no-explicit-any
  manifest: any;
}

/** Builds and packs; `scratch` is a folder for it. */
export async function buildTarball(scratch: string, cache: string): Promise<Tarball> {
  const folder = join(scratch, "npm");
  const problem = await jsrProblem();
  const { dir } = await copyForJsr(ROOT, problem);
  try {
    const env = npmEnvironment(cache);
    const output = await runOk(Deno.execPath(), ["run", "-A", "scripts/npm/build.ts", folder], { cwd: dir, env });
    console.log(output.trim().split("\n").at(-1), problem === undefined ? "" : `(${problem})`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  const answer = JSON.parse(await npm(["pack", "--json", "--pack-destination", scratch], folder, cache));
  // a list of one, or an object by names, as it depends on npm's version
  const [packed] = Object.values(answer) as { filename: string; size: number; files: PackedFile[] }[];
  return {
    file: join(scratch, packed!.filename),
    sizeBytes: packed!.size,
    files: packed!.files,
    manifest: JSON.parse(await Deno.readTextFile(join(folder, "package.json"))),
  };
}

/** Makes a project with this package.json, and installs the tarball and other packages into it. */
export async function install(
  folder: string,
  packages: string[],
  { cache, manifest = {}, run = {} }: { cache: string; manifest?: Record<string, unknown>; run?: RunOptions },
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(
    join(folder, "package.json"),
    JSON.stringify({ name: "project", private: true, ...manifest }),
  );
  await npm(["install", "--prefix", folder, ...packages], folder, cache, run);
}

/** Where the package is in a project. */
export function installedIn(project: string): string {
  return join(project, "node_modules", "@kvstore", "kvstore");
}

/** The row and column of these checks. */
const WHERE = ["tarball", "package"] as const;

/** Looks at what is in the tarball, and what was installed. */
export async function checkTarball(tarball: Tarball, project: string, results: Results): Promise<void> {
  const check = (name: string, action: () => void | Promise<void>) => results.check(...WHERE, name, action);
  const { manifest, files } = tarball;
  const paths = files.map(({ path }) => path);
  await check("fields of package.json", () => checkManifest(manifest));
  await check("every file that package.json names is there, with declarations", () => {
    const exported = Object.values<{ import: string; require: string }>(manifest.exports);
    const modules = exported.flatMap((entry) => [entry.import, entry.require]);
    const named = [...modules, manifest.main, manifest.module, ...Object.values<string>(manifest.bin)];
    const declarations = modules.map((path) => path.replace(/\.js$/, ".d.ts"));
    const wanted = [...named, ...declarations].map((path: string) => path.replace(/^\.\//, ""));
    assertSame(wanted.filter((path) => !paths.includes(path)), [], "missing");
    assertSame([typeOf(modules[0]!), typeOf(modules[1]!)], ["module", "commonjs"], "types of modules");
    function typeOf(path: string): string {
      const folder = path.split("/")[1]!;
      return JSON.parse(Deno.readTextFileSync(join(installedIn(project), folder, "package.json"))).type;
    }
  });
  await check("README and LICENSE are in, tests and sources are not", () => {
    for (const wanted of ["README.md", "LICENSE", "CHANGELOG.md"]) assertSame(paths.includes(wanted), true, wanted);
    const allowed = /^(README\.md|LICENSE|CHANGELOG\.md|package\.json|(esm|script)\/.*(\.js|\.d\.ts|package\.json))$/;
    const unwanted = /(^|\/)(tests?|bench|scripts|offline)\/|_(test|long)\./;
    assertSame(paths.filter((path) => !allowed.test(path) || unwanted.test(path)), [], "unwanted");
  });
  await check("no link of the README is a path in the repository", async () => {
    const readme = await Deno.readTextFile(join(installedIn(project), "README.md"));
    const targets = Array.from(readme.matchAll(/\]\(([^)]+)\)/g), ([, target]) => target!);
    assertSame(targets.length > 20, true, "links");
    assertSame(targets.filter((target) => !/^(#|https:)/.test(target)), [], "relative links");
  });
  await check("the command is a script that may be run", async () => {
    const file = join(installedIn(project), manifest.bin.kvstore);
    assertSame((await Deno.readTextFile(file)).split("\n")[0], "#!/usr/bin/env node", "first line");
    if (Deno.build.os === "windows") return;
    assertSame((Deno.statSync(file).mode! & 0o111) !== 0, true, "may be run");
    assertSame(Deno.realPathSync(join(project, "node_modules/.bin/kvstore")), Deno.realPathSync(file), "link");
  });
  await check("nothing but the package is installed", () => {
    const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    const modules = join(project, "node_modules");
    assertSame(names(modules).filter((name) => !name.startsWith(".")), ["@kvstore"], "packages");
    assertSame(names(join(modules, "@kvstore")), ["kvstore"], "packages");
  });
}

/** The entry points beside the library. */
const ENTRIES = {
  keyv: "src/adapters/keyv",
  kv: "src/kv/mod",
  level: "src/adapters/level",
  unstorage: "src/adapters/unstorage",
};

/** Looks at package.json. */
// deno-lint-ignore no-explicit-any
export function checkManifest(manifest: any): void {
  const { name, version, license, main, module, exports, bin, engines, sideEffects, scripts } = manifest;
  const { type, typesVersions } = manifest;
  assertSame([name, version, license], [config.name, config.version, config.license], "name, version, license");
  assertSame([main, module], ["./script/mod.js", "./esm/mod.js"], "main and module");
  const entry = (path: string) => ({ import: `./esm/${path}.js`, require: `./script/${path}.js` });
  const others = Object.entries(ENTRIES).map(([name, path]) => [`./${name}`, entry(path)]);
  assertSame(exports, { ".": entry("mod"), ...Object.fromEntries(others) }, "exports");
  assertSame(bin, { kvstore: "./esm/cli.js" }, "bin");
  assertSame(engines, { node: "^20.15 || >=22.2" }, "engines");
  assertSame([sideEffects, scripts ?? {}], [false, {}], "sideEffects and scripts");
  const declarations = Object.entries(ENTRIES).map(([name, path]) => [name, [`./script/${path}.d.ts`]]);
  assertSame([type, typesVersions], ["module", { "*": Object.fromEntries(declarations) }], "type and typesVersions");
  const dependencies = ["dependencies", "optionalDependencies", "bundledDependencies"];
  assertSame(dependencies.filter((kind) => Object.keys(manifest[kind] ?? {}).length > 0), [], "dependencies");
  assertSame(Object.keys(manifest.peerDependencies).sort(), ["abstract-level", "keyv", "unstorage"], "peers");
  for (const name of Object.keys(manifest.peerDependencies)) {
    assertSame(manifest.peerDependenciesMeta[name], { optional: true }, `peer ${name}`);
  }
  for (const field of ["description", "keywords"]) assertSame(manifest[field]?.length > 0, true, field);
}
