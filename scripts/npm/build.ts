/**
 * Builds the npm package with dnt: `deno task npm:build`.
 *
 * @module
 */

import { build, emptyDir } from "@deno/dnt";
import { walk } from "@std/fs/walk";
import { isAbsolute, resolve } from "node:path";
import { rollup } from "rollup";
import config from "../../deno.json" with { type: "json" };
import { filesOnJsr, withWholeLinks } from "./links.ts";

/** What adapters stand on: nobody needs any of them for the store itself. */
const PEERS = {
  "abstract-level": "^3.1.1",
  keyv: "^5.5.0 || ^6.0.0",
  unstorage: "^1.16.0",
};

/** The entry points beside the library, by their names. */
const ENTRIES = Object.entries(config.exports)
  .map(([name, path]) => ({ name, path }))
  .filter(({ name }) => name !== "." && name !== "./cli");

const outDir = Deno.args[0] ?? "./npm";

await emptyDir(outDir);

await build({
  entryPoints: [
    "./mod.ts",
    ...ENTRIES,
    { kind: "bin", name: "kvstore", path: "./cli.ts" },
  ],
  outDir,
  shims: {},
  test: false,
  typeCheck: "both",
  declaration: "inline",
  scriptModule: "cjs",
  skipSourceOutput: true,
  mappings: {
    [config.imports["abstract-level"]]: {
      name: "abstract-level",
      version: PEERS["abstract-level"],
      peerDependency: true,
    },
  },
  compilerOptions: { target: "ES2022", lib: ["ES2022", "ESNext.Disposable"] },
  // @std/cli names `Deno` where it is given no stream to write to, which src/cli always does
  filterDiagnostic: (diagnostic) => !diagnostic.file?.fileName.includes("/deps/jsr.io/@std/"),
  package: {
    name: config.name,
    version: config.version,
    description: "An embedded, log-structured key-value store in pure TypeScript",
    license: config.license,
    keywords: ["key-value", "store", "database", "embedded", "log-structured", "bitcask", "persistent", "deno", "node"],
    engines: { node: "^20.15 || >=22.2" },
    sideEffects: false,
    // Of the files beside package.json; esm/ and script/ each have their own.
    type: "module",
    // TypeScript with moduleResolution node10 does not know exports.
    typesVersions: {
      "*": Object.fromEntries(
        ENTRIES.map(({ name, path }) => [name.slice(2), [`./script/${moduleOf(path)}.d.ts`]]),
      ),
    },
    // Only the level adapter imports its package; who uses one of the others has theirs anyway.
    peerDependencies: PEERS,
    peerDependenciesMeta: Object.fromEntries(Object.keys(PEERS).map((name) => [name, { optional: true }])),
    // npm does not install optional peers, and the type check needs this one.
    devDependencies: { "@types/node": "^20.15.0", "abstract-level": PEERS["abstract-level"] },
  },
  async postBuild() {
    await bundle();
    Deno.copyFileSync("LICENSE", `${outDir}/LICENSE`);
    for (const file of ["README.md", "CHANGELOG.md"]) {
      const text = withWholeLinks(Deno.readTextFileSync(file), filesOnJsr(config), config.publish);
      Deno.writeTextFileSync(`${outDir}/${file}`, text);
    }
  },
});

const { _generatedBy } = JSON.parse(Deno.readTextFileSync(`${outDir}/package.json`));
console.log(`${config.name}@${config.version} is in ${outDir}, built by ${_generatedBy}`);

/** The path of a source file in `esm/` and `script/`, without its ending. */
function moduleOf(path: string): string {
  return path.replace(/^\.\/(.+)\.ts$/, "$1");
}

/**
 * Puts the modules into few files, with what entry points have in common in chunks: Node takes half a millisecond for
 * each file that it loads.
 */
async function bundle(): Promise<void> {
  const exported = ["mod", ...ENTRIES.map(({ path }) => moduleOf(path))];
  const formats = [
    { folder: "esm", entries: [...exported, "cli"], format: "es" },
    { folder: "script", entries: exported, format: "cjs" },
  ] as const;
  const bundles = await Promise.all(formats.map(({ entries }) =>
    rollup({
      input: Object.fromEntries(entries.map((entry) => [entry, resolve(outDir, "esm", `${entry}.js`)])),
      external: (id) => !id.startsWith(".") && !isAbsolute(id),
      onwarn(warning) {
        throw new Error(warning.message);
      },
    })
  ));
  for await (const { path } of walk(outDir, { exts: [".js"], skip: [/node_modules/] })) await Deno.remove(path);
  for (const [i, { folder, format }] of formats.entries()) {
    await bundles[i]!.write({
      dir: `${outDir}/${folder}`,
      format,
      exports: "named",
      esModule: true,
      chunkFileNames: "chunks/[name].js",
      minifyInternalExports: false,
    });
  }
}
