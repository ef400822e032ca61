/**
 * How long things may be. Blank lines and comments do not count.
 *
 * @module
 */

import ts from "typescript";
import { type Finding, forEachNode, lineOf, parse, type SourceText } from "./source.ts";

/** Lines of all files of a folder: the engine is there to be read, and a feature beside it stays a feature. */
const MAX_FOLDER_LINES: Record<string, number> = {
  "src/engine/": 2500,
  "src/aside/": 500,
  "src/audit/": 500,
  "src/backup/": 500,
  "src/cache/": 500,
  "src/check/": 900,
  "src/follow/": 500,
  "src/image/": 500,
  "src/kv/": 1800,
  "src/lazy_index/": 500,
  "src/lookahead/": 500,
  "src/maintenance/": 500,
  "src/order/": 500,
  "src/ordering/": 500,
  "src/rotation/": 500,
  "src/saved_order/": 500,
  "src/search/": 500,
  "src/sorting/": 500,
  "src/views/": 500,
  "src/watch/": 500,
};
/** Lines of one file. */
const MAX_FILE_LINES = 300;
/** Lines of one function. */
const MAX_FUNCTION_LINES = 70;

/** What may be longer. */
export interface Exception {
  /** How long, in lines. */
  lines: number;
  /** Why. */
  reason: string;
}

/** Exceptions by file (`src/a.ts`), by file and function (`src/a.ts run`), or by folder (`src/a/`). */
export const EXCEPTIONS: Record<string, Exception> = {};

/** The limits, so that tests need no long files. */
export interface Limits {
  /** Lines of folders, by their paths. */
  folders: Record<string, number>;
  /** Lines of one file. */
  file: number;
  /** Lines of one function. */
  function: number;
  /** What may be longer. */
  exceptions: Record<string, Exception>;
}

const LIMITS: Limits = {
  folders: MAX_FOLDER_LINES,
  file: MAX_FILE_LINES,
  function: MAX_FUNCTION_LINES,
  exceptions: EXCEPTIONS,
};

interface Measured {
  path: string;
  line: number;
  /** As exceptions name it. */
  name: string;
  lines: number;
  limit: number;
}

/** Lines of code of all files in a folder. */
export function folderLines(files: SourceText[], folder: string): number {
  const inside = files.filter(({ path }) => path.startsWith(folder));
  return inside.reduce((sum, file) => sum + codeLines(parse(file)).size, 0);
}

/** Finds what is too long, and exceptions that nothing needs. */
export function checkSizes(files: SourceText[], limits: Limits = LIMITS): Finding[] {
  const findings: Finding[] = [];
  const measured = files.flatMap((file) => measure(file, limits));
  for (const [path, limit] of Object.entries(limits.folders)) {
    measured.push({ path, line: 1, name: path, lines: folderLines(files, path), limit });
  }
  for (const { path, line, name, lines, limit } of measured) {
    const allowed = limits.exceptions[name]?.lines ?? limit;
    if (lines <= allowed) continue;
    const advice = name.endsWith("/") ? "make it simpler" : "split it";
    const message = `${name} has ${lines} lines of code, wanted are at most ${allowed}: ${advice}`;
    findings.push({ path, line, message });
  }
  for (const name of Object.keys(limits.exceptions)) {
    if (measured.some((one) => one.name === name && one.lines > one.limit)) continue;
    const message = `the exception for ${name} is not needed: remove it`;
    findings.push({ path: "scripts/checks/sizes.ts", line: 1, message });
  }
  return findings;
}

function measure(file: SourceText, limits: Limits): Measured[] {
  const { path } = file;
  const tree = parse(file);
  const code = codeLines(tree);
  const measured: Measured[] = [{ path, line: 1, name: path, lines: code.size, limit: limits.file }];
  forEachNode(tree, (node) => {
    if (!ts.isFunctionLike(node) || !("body" in node) || !node.body) return;
    const first = lineOf(node);
    const last = tree.getLineAndCharacterOfPosition(node.end).line + 1;
    const lines = [...code].filter((line) => line >= first && line <= last).length;
    measured.push({ path, line: first, name: `${path} ${nameOf(node)}`, lines, limit: limits.function });
  });
  return measured;
}

/** A function's own name, or that of what it is given to. */
function nameOf(node: ts.SignatureDeclaration): string {
  if (node.name) return node.name.getText();
  if (ts.isConstructorDeclaration(node)) return "constructor";
  const { parent } = node;
  if ((ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) && parent.name) {
    return parent.name.getText();
  }
  return ts.isCallExpression(parent) ? `${parent.expression.getText()}(…)` : "(anonymous)";
}

/** The lines, from 1 on, that hold more than blanks and comments. */
function codeLines(tree: ts.SourceFile): Set<number> {
  const lines = new Set<number>();
  const text = tree.text.split("\n");
  const visit = (node: ts.Node) => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(tree);
    children.forEach(visit);
    if (children.length > 0 || node.getStart(tree) >= node.end) return;
    const last = tree.getLineAndCharacterOfPosition(node.end).line;
    for (let line = lineOf(node) - 1; line <= last; line++) {
      if (text[line]!.trim() !== "") lines.add(line + 1);
    }
  };
  visit(tree);
  return lines;
}
