/**
 * How long things may be. Blank lines and comments do not count.
 *
 * @module
 */

import ts from "typescript";
import { type Finding, forEachNode, lineOf, parse, type SourceText } from "./source.ts";

/** Lines of src/ without the command line and the adapters. */
const MAX_LIBRARY_LINES = 2500;
/** Lines of one file. */
const MAX_FILE_LINES = 300;
/** Lines of one function. */
const MAX_FUNCTION_LINES = 70;

/** Stands for the library as a whole. */
const LIBRARY = "src/";

/** What may be longer. */
export interface Exception {
  /** How long, in lines. */
  lines: number;
  /** Why. */
  reason: string;
}

/** Exceptions by file (`src/a.ts`), by file and function (`src/a.ts run`), or for the library as a whole (`src/`). */
export const EXCEPTIONS: Record<string, Exception> = {
  "src/": {
    lines: 8520,
    reason:
      "log, index and compaction, the engine that is there to be read, have some 2,000 lines; the rest is what the " +
      "contract asks of a store beyond it: snapshots, watches, history, readers beside a writer, expiry, verify, repair, " +
      "backup, two platforms",
  },
};

/** The limits, so that tests need no long files. */
export interface Limits {
  /** Lines of the library. */
  library: number;
  /** Lines of one file. */
  file: number;
  /** Lines of one function. */
  function: number;
  /** What may be longer. */
  exceptions: Record<string, Exception>;
}

const LIMITS: Limits = {
  library: MAX_LIBRARY_LINES,
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

/** Lines of the library, as the limit counts them. */
export function libraryLines(files: SourceText[]): number {
  const library = files.filter(({ path }) => /^src\/(?!cli\/|adapters\/)/.test(path));
  return library.reduce((sum, file) => sum + codeLines(parse(file)).size, 0);
}

/** Finds what is too long, and exceptions that nothing needs. */
export function checkSizes(files: SourceText[], limits: Limits = LIMITS): Finding[] {
  const findings: Finding[] = [];
  const measured = files.flatMap((file) => measure(file, limits));
  measured.push({ path: LIBRARY, line: 1, name: LIBRARY, lines: libraryLines(files), limit: limits.library });
  for (const { path, line, name, lines, limit } of measured) {
    const allowed = limits.exceptions[name]?.lines ?? limit;
    if (lines <= allowed) continue;
    const [subject, advice] = name === LIBRARY ? ["the library", "make it simpler"] : [name, "split it"];
    const message = `${subject} has ${lines} lines of code, wanted are at most ${allowed}: ${advice}`;
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
