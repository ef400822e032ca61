/**
 * Which part may import which. Imports point one way: cli, adapters and kv → mod → store → features → engine → platform,
 * errors.
 *
 * @module
 */

import ts from "typescript";
import { posix } from "node:path";
import { type Finding, forEachNode, lineOf, parse, type SourceText } from "./source.ts";

/** What stands around the engine. */
const FEATURES = [
  "image",
  "lazy_index",
  "lookahead",
  "cache",
  "views",
  "order",
  "ordering",
  "saved_order",
  "search",
  "sorting",
  "watch",
  "follow",
  "check",
  "backup",
  "aside",
  "audit",
  "rotation",
  "maintenance",
];

/** What each part may import beside itself. `base` is the files directly in src/: errors, types, helpers. */
const ALLOWED: Record<string, string[]> = {
  cli: ["mod"],
  // What runs in a browser, not in the command: the command must not reach it, it is built into what it emits.
  browser: ["cli"],
  adapters: ["mod"],
  kv: ["mod", "adapters", "platform"],
  mod: ["store", ...FEATURES, "engine", "base"],
  store: [...FEATURES, "engine", "platform", "base"],
  ...Object.fromEntries(FEATURES.map((name) => [name, [...FEATURES, "store", "engine", "platform", "base"]])),
  engine: ["platform", "base"],
  platform: ["base"],
  base: [],
};

/** The package that an adapter may import, by the first word of its files' names. */
const PEERS: Record<string, string> = { level: "abstract-level" };

/** Packages that the other parts may import, by the beginnings of their names. */
const PACKAGES: Record<string, string[]> = { cli: ["@std/cli/"], browser: ["uplot"] };

/** The parts that may use the modules of the runtime (`node:`). */
const MAY_USE_NODE = ["platform", "cli", "adapters", "kv"];

/** Which part a file belongs to, `undefined` for files outside the package. */
export function partOf(path: string): string | undefined {
  if (path === "mod.ts" || path === "cli.ts") return path.slice(0, -3);
  if (path.startsWith("src/cli/inspect/browser/")) return "browser";
  const [, folder, file] = /^src\/(?:(\w+)\/.+|(\w+)\.ts)$/.exec(path) ?? [];
  // a file beside the folders is a part of its own if it is called like one: src/store.ts
  if (file !== undefined) return file in ALLOWED ? file : "base";
  return folder;
}

/** Finds imports that point the wrong way, and uses of the runtime in parts that have to leave it alone. */
export function checkImports(files: SourceText[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files) {
    const part = partOf(file.path);
    if (part === undefined) continue;
    if (!(part in ALLOWED)) {
      findings.push({ path: file.path, line: 1, message: `src/${part}/ has no place in scripts/checks/imports.ts` });
      continue;
    }
    const tree = parse(file);
    forEachNode(tree, (node) => {
      const message = problemOf(node, part, file.path);
      if (message) findings.push({ path: file.path, line: lineOf(node), message });
    });
    for (const statement of part === "mod" ? tree.statements : []) {
      if (ts.isExportDeclaration(statement) && statement.moduleSpecifier) continue;
      findings.push({ path: file.path, line: lineOf(statement), message: "mod.ts holds nothing but re-exports" });
    }
  }
  return findings;
}

function problemOf(node: ts.Node, part: string, path: string): string | undefined {
  if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) {
    return "import.meta does not survive the build for npm: do without";
  }
  if (ts.isIdentifier(node) && node.text === "Deno" && part !== "platform") {
    return "only src/platform uses Deno: go through its interface";
  }
  const specifier = specifierOf(node);
  return specifier === undefined ? undefined : importProblem(specifier, part, path);
}

function specifierOf(node: ts.Node): string | undefined {
  let specifier: ts.Node | undefined;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) specifier = node.moduleSpecifier;
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) specifier = node.argument.literal;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) specifier = node.arguments[0];
  return specifier && ts.isStringLiteralLike(specifier) ? specifier.text : undefined;
}

function importProblem(specifier: string, part: string, path: string): string | undefined {
  if (specifier.startsWith("node:")) {
    if (MAY_USE_NODE.includes(part)) return undefined;
    return `${part} imports ${specifier}: only ${MAY_USE_NODE.map((name) => `src/${name}`).join(", ")} may`;
  }
  if (!specifier.startsWith(".")) {
    if (PACKAGES[part]?.some((name) => specifier.startsWith(name))) return undefined;
    if (part === "adapters" && specifier === PEERS[/([a-z]+)[^/]*$/.exec(path)![1]!]) return undefined;
    const allowed = "only src/cli may import @std/cli, and an adapter the package that it is for";
    return `${part} imports ${specifier}: the library has no dependency; ${allowed}`;
  }
  const target = posix.join(posix.dirname(path), specifier);
  const to = partOf(target);
  if (to === part || ALLOWED[part]!.includes(to ?? "")) return undefined;
  const wanted = ALLOWED[part]!.join(", ") || "nothing";
  return `${part} imports ${target}: ${part} may import ${wanted} and its own files`;
}
