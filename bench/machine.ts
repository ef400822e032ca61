/**
 * What the figures are of.
 *
 * @module
 */

import { arch, availableParallelism, cpus, release, totalmem } from "node:os";
import { runOk } from "../scripts/npm/run.ts";
import config from "../deno.json" with { type: "json" };
import { engineOf } from "./engines/mod.ts";
import { type Prepared, versionOf } from "./prepare.ts";
import type { Run } from "./report/results.ts";

/** Describes machine and versions; `directory` is where the stores are. */
export async function describeRun(prepared: Prepared[], engines: string[], directory: string): Promise<Run> {
  const versions: Record<string, string> = { kvstore: config.version };
  for (const { runtime: { name } } of prepared) {
    const [kind, version] = name.split(" ");
    versions[kind!] = version!;
  }
  for (const engine of engines) {
    const { package: name } = engineOf(engine);
    if (name !== undefined) versions[engine] = versionOf(name);
  }
  const sqlite = await runOk("sqlite3", ["--version"]).catch(() => undefined);
  if (sqlite !== undefined) versions["sqlite3"] = sqlite.split(" ")[0]!;
  const gigabytes = Math.round(totalmem() / 1e9);
  const fileSystem = await fileSystemOf(directory);
  const machine = [
    `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? "unknown"})`,
    `${gigabytes} GB of memory`,
    ...(fileSystem === undefined ? [] : [fileSystem]),
    `${Deno.build.os} ${release()}, ${arch()}`,
  ];
  return { date: new Date().toISOString(), machine: machine.join(", "), versions };
}

async function fileSystemOf(directory: string): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command("df", { args: ["--output=fstype", directory] }).output();
    return new TextDecoder().decode(stdout).trim().split("\n").at(-1);
  } catch {
    // there is no such command
    return undefined;
  }
}

/** Load average of the last minute: what else the machine does spoils the figures. */
export function loadAverage(): number {
  return Deno.loadavg()[0]!;
}
