/**
 * What goes to JSR: everything that users need, nothing that is for us alone.
 *
 * @module
 */

import type { Finding } from "./source.ts";

const WANTED = [
  "mod.ts",
  "cli.ts",
  "deno.json",
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
  // What `kvstore inspect --html` emits. Its sources stay here: they are for browsers, and JSR takes no such types.
  "src/cli/inspect/generated.ts",
];

const UNWANTED =
  /^(tests|scripts|bench|examples|npm)\/|(^|[._])(test|bench)\.[cm]?[jt]sx?$|(^|\/)testdata\/|^src\/cli\/inspect\/browser\//;

/** What deno.json says of publishing. */
export interface PublishList {
  /** Files and folders that are published. */
  include: string[];
  /** Of those, what is not. */
  exclude?: string[];
}

/** Checks `publish.include` and `publish.exclude` in deno.json against the files of the repository. */
export function checkPublishList({ include, exclude = [] }: PublishList, paths: string[]): Finding[] {
  const findings: Finding[] = [];
  const complain = (path: string, message: string) => findings.push({ path, line: 1, message });
  const covers = (entry: string, path: string) => path === entry || path.startsWith(entry.replace(/\/?$/, "/"));
  for (const entry of [...include, ...exclude]) {
    if (paths.some((path) => covers(entry, path))) continue;
    complain(
      "deno.json",
      `publish.${
        include.includes(entry) ? "include" : "exclude"
      } names ${entry}: no such file or folder (patterns are not wanted)`,
    );
  }
  const published = paths.filter((path) => {
    return include.some((entry) => covers(entry, path)) && !exclude.some((entry) => covers(entry, path));
  });
  for (const path of published) {
    if (UNWANTED.test(path)) {
      complain(path, "would be published: move it out of what publish.include in deno.json names");
    }
  }
  for (const path of WANTED) {
    if (!published.includes(path)) complain("deno.json", `publish.include leaves out ${path}`);
  }
  return findings;
}
