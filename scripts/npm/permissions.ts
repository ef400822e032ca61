/**
 * What the library needs to be permitted under Deno: to read and write its directory, and nothing else.
 *
 * @module
 */

import { join } from "node:path";
import { ROOT } from "../repository.ts";
import { assertSame, type Results } from "./results.ts";
import { run } from "./run.ts";
import type { Runtime } from "./runtimes.ts";

const COLUMN = "package";

/** What is tried: the flags and the path (below the working directory), and what must come of it. */
interface Trial {
  name: string;
  flags: (path: string) => string[];
  path: string;
  /** The directory is there before. */
  isThere: boolean;
  what?: "read";
  says: [code: number, output: RegExp];
}

const readAndWrite = (path: string) => [`--allow-read=${path}`, `--allow-write=${path}`];
const WORKS = [0, /^0 problems\n$/] as [number, RegExp];

const TRIALS: Trial[] = [
  { name: "its directory", flags: readAndWrite, path: "ABSOLUTE/one", isThere: true, says: WORKS },
  {
    name: "reading only",
    flags: (path) => [`--allow-read=${path}`],
    path: "ABSOLUTE/one",
    isThere: true,
    what: "read",
    says: [0, /^1 1\n$/],
  },
  { name: "a relative path", flags: readAndWrite, path: "./two", isThere: true, says: WORKS },
  {
    name: "a relative path, reading only",
    flags: (path) => [`--allow-read=${path}`],
    path: "two",
    isThere: true,
    what: "read",
    says: [0, /^1 1\n$/],
  },
  { name: "its directory, to be created", flags: () => readAndWrite("."), path: "three", isThere: false, says: WORKS },
  {
    name: "its directory, to be created without its parent",
    flags: readAndWrite,
    path: "four",
    isThere: false,
    says: [3, /create/],
  },
  { name: "nothing at all", flags: () => [], path: "five", isThere: true, says: [3, /./] },
];

/** Tries the permissions, with a folder to work in. */
export async function checkPermissions(deno: Runtime, folder: string, results: Results): Promise<void> {
  await Deno.mkdir(folder);
  for (const { name, flags, path: given, isThere, what, says } of TRIALS) {
    await results.check(deno.name, COLUMN, `with permission for ${name}`, async () => {
      const path = given.replace("ABSOLUTE", folder);
      const absolute = path.startsWith(folder) ? path : join(folder, path);
      if (isThere) await Deno.mkdir(absolute, { recursive: true });
      const program = join(ROOT, "scripts/npm/programs/permissions.ts");
      const args = ["run", "--quiet", "--no-check", "--no-prompt", ...flags(path), program, what ?? "write", path];
      const { code, stdout, stderr } = await run(deno.program, args, { cwd: folder });
      assertSame([code, stderr], [says[0], ""], `exit status, with ${stdout.trim()}`);
      if (!says[1].test(stdout)) throw new Error(`said ${stdout}`);
      if (says[0] !== 0 && !isThere) assertSame(isCreated(absolute), false, "created");
    });
  }
}

function isCreated(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
