/**
 * Installs peers, each into a project of its own outside the repository, and builds the npm package for Node.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { compile } from "../scripts/npm/compile.ts";
import { buildTarball, install, installedIn } from "../scripts/npm/pack.ts";
import { npm, runOk } from "../scripts/npm/run.ts";
import { type Runtime, thisDeno } from "../scripts/npm/runtimes.ts";
import { ROOT } from "../scripts/repository.ts";
import config from "../deno.json" with { type: "json" };
import type { RuntimeKind } from "./engine.ts";
import { engineOf } from "./engines/mod.ts";
import peers from "./peers/package.json" with { type: "json" };

/** A runtime with the commands that it runs. */
export interface Prepared {
  /** Deno or Node. */
  runtime: Runtime & { kind: RuntimeKind };
  /** Before the job. */
  worker: string[];
  /** Before the arguments of `kvstore`. */
  command: string[];
}

/** Most memory of a worker, in MiB: a `Map` of 10 million keys needs more than Node gives by itself. */
const HEAP_MEGABYTES = 8192;

/** Prepares the runtimes; on Node our engine is the package as it is built, on Deno the source. */
export async function prepareRuntime(kind: RuntimeKind, cache: string): Promise<Prepared> {
  const flags = ["--expose-gc", `--max-old-space-size=${HEAP_MEGABYTES}`];
  if (kind === "deno") {
    const run = ["run", "-A", "--quiet", "--no-check"];
    return {
      runtime: { ...thisDeno(), kind },
      worker: [...run, "--unstable-kv", `--v8-flags=${flags.join()}`, join(ROOT, "bench/worker.ts")],
      command: [...run, join(ROOT, "cli.ts")],
    };
  }
  const version = (await runOk("node", ["--version"])).trim().replace(/^v/, "");
  const program = (await runOk("node", ["-p", "process.execPath"])).trim();
  const scratch = await Deno.makeTempDir({ dir: cache, prefix: "package-" });
  const project = join(cache, "package");
  try {
    const tarball = await buildTarball(scratch, join(cache, "npm"));
    await Deno.remove(project, { recursive: true }).catch(() => {});
    const abstractLevel = config.imports["abstract-level"].replace("npm:", "");
    await install(project, [tarball.file, abstractLevel], { cache: join(cache, "npm") });
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
  const packageFolder = installedIn(project);
  const worker = await compile("bench/worker.ts", { folder: join(project, "esm"), packageFolder, format: "esm" });
  return {
    runtime: { name: `Node ${version}`, kind, program, folder: dirname(program) },
    worker: ["--no-warnings", ...flags, worker],
    command: [join(packageFolder, "esm/cli.js")],
  };
}

/** Where a peer is installed. */
export function projectOf(engine: string, cache: string): string {
  const name = engineOf(engine).package;
  if (name === undefined) return cache;
  return join(cache, `${name.replaceAll("/", "_")}@${versionOf(name)}`);
}

/** The version of a peer. */
export function versionOf(name: string): string {
  return (peers.dependencies as Record<string, string>)[name]!;
}

/** Installs an engine's package unless it is there; returns why it cannot be had, if so. */
export async function installPeer(engine: string, cache: string): Promise<string | undefined> {
  const name = engineOf(engine).package;
  if (name === undefined) return undefined;
  const project = projectOf(engine, cache);
  const installed = join(project, "node_modules", name);
  try {
    if (!exists(join(project, "complete"))) {
      console.log(`installing ${name}@${versionOf(name)} to ${project}`);
      await install(project, [`${name}@${versionOf(name)}`], { cache: join(cache, "npm") });
      // npm may leave out what builds it, and the package has nothing that is built for all
      if (name === "better-sqlite3" && !exists(join(installed, "build/Release/better_sqlite3.node"))) {
        await npm(["run", "build-release"], installed, join(cache, "npm"));
      }
      await Deno.writeTextFile(join(project, "complete"), "");
    }
    return undefined;
  } catch (error) {
    return `cannot be installed: ${firstLines(error)}`;
  }
}

/** What matters of a long message. */
export function firstLines(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const lines = message.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines.slice(0, 3).join(" ").slice(0, 300);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
