/**
 * Stand-in for `@deno/dnt`: the one kind of build that scripts/npm/build.ts asks for, with dnt's output. Anything else
 * that dnt can do ends in an error.
 *
 * @module
 */

import ts from "typescript";
import { dirname, join, resolve } from "node:path";
import { reachable, readGraph, type SourceFile } from "./graph.ts";
import { packageJson } from "./package_json.ts";

/** What becomes an export or a command of the package. */
export interface EntryPoint {
  /** Which of the two (default `"export"`). */
  kind?: "bin" | "export";
  /** Name in `exports` or `bin`. */
  name: string;
  /** The module, relative to the working directory. */
  path: string;
}

/** The npm package that a specifier stands for. */
export interface PackageMapping {
  /** The package's name. */
  name: string;
  /** Which versions of it will do. */
  version: string;
  /** Whether it is listed among the peers; nothing else is implemented. */
  peerDependency: true;
}

/** The fields of package.json. */
export interface PackageJson {
  /** The package's name. */
  name: string;
  /** The package's version. */
  version: string;
  // deno-lint-ignore no-explicit-any
  [field: string]: any;
}

/** dnt's options, as far as the stand-in knows them; single values are the only ones implemented. */
export interface BuildOptions {
  /** The first one becomes `main`. */
  entryPoints: (string | EntryPoint)[];
  /** Where the package goes. */
  outDir: string;
  /** None. */
  shims: Record<never, never>;
  /** No tests in the package. */
  test: false;
  /** Both outputs are type-checked. */
  typeCheck: "both";
  /** Declarations lie beside the code. */
  declaration: "inline";
  /** CommonJS beside ESM. */
  scriptModule: "cjs";
  /** No TypeScript in the package. */
  skipSourceOutput: true;
  /** npm packages by the specifiers, `npm:` and all, that imports resolve to. */
  mappings?: Record<string, PackageMapping>;
  /** The compiler's settings. */
  compilerOptions: { target: "ES2022"; lib: string[] };
  /** package.json. */
  package: PackageJson;
  /** Returns `false` for diagnostics to ignore. */
  filterDiagnostic?: (diagnostic: ts.Diagnostic) => boolean;
  /** Runs at the end. */
  postBuild?: () => void | Promise<void>;
}

/** For each option the one value that is implemented, `undefined` where it may be anything. */
const IMPLEMENTED: Record<keyof BuildOptions, unknown> = {
  entryPoints: undefined,
  outDir: undefined,
  shims: {},
  test: false,
  typeCheck: "both",
  declaration: "inline",
  scriptModule: "cjs",
  skipSourceOutput: true,
  mappings: undefined,
  compilerOptions: undefined,
  package: undefined,
  filterDiagnostic: undefined,
  postBuild: undefined,
};

