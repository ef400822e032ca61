/**
 * Builds the npm package, packs it, installs it into empty projects, and tests it on every runtime: `deno task
 * npm:test`. The last lines are a table of the runtimes with their cases and `N passed, N failed`.
 *
 * Options: `--require-all` fails if a runtime cannot be had; `--cache DIR` is where runtimes and npm's downloads are
 * kept (default: a folder in the system's one for temporary files); `--keep` leaves the projects where they are;
 * `--docs` puts the figures into docs/npm.md.
 *
 * @module
 */

import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "@std/cli/parse-args";
import { ADAPTERS, checkAdapters, makeAdapterProject } from "./adapters.ts";
import { checkExchange, checkFollowing, checkKills, checkRaces, ROWS } from "./between.ts";
import { compile } from "./compile.ts";
import { checkProjects, makeProjects } from "./consumers.ts";
import { compileInRealm, IN_REALM, runContract } from "./contract.ts";
import { figures } from "./figures.ts";
import { buildTarball, checkTarball, installedIn } from "./pack.ts";
import { Peers } from "./peers.ts";
import { checkPermissions } from "./permissions.ts";
import { checkDocuments } from "./documents.ts";
import { Results, table } from "./results.ts";
import { runOk, twoAtATime } from "./run.ts";
import { findRuntimes, type Runtime, thisDeno } from "./runtimes.ts";
import { ROOT } from "../repository.ts";

/** The columns of the table of runtimes. */
const COLUMNS = ["contract", "contract by require", IN_REALM, "package", ADAPTERS];

/** What the steps share. */
interface Work {
  scratch: string;
  cache: string;
  runtimes: Runtime[];
  results: Results;
}

async function testPackage(work: Work): Promise<string> {
  const { scratch, cache, runtimes, results } = work;
  const [deno, ...others] = runtimes as [Runtime, ...Runtime[]];
  const tarball = await step("build and pack", () => buildTarball(scratch, cache));
  const node = others.find(({ kind }) => kind === "node");
  if (node === undefined) throw new Error("there is no Node to test on");
  const projects = await step("install into projects", () => makeProjects(scratch, { tarball, cache, node, results }));
  await checkTarball(tarball, projects.plain, results);
  const compiled = await step("compile the suite", () => compileSuite(projects.plain));
  await step("projects and command", async () => {
    await twoAtATime(runtimes, (runtime) => checkProjects(projects, runtime, results));
    await checkPermissions(deno, join(scratch, "permissions"), results);
  });
  await step("contract", () => runContracts(work, compiled));
  await step("adapters", async () => {
    const project = await makeAdapterProject(join(scratch, "adapters"), { tarball: tarball.file, cache });
    await twoAtATime(others, async (runtime) => {
      await checkDocuments(project.folder, runtime, { column: COLUMNS[2]!, results });
      await checkAdapters(project, runtime, results);
    });
  });
  await step("between runtimes", () => testBetween(work, { project: projects.plain, peer: compiled.peer }));
  return await step("figures", () => figures(tarball, projects.plain, runtimes));
}

/** The tests compiled against the installed package. */
interface Compiled {
  esm: string;
  script: string;
  inRealm: string[];
  peer: string;
}

async function compileSuite(project: string): Promise<Compiled> {
  const esm = { folder: join(project, "esm"), format: "esm" } as const;
  const script = { folder: join(project, "script"), format: "script" } as const;
  const suite = "scripts/npm/programs/contract.ts";
  return {
    esm: await compile(suite, esm),
    script: await compile(suite, script),
    inRealm: await compileInRealm(project),
    peer: await compile("scripts/npm/programs/peer.ts", esm),
  };
}

/** Every runtime must run as many cases as Deno does. */
async function runContracts({ scratch, runtimes, results }: Work, { esm, script, inRealm }: Compiled): Promise<void> {
  const sources = ["contract/contract_test.ts", "kv/conformance_test.ts"].map((path) => join(ROOT, "tests", path));
  const jobs = runtimes.map((runtime) => ({
    runtime,
    column: COLUMNS[0]!,
    files: runtime.kind === "deno" ? sources : [esm],
  }));
  const oldest = runtimes.find(({ kind }) => kind === "node")!;
  jobs.push({ runtime: oldest, column: COLUMNS[1]!, files: [script] });
  jobs.push({ runtime: oldest, column: IN_REALM, files: inRealm });
  const counts = new Map<(typeof jobs)[number], number>();
  await twoAtATime(jobs, async (job) => {
    const { passed, failed } = await runContract(job.runtime, { ...job, scratch, results });
    counts.set(job, passed + failed);
  });
  const wanted = counts.get(jobs[0]!)!;
  for (const [{ runtime, column }, count] of counts) {
    if (count === wanted && count > 0) continue;
    results.fail(runtime.name, column, `${count} cases instead of Deno's ${wanted}`, Math.max(1, wanted - count));
  }
}

