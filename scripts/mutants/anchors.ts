/**
 * Finds what mutants name: code by the function that it stands in, tests by their titles. Neither depends on the file,
 * so that files can move, nor does code depend on its layout.
 *
 * @module
 */

import { join } from "node:path";
import ts from "typescript";
import { parse, type SourceText } from "../checks/source.ts";
import { listFiles } from "../repository.ts";
import { titlesIn } from "./document.ts";
import type { Killer, Mutant } from "./types.ts";

/** A part of a file. */
interface Place {
  file: SourceText;
  start: number;
  end: number;
}

/** A function, a member of a class, or a constant of a module: from its first word on, without its doc comment. */
export interface Declaration extends Place {
  /** `openWriter`, `Writer.publish`, `Writer.constructor`, `MAX_OPEN_FILES`. */
  name: string;
}

/** The TypeScript files of a repository whose paths begin like that. */
export async function readSources(root: string, prefix: string): Promise<SourceText[]> {
  const paths = (await listFiles(root)).filter((path) => path.startsWith(prefix) && path.endsWith(".ts"));
  return await Promise.all(paths.map(async (path) => ({ path, text: await Deno.readTextFile(join(root, path)) })));
}

/** The functions, constants and members of classes in a file. */
export function declarationsIn(file: SourceText): Declaration[] {
  const source = parse(file);
  const declarations: Declaration[] = [];
  const add = (name: string, node: ts.Node) =>
    declarations.push({ name, file, start: node.getStart(source), end: node.end });
  for (const statement of source.statements) {
    if (ts.isFunctionDeclaration(statement) && statement.name !== undefined) add(statement.name.text, statement);
    if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) add(name.getText(source), statement);
    }
    if (!ts.isClassDeclaration(statement) || statement.name === undefined) continue;
    for (const member of statement.members) {
      const name = ts.isConstructorDeclaration(member) ? "constructor" : member.name?.getText(source);
      if (name !== undefined) add(`${statement.name.text}.${name}`, member);
    }
  }
  return declarations;
}

interface Token {
  text: string;
  start: number;
  end: number;
}

/** The tokens of a text, without trailing commas. A regular expression comes apart into several. */
function tokensOf(text: string): Token[] {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, true, ts.LanguageVariant.Standard, text);
  const tokens: Token[] = [];
  /** For each brace that is open: whether it is one of a template. */
  const braces: boolean[] = [];
  for (let kind = scanner.scan(); kind !== ts.SyntaxKind.EndOfFileToken; kind = scanner.scan()) {
    if (kind === ts.SyntaxKind.OpenBraceToken) braces.push(false);
    if (kind === ts.SyntaxKind.CloseBraceToken && braces.pop() === true) kind = scanner.reScanTemplateToken(false);
    if (kind === ts.SyntaxKind.TemplateHead || kind === ts.SyntaxKind.TemplateMiddle) braces.push(true);
    const isClosing = kind === ts.SyntaxKind.CloseParenToken || kind === ts.SyntaxKind.CloseBracketToken ||
      kind === ts.SyntaxKind.CloseBraceToken;
    if (isClosing && tokens.at(-1)?.text === ",") tokens.pop();
    tokens.push({ text: scanner.getTokenText(), start: scanner.getTokenStart(), end: scanner.getTokenEnd() });
  }
  return tokens;
}

/** Where a text stands in a part of a file, compared token by token. */
function placesOf(wanted: string, { file, start, end }: Place): Place[] {
  const tokens = tokensOf(file.text.slice(start, end));
  const sought = tokensOf(wanted);
  const places: Place[] = [];
  for (let i = 0; sought.length > 0 && i + sought.length <= tokens.length; i++) {
    if (!sought.every(({ text }, k) => text === tokens[i + k]!.text)) continue;
    places.push({ file, start: start + tokens[i]!.start, end: start + tokens[i + sought.length - 1]!.end });
  }
  return places;
}

/** The file that a mutant changes, with the mutant in it. Throws unless its text occurs exactly once under its name. */
export function mutate(declarations: Declaration[], { id, in: name, find, replace }: Mutant): SourceText {
  const named = declarations.filter((declaration) => declaration.name === name);
  if (named.length === 0) throw new Error(`${id}: nothing in src/ is called ${name}`);
  const places = named.flatMap((declaration) => placesOf(find, declaration));
  const [place] = places;
  if (place === undefined || places.length > 1) {
    const paths = named.map(({ file }) => file.path).join(", ");
    throw new Error(`${id}: its text occurs ${places.length} times in ${name} (${paths}), wanted is once: ${find}`);
  }
  const { path, text } = place.file;
  return { path, text: text.slice(0, place.start) + replace + text.slice(place.end) };
}

/** The tests that are to notice a mutant. Throws unless each title stands in exactly one of the files of tests. */
export function killersOf(files: Map<string, string[]>, { id, killers }: Mutant): Killer[] {
  return killers.map((title) => {
    const paths = files.get(title) ?? [];
    const [file] = paths;
    if (file === undefined) throw new Error(`${id}: no file in tests/ has a test “${title}”`);
    if (paths.length > 1) throw new Error(`${id}: “${title}” stands in ${paths.join(", ")}, wanted is one file`);
    return { file, title };
  });
}

/** Which files each title stands in. */
export function filesByTitle(tests: SourceText[]): Map<string, string[]> {
  const files = new Map<string, string[]>();
  for (const test of tests) {
    for (const title of titlesIn(test)) files.set(title, [...files.get(title) ?? [], test.path]);
  }
  return files;
}
