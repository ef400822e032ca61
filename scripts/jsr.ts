/**
 * Runs a job in a copy of the repository that uses the packages published on JSR instead of the stand-ins in
 * scripts/offline, since `links` in deno.json can be switched off in no other way. Where JSR cannot be reached, the
 * copy goes on using the stand-ins, and says so.
 *
 * @module
 */

import { dirname, join, relative } from "node:path";
import { listFiles, ROOT } from "./repository.ts";

const STAND_INS = "scripts/offline/";

/** How long to wait for JSR before taking it for unreachable. */
const PROBE_MILLISECONDS = 5000;

/** A copy of the repository. */
export interface JsrCopy {
  /** Its folder, for the caller to remove. */
  dir: string;
  /** Why the stand-ins are in use, if they are. */
  standInsBecause: string | undefined;
}

/** Why JSR cannot be used, or `undefined` where it can. */
export async function jsrProblem(
  jsr: string = Deno.env.get("JSR_URL") ?? "https://jsr.io/",
): Promise<string | undefined> {
  try {
    const url = new URL("@std/assert/meta.json", jsr.endsWith("/") ? jsr : `${jsr}/`);
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_MILLISECONDS) });
    await response.body?.cancel();
    return response.ok ? undefined : `${url} answers ${response.status}`;
  } catch (error) {
    return `${jsr} cannot be reached: ${error instanceof Error ? error.message : error}`;
  }
}

/** Copies the repository to a new temporary folder; `problem` says why JSR cannot be used there. */
export async function copyForJsr(root: string, problem: string | undefined): Promise<JsrCopy> {
  const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "kvstore-jsr-" }));
  for (const file of await listFiles(root)) {
    if (file.startsWith(STAND_INS)) continue;
    await Deno.mkdir(join(dir, dirname(file)), { recursive: true });
    await Deno.copyFile(join(root, file), join(dir, file));
  }
  const { links, ...config } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  // the stand-ins stay outside the copy: `deno publish` takes linked folders inside it for files it must publish
  if (problem !== undefined) {
    config.links = links?.map((link: string) => relative(dir, join(root, link)).replaceAll("\\", "/"));
  }
  await Deno.writeTextFile(join(dir, "deno.json"), `${JSON.stringify(config, undefined, 2)}\n`);
  return { dir, standInsBecause: problem };
}

interface Job {
  args: string[];
  needsJsr?: boolean;
}

const JOBS: Record<string, Job> = {
  "npm:build": { args: ["run", "-A", "scripts/npm/build.ts", join(ROOT, "npm")] },
  "jsr:dry": { args: ["publish", "--dry-run", "--allow-dirty"] },
  "jsr:test": { args: ["test", "-A"], needsJsr: true },
};

async function main([name = "", ...rest]: string[]): Promise<number> {
  const job = JOBS[name];
  if (!job) throw new Error(`no job "${name}"; there are ${Object.keys(JOBS).join(", ")}`);
  const problem = await jsrProblem();
  if (problem !== undefined && job.needsJsr) {
    console.log(`${name}: skipped, as ${problem}`);
    return 0;
  }
  const { dir, standInsBecause } = await copyForJsr(ROOT, problem);
  const packages = standInsBecause === undefined
    ? "the packages published on JSR"
    : `the stand-ins in ${STAND_INS}, as ${standInsBecause}`;
  console.log(`${name}: with ${packages}`);
  try {
    const args = [...job.args, ...rest];
    return (await new Deno.Command(Deno.execPath(), { args, cwd: dir, stdin: "null" }).spawn().status).code;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