async function testBetween(
  { scratch, runtimes, results }: Work,
  { project, peer }: { project: string; peer: string },
): Promise<void> {
  const directory = join(scratch, "between");
  await Deno.mkdir(directory);
  const peers = new Peers(runtimes, directory, peer);
  const exportOf = (runtime: Runtime, store: string) => {
    const file = runtime.kind === "deno" ? join(ROOT, "cli.ts") : join(installedIn(project), "esm/cli.js");
    const before = runtime.kind === "deno" ? ["run", "-A", "--quiet", "--no-check"] : [];
    return runOk(runtime.program, [...before, file, "--dir", store, "export"]);
  };
  try {
    await step("  exchange", () => checkExchange(peers, exportOf, results));
    await step("  races", () => checkRaces(peers, results));
    await step("  kills", () => checkKills(peers, results));
    await step("  following", () => checkFollowing(peers, results));
  } finally {
    await peers.end();
  }
}

/** Does a step, and says how long it took. */
async function step<T>(name: string, action: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await action();
  console.log(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

/** The two tables: of each runtime, and of what is between them. */
function tables({ runtimes, results }: Work): string {
  const rowOf = (row: string) =>
    COLUMNS.flatMap((column): (string | number)[] => {
      const { passed, failed } = results.count(row, column);
      return passed + failed === 0 ? ["", ""] : [passed, failed];
    });
  const names = [...runtimes.map(({ name }) => name), "tarball"];
  const head = ["runtime", ...COLUMNS.flatMap((column) => [`${column}: passed`, "failed"])];
  const between = Object.values(ROWS).map((row) => {
    const { passed, failed } = results.count(row, "between runtimes");
    return [row, passed, failed];
  });
  return [
    table(head, names.map((name) => [name, ...rowOf(name)])),
    table(["between runtimes", "passed", "failed"], between),
  ].join("\n\n");
}

/** Replaces the figures in docs/npm.md. */
async function updateDocument(text: string): Promise<void> {
  const file = join(ROOT, "docs/npm.md");
  const before = await Deno.readTextFile(file);
  const updated = before.replace(/(?<=<!-- npm -->\n)[^]*(?=<!-- end of npm -->)/, () => `\n${text}\n\n`);
  if (updated === before) throw new Error(`${file} has no place for the figures`);
  await Deno.writeTextFile(file, updated);
  await runOk(Deno.execPath(), ["fmt", "--quiet", file]);
}

function optionsOf(args: string[]): { requireAll: boolean; keep: boolean; docs: boolean; cache: string } {
  const parsed = parseArgs(args, {
    boolean: ["require-all", "keep", "docs"],
    string: ["cache"],
    unknown: (name) => {
      throw new Error(`unknown option ${name}; there are --require-all, --cache DIR, --keep, --docs`);
    },
  });
  const cache = resolve(parsed.cache ?? join(tmpdir(), "kvstore-runtimes"));
  return { requireAll: parsed["require-all"], keep: parsed.keep, docs: parsed.docs, cache };
}

async function main(args: string[]): Promise<number> {
  const { requireAll, keep, docs, cache } = optionsOf(args);
  const scratch = await Deno.realPath(await Deno.makeTempDir({ prefix: "kvstore-npm-" }));
  const cleanUp = () => keep ? console.log(`kept: ${scratch}`) : Deno.removeSync(scratch, { recursive: true });
  Deno.addSignalListener("SIGINT", () => {
    cleanUp();
    Deno.exit(130);
  });
  const results = new Results();
  try {
    const { runtimes, missing } = await step("runtimes", () => findRuntimes(cache));
    for (const line of missing) console.log(line);
    const work = { scratch, cache: join(cache, "npm"), runtimes: [thisDeno(), ...runtimes], results };
    // what cannot go on, for want of a network or of a package that builds, is a failure among the others
    const sizes = await testPackage(work).catch((error) => {
      results.fail("tarball", COLUMNS[3]!, error instanceof Error ? error.message : String(error));
      return "no figures";
    });
    for (const failure of results.failures) console.log(`\nFAILED ${failure}`);
    console.log(`\n${sizes}\n\n${tables(work)}\n`);
    for (const line of missing) console.log(line);
    const { passed, failed } = results.total();
    const absent = requireAll ? missing.length : 0;
    if (docs && failed === 0) await updateDocument(sizes);
    console.log(`${passed} passed, ${failed + absent} failed`);
    return failed + absent > 0 ? 1 : 0;
  } finally {
    cleanUp();
  }
}

// listening for a signal would keep the process alive
if (import.meta.main) Deno.exit(await main(Deno.args));
