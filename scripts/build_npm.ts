/**
 * Builds the npm package with dnt: `deno task build:npm`.
 *
 * @module
 */

import { build, emptyDir } from "@deno/dnt";
import config from "../deno.json" with { type: "json" };

const outDir = Deno.args[0] ?? "./npm";

await emptyDir(outDir);

await build({
  entryPoints: ["./mod.ts", { kind: "bin", name: "kvstore", path: "./cli.ts" }],
  outDir,
  shims: {},
  test: false,
  typeCheck: "both",
  declaration: "inline",
  scriptModule: "cjs",
  skipSourceOutput: true,
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
    devDependencies: { "@types/node": "^20.15.0" },
  },
  postBuild() {
    for (const file of ["LICENSE", "README.md", "CHANGELOG.md"]) Deno.copyFileSync(file, `${outDir}/${file}`);
  },
});

const { _generatedBy } = JSON.parse(Deno.readTextFileSync(`${outDir}/package.json`));
console.log(`${config.name}@${config.version} is in ${outDir}, built by ${_generatedBy}`);
