/**
 * Paths that callers pass in.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { describe } from "../kinds.ts";

/**
 * The path of a directory, given as a path or as a `file:` URL, as all calls that take a directory do it. A string with
 * a URL in it is refused: it would create a directory named `file:`.
 *
 * @throws {TypeError} for anything else
 * @experimental
 */
export function pathOf(directory: string | URL): string {
  if (typeof directory === "string") {
    if (directory === "") throw new TypeError("a directory is a path, not an empty string");
    if (!/^file:/i.test(directory)) return directory;
    throw new TypeError(`a directory is a path or a URL object: pass new URL(${JSON.stringify(directory)})`);
  }
  const { href } = (directory ?? {}) as { href?: unknown };
  if (typeof href !== "string") throw new TypeError(`a directory is a path or a file: URL, not ${describe(directory)}`);
  if (!/^file:/i.test(href)) throw new TypeError(`the URL of a directory begins with file:, not ${href}`);
  return fileURLToPath(href);
}
