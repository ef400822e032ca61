/**
 * No `instanceof` with a class of the language: test runners and `node:vm` give each realm its own, and what another
 * one made is no instance of ours. src/kinds.ts tells by what a thing is.
 *
 * @module
 */

import ts from "typescript";
import { type Finding, forEachNode, lineOf, parse, type SourceText } from "./source.ts";

/** Finds each `instanceof` in src/ with a class that its file neither declares nor imports. */
export function checkRealms(files: SourceText[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files) {
    if (!file.path.startsWith("src/")) continue;
    const tree = parse(file);
    const own = new Set<string>();
    forEachNode(tree, (node) => {
      if (ts.isImportSpecifier(node) || ts.isClassDeclaration(node)) own.add(node.name?.text ?? "");
    });
    forEachNode(tree, (node) => {
      if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.InstanceOfKeyword) return;
      const name = node.right.getText();
      if (own.has(name)) return;
      const message = `instanceof ${name} fails for what another realm made: tell by what it is, as src/kinds.ts does`;
      findings.push({ path: file.path, line: lineOf(node), message });
    });
  }
  return findings;
}
