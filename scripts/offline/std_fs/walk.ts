/**
 * Stand-in for `@std/fs/walk`: symbolic links are listed, never followed.
 *
 * @module
 */

import { basename, join, normalize } from "node:path";

/** What to leave out. The published package knows more options. */
export interface WalkOptions {
  /** Whether files are listed (default `true`). */
  includeFiles?: boolean;
  /** Whether directories are listed (default `true`). */
  includeDirs?: boolean;
  /** Whether symbolic links are listed (default `true`). */
  includeSymlinks?: boolean;
  /** List only paths that end so, with or without the dot. */
  exts?: string[];
  /** List only paths that match one of these. */
  match?: RegExp[];
  /** Leave out paths that match one of these, and all below them. */
  skip?: RegExp[];
}

/** An entry of the tree. */
export interface WalkEntry extends Deno.DirEntry {
  /** Full path of the entry. */
  path: string;
}

/** Everything below `root`, itself included, in the order in which the system lists it. */
export async function* walk(root: string, options: WalkOptions = {}): AsyncIterableIterator<WalkEntry> {
  if (options.includeDirs !== false && isWanted(root, options)) {
    const path = normalize(root);
    yield { path, name: basename(path), isFile: false, isDirectory: true, isSymlink: false };
  }
  if (isSkipped(root, options)) return;
  for await (const entry of Deno.readDir(root)) {
    const path = join(root, entry.name);
    if (entry.isDirectory) {
      yield* walk(path, options);
    } else if ((entry.isSymlink ? options.includeSymlinks : options.includeFiles) !== false) {
      if (isWanted(path, options)) yield { path, ...entry };
    }
  }
}

function isWanted(path: string, options: WalkOptions): boolean {
  const { exts, match } = options;
  if (exts && !exts.some((ext) => path.endsWith(ext.startsWith(".") ? ext : `.${ext}`))) return false;
  if (match && !match.some((pattern) => pattern.test(path))) return false;
  return !isSkipped(path, options);
}

function isSkipped(path: string, { skip }: WalkOptions): boolean {
  return skip?.some((pattern) => pattern.test(path)) ?? false;
}
