/**
 * Makes tests that are written in TypeScript against the source run against the installed package: the same modules as
 * JavaScript. What the package exports they import from the package, what it does not is compiled beside them.
 *
 * @module
 */

import ts from "typescript";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { ROOT } from "../repository.ts";
import { runOk } from "./run.ts";

/** Where modules are compiled to. */
export interface Target {
  /** A folder below the project in which the package is installed. */
  folder: string;
  /** Which of the package's two outputs is used. */
  format: "esm" | "script";
}

/** The part of what `deno info --json` says that is used. */
interface Info {
  modules: InfoModule[];
  redirects?: Record<string, string>;
}

interface InfoModule {
  specifier: string;
  local?: string;
  error?: string;
  dependencies?: { specifier: string; code?: { specifier: string }; type?: { specifier: string } }[];
}

const COMPILER_OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  esModuleInterop: true,
  newLine: ts.NewLineKind.LineFeed,
};

/** Compiles a module, named relative to the repository, and what it imports; returns where it is. */
export async function compile(entry: string, target: Target): Promise<string> {
  const graph: Info = JSON.parse(await runOk(Deno.execPath(), ["info", "--json", entry], { cwd: ROOT }));
  const modules = new Map(graph.modules.map((module) => [module.specifier, module]));
  for (const module of modules.values()) {
    if (module.error !== undefined) throw new Error(module.error);
    // what the system or the package has needs no compiling
    if (module.local === undefined || exportOf(module) !== undefined) continue;
    const file = outputOf(module, target);
    await Deno.mkdir(dirname(file), { recursive: true });
    await Deno.writeTextFile(file, await translate(module, { modules, redirects: graph.redirects ?? {} }, target));
  }
  const type = target.format === "esm" ? "module" : "commonjs";
  await Deno.writeTextFile(join(target.folder, "package.json"), `{ "type": "${type}" }\n`);
  return join(target.folder, entry.replace(/\.ts$/, ".js"));
}

interface Graph {
  modules: Map<string, InfoModule>;
  redirects: Record<string, string>;
}

async function translate(module: InfoModule, graph: Graph, target: Target): Promise<string> {
  let text = await Deno.readTextFile(module.local!);
  const from = dirname(outputOf(module, target));
  for (const literal of specifiersIn(text).reverse()) {
    const dependency = module.dependencies?.find(({ specifier }) => specifier === literal.text);
    const found = dependency?.code?.specifier ?? dependency?.type?.specifier;
    if (found === undefined || found.startsWith("node:")) continue;
    const imported = graph.modules.get(graph.redirects[found] ?? found);
    // imports of types alone have no module here, and disappear
    if (imported?.local === undefined) continue;
    text = text.slice(0, literal.pos) + JSON.stringify(importOf(imported, from, target)) + text.slice(literal.end);
  }
  const module_ = target.format === "esm" ? ts.ModuleKind.ESNext : ts.ModuleKind.CommonJS;
  return ts.transpileModule(text, { compilerOptions: { ...COMPILER_OPTIONS, module: module_ } }).outputText;
}

interface Literal {
  text: string;
  pos: number;
  end: number;
}

/** The specifiers of imports and exports, in the order of the text. */
function specifiersIn(text: string): Literal[] {
  const tree = ts.createSourceFile("module.ts", text, ts.ScriptTarget.Latest, true);
  return tree.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const literal = statement.moduleSpecifier;
    if (literal === undefined || !ts.isStringLiteral(literal)) return [];
    return [{ text: literal.text, pos: literal.getStart(tree), end: literal.end }];
  });
}

/** What a module says to import another one. */
function importOf(imported: InfoModule, from: string, target: Target): string {
  // by its name, as users do
  const exported = exportOf(imported);
  if (exported !== undefined) return config.name + exported.slice(1);
  const to = relative(from, outputOf(imported, target)).replaceAll("\\", "/");
  return to.startsWith(".") ? to : `./${to}`;
}

/** The name of the package's export that a module is, if it is one. */
function exportOf(module: InfoModule): string | undefined {
  const path = `./${pathInRepository(module)}`;
  return Object.entries(config.exports).find(([, file]) => file === path)?.[0];
}

function outputOf(module: InfoModule, target: Target): string {
  const path = pathInRepository(module);
  const isOurs = !path.startsWith("..");
  const name = isOurs ? path : `deps/${new URL(module.specifier).pathname}`;
  return join(target.folder, name.slice(0, name.length - extname(name).length) + ".js");
}

function pathInRepository({ specifier }: InfoModule): string {
  if (!specifier.startsWith("file:")) return "..";
  return relative(ROOT, fileURLToPath(specifier)).replaceAll("\\", "/");
}
