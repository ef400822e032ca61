/**
 * What docs/safety.md names, so that tests can see that it is there: sentences with their mutants, and tests.
 *
 * @module
 */

import ts from "typescript";
import { forEachNode, parse, type SourceText } from "../checks/source.ts";

/** Where the sentences stand. */
export const DOCUMENT = "docs/safety.md";

/** The sentences of its two tables, each with what stands beside it. */
export function sentencesOf(document: string): Map<string, string> {
  const sentences = new Map<string, string>();
  let isTable = false;
  for (const line of document.split("\n")) {
    const cells = line.startsWith("|") ? line.slice(1, -1).split("|").map((cell) => cell.trim()) : [];
    if (cells.length !== 2) isTable = false;
    else if (cells[1] === "mutants") isTable = true;
    else if (isTable && !cells[0]!.startsWith("--")) sentences.set(cells[0]!, cells[1]!);
  }
  return sentences;
}

/** The mutants that it names: words in backquotes that are joined by hyphens. */
export function mutantsNamedIn(document: string): string[] {
  return Array.from(document.matchAll(/`([a-z]+(?:-[a-z]+)+)`/g), ([, id]) => id!);
}

/** The tests that it names: a file in backquotes, with a title in typographic quotes or without one. */
export function testsNamedIn(document: string): [file: string, title: string | undefined][] {
  const text = document.replaceAll(/\s+/g, " ");
  return Array.from(text.matchAll(/`(tests\/[^`]+\.ts)`(?: “([^”]+)”)?/g), ([, file, title]) => [file!, title]);
}

/** Every text in a file of tests, `…` for what is put in: the titles are among them. */
export function titlesIn(file: SourceText): Set<string> {
  const titles = new Set<string>();
  forEachNode(parse(file), (node) => {
    if (ts.isStringLiteralLike(node)) titles.add(node.text);
    if (!ts.isTemplateExpression(node)) return;
    titles.add(node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join(""));
  });
  return titles;
}
