/**
 * Installs Node and the peers, each into a project of its own outside the repository, and builds the npm package.
 *
 * @module
 */

import { dirname, join } from "node:path";
import process from "node:process";
import { compile } from "../scripts/npm/compile.ts";
import { buildTarball, install, installedIn } from "../scripts/npm/pack.ts";
import { npm, type RunOptions, withPath } from "../scripts/npm/run.ts";
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

/** Where the peers are. */
export interface Peers {
  /** Their projects: those of one version of Node, which native modules may be built for. */
  folder: string;
  /** What npm keeps. */
  cache: string;
  /** What they are built for. */
  node: Runtime;
}

/** Building rocksdb takes most of that: what comes with the package does not run everywhere. */
const INSTALL_MILLISECONDS = 3_600_000;

/** Most memory of a worker, in MiB: a `Map` of 10 million keys needs more than Node gives by itself. */
const HEAP_MEGABYTES = 8192;

/** Prepares the runtimes; on Node our engine is the package as it is built, on Deno the source. */
export async function prepareRuntime(
  kind: RuntimeKind,
  { cache, node }: { cache: string; node: Runtime },
): Promise<Prepared> {
  const flags = ["--expose-gc", `--max-old-space-size=${HEAP_MEGABYTES}`];
  if (kind === "deno") {
    const run = ["run", "-A", "--quiet", "--no-check"];
    return {
      runtime: { ...thisDeno(), kind },
      worker: [...run, "--unstable-kv", `--v8-flags=${flags.join()}`, join(ROOT, "bench/worker.ts")],
      command: [...run, join(ROOT, "cli.ts")],
    };
  }
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
  const worker = await compile("bench/worker.ts", { folder: join(project, "esm"), format: "esm" });
  return {
    runtime: { ...node, kind },
    worker: ["--no-warnings", ...flags, worker],
    command: [join(installedIn(project), "esm/cli.js")],
  };
}

/** Where a peer is installed. */
export function projectOf(engine: string, { folder }: Peers): string {
  const name = engineOf(engine).package;
  if (name === undefined) return folder;
  return join(folder, `${name.replaceAll("/", "_")}@${versionOf(name)}`);
}

/** The version of a peer. */
export function versionOf(name: string): string {
  return (peers.dependencies as Record<string, string>)[name]!;
}

/** Installs an engine's package unless it is there; returns why it cannot be had, if so. */
export async function installPeer(engine: string, peers: Peers): Promise<string | undefined> {
  const name = engineOf(engine).package;
  if (name === undefined) return undefined;
  const { cache, node } = peers;
  const project = projectOf(engine, peers);
  const run: RunOptions = {
    env: { ...withPath(node.folder), ...headersOf(node), npm_config_jobs: "max" },
    limitMilliseconds: INSTALL_MILLISECONDS,
  };
  const installed = join(project, "node_modules", name);
  try {
    if (!exists(join(project, "complete"))) {
      console.log(`installing ${name}@${versionOf(name)} to ${project}`);
      await install(project, [`${name}@${versionOf(name)}`], { cache, run });
      // npm may leave out what builds it, and the package has nothing that is built for all
      if (name === "better-sqlite3" && !exists(join(installed, "build/Release/better_sqlite3.node"))) {
        await npm(["run", "build-release"], installed, cache, run);
      }
      await Deno.writeTextFile(join(project, "complete"), "");
    }
    return undefined;
  } catch (error) {
    return `cannot be installed: ${firstLines(error)}`;
  }
}

/** Says where the headers of this very Node are: those of another one, if npm knows some, would be the wrong ones. */
function headersOf({ program }: Runtime): Record<string, string> {
  const name = `node-${process.platform}-${process.arch}`;
  const modules = join(dirname(dirname(dirname(Deno.realPathSync(program)))));
  const folder = [join(modules, name), join(modules, "node", "node_modules", name)]
    .find((folder) => exists(join(folder, "include", "node", "node.h")));
  return folder === undefined ? {} : { npm_config_nodedir: folder };
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
