/**
 * The runtimes that the package is tested on. Node and Bun come from npm, into a folder outside the repository, once.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { npm, runOk } from "./run.ts";

/** A program that runs JavaScript. */
export interface Runtime {
  /** What tables call it, with the version. */
  name: string;
  /** Which of the three. */
  kind: "deno" | "node" | "bun";
  /** Path of the program. */
  program: string;
  /** The folder of the program, for PATH. */
  folder: string;
}

/** A runtime that there is on npm. */
interface Wanted {
  kind: "node" | "bun";
  /** Package and version. */
  spec: string;
}

/** The oldest Node that package.json allows, the newest of each version with long support, and the newest of all. */
export const WANTED: Wanted[] = [
  { kind: "node", spec: "node@20.15.0" },
  { kind: "node", spec: "node@22" },
  { kind: "node", spec: "node@24" },
  { kind: "node", spec: "node@latest" },
  { kind: "bun", spec: "bun@latest" },
];

/** What there is, and what could not be had. */
export interface Found {
  runtimes: Runtime[];
  /** One line for each runtime that is missing. */
  missing: string[];
}

/** The Deno that runs this. */
export function thisDeno(): Runtime {
  const program = Deno.execPath();
  return { name: `Deno ${Deno.version.deno}`, kind: "deno", program, folder: dirname(program) };
}

/** Installs the runtimes that the cache folder does not have yet. */
export async function findRuntimes(cache: string): Promise<Found> {
  const found: Found = { runtimes: [], missing: [] };
  for (const wanted of WANTED) {
    try {
      found.runtimes.push(await findRuntime(wanted, cache));
    } catch (error) {
      const reason = error instanceof Error ? error.message.trim().split("\n").slice(0, 3).join(" ") : String(error);
      found.missing.push(`${wanted.spec} is skipped, as it cannot be had: ${reason}`);
    }
  }
  return found;
}

/** Installs a runtime that the cache folder does not have yet. */
export async function findRuntime({ kind, spec }: Wanted, cache: string): Promise<Runtime> {
  const folder = join(cache, spec);
  const program = programIn(folder, kind);
  if (!exists(program)) await install(spec, folder, cache);
  const version = (await runOk(program, ["--version"])).trim().replace(/^v/, "");
  return { name: `${kind === "node" ? "Node" : "Bun"} ${version}`, kind, program, folder: dirname(program) };
}

/** Installs to a folder of its own first, so that an interrupted download is never taken for the runtime. */
async function install(spec: string, folder: string, cache: string): Promise<void> {
  console.log(`downloading ${spec} to ${folder}`);
  await Deno.mkdir(cache, { recursive: true });
  const part = await Deno.makeTempDir({ dir: cache, prefix: `${basename(folder)}-` });
  try {
    await npm(["install", "--no-prefer-offline", "--prefix", part, spec], part, join(cache, "npm"));
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    await Deno.rename(part, folder);
  } catch (error) {
    await Deno.remove(part, { recursive: true });
    throw error;
  }
}

/** The program itself, not its link in .bin: that one is a script on Windows. */
function programIn(folder: string, kind: "node" | "bun"): string {
  const exe = kind === "bun" || Deno.build.os === "windows" ? ".exe" : "";
  const inPackage = join(folder, "node_modules", kind, "bin", `${kind}${exe}`);
  // the folder of links has `bun` and `bunx` under these names
  return Deno.build.os === "windows" ? inPackage : join(folder, "node_modules", ".bin", kind);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
