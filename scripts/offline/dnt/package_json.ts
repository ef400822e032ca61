import type { BuildOptions, EntryPoint, PackageJson, PackageMapping } from "./mod.ts";

const FIRST =
  "name version description keywords author homepage repository license bugs main module types typings exports scripts";
const LAST = "dependencies peerDependencies devDependencies _generatedBy";

/** package.json with the fields, and in the order, that dnt gives it. */
export function packageJson(
  entryPoints: EntryPoint[],
  { package: given, mappings = {} }: BuildOptions,
  generatedBy: string,
): string {
  const js = (path: string) => path.replace(/^\.\//, "").replace(/\.ts$/, ".js");
  const exported = entryPoints.filter((entry) => entry.kind !== "bin");
  const binaries = entryPoints.filter((entry) => entry.kind === "bin");
  const all: Record<string, unknown> = {
    module: `./esm/${js(exported[0]!.path)}`,
    main: `./script/${js(exported[0]!.path)}`,
    ...(binaries.length > 0 && { bin: Object.fromEntries(binaries.map((b) => [b.name, `./esm/${js(b.path)}`])) }),
    ...given,
    exports: {
      ...Object.fromEntries(
        exported.map((e) => [e.name, { import: `./esm/${js(e.path)}`, require: `./script/${js(e.path)}` }]),
      ),
      ...given.exports,
    },
    scripts: given.scripts ?? {},
    ...peersOf(mappings, given),
    _generatedBy: generatedBy,
  };
  const [first, last] = [FIRST.split(" "), LAST.split(" ")];
  const middle = Object.keys(all).filter((key) => !first.includes(key) && !last.includes(key));
  const keys = [...first, ...middle, ...last].filter((key) => key in all);
  return JSON.stringify(Object.fromEntries(keys.map((key) => [key, all[key]])), undefined, 2);
}

/** Mapped packages first, then what the build asks for by name, as dnt does it. */
function peersOf(mappings: Record<string, PackageMapping>, given: PackageJson): { peerDependencies?: object } {
  const mapped = Object.values(mappings).map(({ name, version }) => [name, version]);
  const peers = { ...Object.fromEntries(mapped), ...given.peerDependencies };
  return Object.keys(peers).length > 0 ? { peerDependencies: peers } : {};
}
