/**
 * `deno task long:soak`: random histories, crashes, faults and damaged files for as long as it is told to, and after
 * them real processes that are killed (`kvstore torture`). Reports rounds, faults, states checked and failures.
 *
 * Options: `--minutes N` (default 5), `--on deno` or `--on node` (the package as it is packed and installed), `--seed
 * N` and `--only KIND` to run a round again.
 *
 * @module
 */

import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "@std/cli/parse-args";
import config from "../../deno.json" with { type: "json" };
import { compile } from "../../scripts/npm/compile.ts";
import { buildTarball, install, installedIn } from "../../scripts/npm/pack.ts";
import { ROOT } from "../../scripts/repository.ts";

/** So much of the time goes to processes that are really killed. */
const TORTURE_SHARE = 0.1;

/** How the programs are started on a runtime. */
interface Target {
  soak: string[];
  command: string[];
}

const ON_DENO: Target = {
  soak: [Deno.execPath(), "run", "-A", join(ROOT, "tests/soak/support/rounds.ts")],
  command: [Deno.execPath(), "run", "-A", join(ROOT, "cli.ts")],
};

/** Installs the packed package in a project, and compiles the soak against it. */
async function onNode(scratch: string): Promise<Target> {
  const cache = join(tmpdir(), "kvstore-runtimes", "npm");
  const tarball = await buildTarball(scratch, cache);
  const project = join(scratch, "project");
  const fastCheck = config.imports["fast-check"].replace(/^npm:/, "");
  await install(project, [tarball.file, fastCheck], { cache });
  const soak = await compile("tests/soak/support/rounds.ts", { folder: join(project, "esm"), format: "esm" });
  return { soak: ["node", soak], command: ["node", join(installedIn(project), "esm/cli.js")] };
}

async function start([program, ...args]: string[]): Promise<number> {
  const { code } = await new Deno.Command(program!, { args, stdin: "null" }).spawn().status;
  return code;
}

async function main(args: string[]): Promise<number> {
  const { minutes, on, seed, only } = parseArgs(args, {
    string: ["minutes", "on", "seed", "only"],
    default: { minutes: "5", on: "deno" },
    unknown: (name) => {
      throw new Error(`unknown option ${name}; there are --minutes N, --on deno or node, --seed N, --only KIND`);
    },
  });
  const seconds = 60 * Number(minutes);
  if (!(seconds > 0)) throw new Error(`--minutes is a number above 0, not ${minutes}`);
  if (on !== "deno" && on !== "node") throw new Error(`--on is deno or node, not ${on}`);
  const scratch = await Deno.realPath(await Deno.makeTempDir({ prefix: "kvstore-soak-" }));
  try {
    const { soak, command } = on === "deno" ? ON_DENO : await onNode(scratch);
    const forRounds = only === undefined ? seconds * (1 - TORTURE_SHARE) : seconds;
    const options = [...(seed === undefined ? [] : ["--seed", seed]), ...(only === undefined ? [] : ["--only", only])];
    const rounds = await start([...soak, "--seconds", String(Math.ceil(forRounds)), ...options]);
    if (only !== undefined) return rounds;
    const killed = await start([
      ...[...command, "--dir", scratch, "torture"],
      ...["--seconds", String(Math.ceil(seconds * TORTURE_SHARE))],
    ]);
    return rounds === 0 && killed === 0 ? 0 : 1;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
