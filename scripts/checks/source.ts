import ts from "typescript";

/** A file of the repository. */
export interface SourceText {
  /** Relative to the repository, `/` between the parts. */
  path: string;
  /** Its text. */
  text: string;
}

/** Something that a check does not accept. */
export interface Finding {
  /** The file. */
  path: string;
  /** The line, from 1 on. */
  line: number;
  /** What is wrong, and what is wanted instead. */
  message: string;
}

/** Parses a file. */
export function parse({ path, text }: SourceText): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

/** The line on which a node begins, from 1 on. */
export function lineOf(node: ts.Node): number {
  const file = node.getSourceFile();
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
}

/** Calls `action` for a node and all below it. */
export function forEachNode(node: ts.Node, action: (node: ts.Node) => void): void {
  action(node);
  ts.forEachChild(node, (child) => forEachNode(child, action));
}
