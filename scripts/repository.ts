/**
 * Where the repository is and which files it has.
 *
 * @module
 */

import { walk } from "@std/fs/walk";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository that this script belongs to. */
export const ROOT: string = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "");

/** All files of the repository but those that git ignores, with `/` between the parts, sorted. */
export async function listFiles(root: string): Promise<string[]> {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const git = await new Deno.Command("git", { args, cwd: root, stdin: "null", stderr: "null" }).output()
    .catch(() => undefined);
  if (!git?.success) return await walkFiles(root);
  const files = new TextDecoder().decode(git.stdout).split("\0").filter((file) => file !== "");
  return files.filter((file) => exists(join(root, file))).sort();
}

/** For copies of the repository without git. */
async function walkFiles(root: string): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of walk(root, { includeDirs: false, skip: [/[\\/](\.git|npm|node_modules|coverage)$/] })) {
    files.push(relative(root, entry.path).replaceAll("\\", "/"));
  }
  return files.sort();
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch {
    return false;
  }
}
