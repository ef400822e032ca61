/**
 * Syntax that older parsers of TypeScript refuse. The build for npm reads the code with the parser of dnt, which lags
 * behind Deno's.
 *
 * @module
 */

import ts from "typescript";
import { type Finding, forEachNode, lineOf, parse, type SourceText } from "./source.ts";

/** Finds comparisons and shifts of what stands before `as` or `satisfies`: `a as number >= 0`. */
export function checkParsers(files: SourceText[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files) {
    if (!file.path.startsWith("src/")) continue;
    forEachNode(parse(file), (node) => {
      if (!ts.isBinaryExpression(node) || !/^[<>]/.test(node.operatorToken.getText())) return;
      if (!ts.isAsExpression(node.left) && !ts.isSatisfiesExpression(node.left)) return;
      const message = "older parsers take < or > behind a type for a part of it: put the assertion into parentheses";
      findings.push({ path: file.path, line: lineOf(node), message });
    });
  }
  return findings;
}