/** Empties a folder, or creates it. */
export async function emptyDir(dir: string): Promise<void> {
  await Deno.remove(dir, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(dir, { recursive: true });
}

/** Builds the package. */
export async function build(options: BuildOptions): Promise<void> {
  refuseOthers(options);
  const root = Deno.cwd();
  const outDir = resolve(options.outDir);
  const entryPoints = options.entryPoints.map((entry, i) => {
    if (typeof entry !== "string") return entry;
    return { name: i === 0 ? "." : entry.replace(/\.tsx?$/, ".js"), path: entry };
  });
  const pathsOf = (entries: EntryPoint[]) => entries.map(({ path }) => join(root, path));
  const binaries = entryPoints.filter(({ kind }) => kind === "bin");
  const { mappings = {} } = options;
  const files = readGraph(pathsOf(entryPoints), { root, mappings });
  for (const path of pathsOf(binaries)) {
    const file = files.get(path)!;
    file.text = `#!/usr/bin/env node\n${file.text.replace(/^#!.*\n/, "")}`;
  }

  writeFile(join(outDir, "package.json"), packageJson(entryPoints, options, "stand-in for dnt@0.43.2"));
  writeFile(join(outDir, ".npmignore"), "/src/\n/test_runner.cjs\nyarn.lock\npnpm-lock.yaml\n");
  await npmInstall(outDir);

  emit("esm", [...files.values()], outDir, options);
  // like dnt: what only the command needs is not there twice, commands being ESM
  const exported = reachable(pathsOf(entryPoints.filter((entry) => !binaries.includes(entry))), files);
  emit("script", [...exported].map((path) => files.get(path)!), outDir, options);
  await options.postBuild?.();
}

function refuseOthers(options: BuildOptions): void {
  const given: Record<string, unknown> = { ...options };
  for (const name of new Set([...Object.keys(given), ...Object.keys(IMPLEMENTED)])) {
    const wanted = IMPLEMENTED[name as keyof BuildOptions];
    if (name in IMPLEMENTED && (wanted === undefined || JSON.stringify(wanted) === JSON.stringify(given[name]))) {
      continue;
    }
    throw new Error(`the stand-in for dnt does not implement ${name}: ${JSON.stringify(given[name])}`);
  }
  const other = Object.keys(options.compilerOptions).find((name) => name !== "target" && name !== "lib");
  if (other) throw new Error(`the stand-in for dnt does not implement compilerOptions.${other}`);
}

async function npmInstall(cwd: string): Promise<void> {
  const [command, ...args] = Deno.build.os === "windows" ? ["cmd", "/c", "npm", "install"] : ["npm", "install"];
  const { success } = await new Deno.Command(command!, { args, cwd, stdin: "null", stdout: "inherit" }).spawn().status;
  if (!success) throw new Error("npm install failed");
}

/** Type-checks and writes one of the two outputs. */
function emit(kind: "esm" | "script", files: SourceFile[], outDir: string, options: BuildOptions): void {
  const texts = new Map(files.map(({ path, text }) => [join(outDir, "src", path), text]));
  const compilerOptions = settings(kind, outDir, options);
  const program = ts.createProgram([...texts.keys()], compilerOptions, hostOf(texts, outDir, compilerOptions));
  const result = program.emit(undefined, writeFile);
  const wanted = (diagnostic: ts.Diagnostic) =>
    !diagnostic.file?.fileName.includes("/node_modules/") && (options.filterDiagnostic?.(diagnostic) ?? true);
  const diagnostics = [...ts.getPreEmitDiagnostics(program).filter(wanted), ...result.diagnostics];
  if (diagnostics.length > 0) {
    console.error(ts.formatDiagnostics(diagnostics, ts.createCompilerHost(compilerOptions)));
    throw new Error(`${kind}: ${diagnostics.length} diagnostics`);
  }
  const type = kind === "esm" ? "module" : "commonjs";
  writeFile(join(outDir, kind, "package.json"), `{\n  "type": "${type}"\n}\n`);
}

function settings(kind: "esm" | "script", outDir: string, options: BuildOptions): ts.CompilerOptions {
  const typesFolder = join(outDir, "node_modules", "@types");
  const given = ts.convertCompilerOptionsFromJson(options.compilerOptions, outDir);
  return {
    ...given.options,
    rootDir: join(outDir, "src"),
    outDir: join(outDir, kind),
    types: ts.sys.getDirectories(typesFolder),
    declaration: true,
    isolatedModules: true,
    skipLibCheck: true,
    useDefineForClassFields: true,
    useUnknownInCatchVariables: false,
    newLine: ts.NewLineKind.LineFeed,
    ignoreDeprecations: "6.0",
    esModuleInterop: kind === "script",
    allowSyntheticDefaultImports: true,
    module: kind === "esm" ? ts.ModuleKind.ESNext : ts.ModuleKind.CommonJS,
    moduleResolution: kind === "esm" ? ts.ModuleResolutionKind.Bundler : ts.ModuleResolutionKind.Node10,
  };
}

/** The sources exist in memory only, beside the type declarations that npm installed. */
function hostOf(texts: Map<string, string>, outDir: string, options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  const textOf = (path: string) => texts.get(resolve(path));
  return {
    ...host,
    getCurrentDirectory: () => outDir,
    directoryExists: undefined as never,
    fileExists: (path) => textOf(path) !== undefined || fileExists(path),
    readFile: (path) => textOf(path) ?? ts.sys.readFile(path),
    getSourceFile: (path, version, ...rest) => {
      const text = textOf(path);
      return text === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version);
    },
  };
}

function writeFile(path: string, text: string): void {
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.writeTextFileSync(path, text);
}
