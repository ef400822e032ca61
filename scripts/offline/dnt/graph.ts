import ts from "typescript";
import { dirname, join, relative } from "node:path";
import type { PackageMapping } from "./mod.ts";

/** A source file on its way into the package. */
export interface SourceFile {
  /** Where it goes below esm/ and script/, still with `.ts`, `/` between the parts. */
  path: string;
  /** Its text, imports rewritten. */
  text: string;
  /** The files that it imports. */
  imports: string[];
}

interface Config {
  imports?: Record<string, string>;
  links?: string[];
}

interface LinkedPackage {
  folder: string;
  version: string;
  exports: string | Record<string, string>;
}

/** Where the sources are, and what stands for npm packages in them. */
export interface Sources {
  /** The folder with deno.json. */
  root: string;
  /** npm packages by specifier. */
  mappings: Record<string, PackageMapping>;
}

/** All files that the entry points reach, by absolute path. */
export function readGraph(entryPoints: string[], { root, mappings }: Sources): Map<string, SourceFile> {
  const config: Config = readJson(join(root, "deno.json"));
  const links = readLinks(config, root);
  const unused = new Set(Object.keys(mappings));
  const files = new Map<string, SourceFile>();
  const queue = [...entryPoints];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (files.has(file)) continue;
    const resolveHere: Resolve = (specifier, from) => {
      const full = specifier.startsWith(".") ? specifier : unalias(specifier, config);
      unused.delete(full);
      return resolve(specifier, { from, full, links, mapping: mappings[full] });
    };
    const source = readSource(file, resolveHere, root, links);
    files.set(file, source);
    queue.push(...source.imports);
  }
  if (unused.size > 0) throw new Error(`no import is mapped by ${[...unused].join(", ")}`);
  return files;
}

/** The files among `files` that these entry points reach. */
export function reachable(entryPoints: string[], files: Map<string, SourceFile>): Set<string> {
  const reached = new Set(entryPoints);
  for (const file of reached) {
    for (const imported of files.get(file)!.imports) reached.add(imported);
  }
  return reached;
}

type Resolve = (specifier: string, from: string) => string | undefined;
type Links = Map<string, LinkedPackage>;

function readSource(file: string, resolve: Resolve, root: string, links: Links): SourceFile {
  if (!/(?<!\.d)\.ts$/.test(file)) throw new Error(`${file}: the stand-in for dnt takes .ts files only`);
  const path = outputPath(file, root, links);
  let text = Deno.readTextFileSync(file);
  const imports: string[] = [];
  const literals: ts.StringLiteral[] = [];
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true), literals);
  for (const literal of literals.reverse()) {
    const imported = resolve(literal.text, file);
    if (imported === undefined) continue;
    imports.push(imported);
    const to = relative(dirname(path), outputPath(imported, root, links)).replaceAll("\\", "/");
    const specifier = (to.startsWith(".") ? to : `./${to}`).replace(/\.ts$/, ".js");
    text = text.slice(0, literal.getStart() + 1) + specifier + text.slice(literal.end - 1);
  }
  return { path, text, imports };
}

/** Collects the module specifiers of imports, exports, `import()` and import types, in the order of the text. */
function visit(node: ts.Node, literals: ts.StringLiteral[]): void {
  if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) {
    throw new Error(`${node.getSourceFile().fileName}: the stand-in for dnt does not implement import.meta`);
  }
  const specifier = specifierOf(node);
  if (specifier && ts.isStringLiteral(specifier)) literals.push(specifier);
  ts.forEachChild(node, (child) => visit(child, literals));
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return node.argument.literal;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return node.arguments[0];
  return undefined;
}

/** What deno.json has a specifier stand for. */
function unalias(specifier: string, config: Config): string {
  const mapped = Object.entries(config.imports ?? {}).find(([name]) => `${specifier}/`.startsWith(`${name}/`));
  return mapped ? mapped[1] + specifier.slice(mapped[0].length) : specifier;
}

/** Where a specifier stands, and what is known of it. */
interface Import {
  from: string;
  full: string;
  links: Links;
  mapping: PackageMapping | undefined;
}

/** The file that a specifier means, `undefined` for what stays as it is: the runtime's own, and npm packages. */
function resolve(specifier: string, { from, full, links, mapping }: Import): string | undefined {
  if (specifier.startsWith("node:")) return undefined;
  if (specifier.startsWith(".")) return join(dirname(from), specifier);
  if (mapping !== undefined) {
    if (mapping.name === specifier) return undefined;
    throw new Error(`${from}: the stand-in for dnt imports npm packages by their own names only, not "${specifier}"`);
  }
  const [, name, subPath] = /^jsr:(@[^/]+\/[^@/]+)(?:@[^/]*)?(?:\/(.+))?$/.exec(full) ?? [];
  const linked = links.get(name ?? "");
  const key = subPath === undefined ? "." : `./${subPath}`;
  const target = typeof linked?.exports === "string" && key === "." ? linked.exports : Object(linked?.exports)[key];
  if (!linked || !target) throw new Error(`${from}: the stand-in for dnt finds no linked package with "${specifier}"`);
  return join(linked.folder, target);
}

function outputPath(file: string, root: string, links: Links): string {
  for (const [name, { folder, version }] of links) {
    const inside = relative(folder, file);
    if (!inside.startsWith("..")) return `deps/jsr.io/${name}/${version}/${inside}`.replaceAll("\\", "/");
  }
  return relative(root, file).replaceAll("\\", "/");
}

function readLinks(config: Config, root: string): Links {
  return new Map((config.links ?? []).map((link) => {
    const folder = join(root, link);
    const { name, version, exports } = readJson(join(folder, "deno.json"));
    return [name, { folder, version, exports }];
  }));
}

// deno-lint-ignore no-explicit-any
function readJson(file: string): any {
  return JSON.parse(Deno.readTextFileSync(file));
}
