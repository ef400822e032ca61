/**
 * The benchmark: `deno task bench` measures everything on Deno and Node, which takes an hour, and writes docs/bench;
 * `deno task bench --quick` prints the ratios against a `Map`, a raw file and Deno KV. `--help` lists the options.
 *
 * @module
 */

import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../scripts/repository.ts";
import { table } from "../scripts/npm/results.ts";
import { runOk } from "../scripts/npm/run.ts";
import { findRuntime } from "../scripts/npm/runtimes.ts";
import { describeRun, loadAverage } from "./machine.ts";
import { type Options, optionsOf, UsageError } from "./options.ts";
import { type Prepared, prepareRuntime } from "./prepare.ts";
import { figuresTable, goalsTable, page } from "./report/markdown.ts";
import { verdicts } from "./report/goals.ts";
import { METRICS, shown } from "./report/metrics.ts";
import { drawPlots } from "./report/plots.ts";
import { Collection, find, keysOf, merge, type Results } from "./report/results.ts";
import { measure, probe } from "./schedule.ts";

/** Load that other programs may make without a warning. */
const QUIET_LOAD = 0.5;

async function measureAll(options: Options): Promise<Results> {
  const cache = options.cache ?? join(tmpdir(), "kvstore-bench");
  await Deno.mkdir(cache, { recursive: true });
  const prepared: Prepared[] = [];
  const node = await findRuntime({ kind: "node", spec: `node@${options.node}` }, cache);
  for (const kind of options.on) prepared.push(await prepareRuntime(kind, { cache, node }));
  const peers = { folder: join(cache, `peers-of-node@${options.node}`), cache: join(cache, "npm"), node };
  const scratch = await Deno.makeTempDir({ dir: cache, prefix: "stores-" });
  const removeScratch = () => Deno.removeSync(scratch, { recursive: true });
  const interrupted = () => {
    removeScratch();
    Deno.exit(130);
  };
  Deno.addSignalListener("SIGINT", interrupted);
  try {
    const load = loadAverage();
    const older = await olderResults(options);
    const collection = new Collection(await describeRun(prepared, options.engines, cache));
    const schedule = { options, prepared, collection, peers, scratch };
    await probe(schedule);
    if (load > QUIET_LOAD) {
      console.log(`the machine is busy (load average ${load.toFixed(1)}): figures will be too low`);
    }
    // figures are not lost if something stops the run
    await measure(schedule, async () => {
      await write(collection.results(), older, options);
    });
    return collection.results();
  } finally {
    Deno.removeSignalListener("SIGINT", interrupted);
    removeScratch();
  }
}

/** The results that are there, if they are to stay. */
async function olderResults({ out, merge, add }: Options): Promise<Results | undefined> {
  if (out === undefined || !(merge || add)) return undefined;
  return await Deno.readTextFile(join(out, "results.json")).then(JSON.parse, () => undefined);
}

/** Writes JSON, plots and page; with `--merge` and `--add`, what is there and has no newer figure stays. */
async function write(results: Results, older: Results | undefined, { out: folder, add: adds }: Options): Promise<void> {
  if (folder === undefined) return;
  await Deno.mkdir(folder, { recursive: true });
  const file = join(folder, "results.json");
  const all = older === undefined ? results : merge(older, results, { adds });
  await Deno.writeTextFile(file, `${JSON.stringify(all, undefined, 2)}\n`);
  const plots = await drawPlots(all, folder);
  await Deno.writeTextFile(join(folder, "README.md"), page(all, plots));
  await runOk(Deno.execPath(), ["fmt", "--quiet", file, join(folder, "README.md")], { cwd: ROOT });
}

/** The ratios that the quick form is for. */
function floorsTable(results: Results, runtime: Options["on"][number]): string {
  const rows = METRICS.flatMap(({ name, title, unit }) => {
    const keys = keysOf(results, runtime, name).at(-1) ?? 0;
    const figure = (engine: string) => find(results, { runtime, engine, metric: name, keys })?.median;
    const ours = figure("kvstore") ?? figure("openKv");
    if (ours === undefined || unit === "bytes a byte") return [];
    const ratios = [["Map"], ["raw file"], ["Deno.openKv", "@deno/kv"]].map((engines) => {
      const other = engines.map(figure).find((found) => found !== undefined);
      return other === undefined ? "" : (ours / other).toFixed(2);
    });
    return [[title, `${shown(ours)} ${unit}`, ...ratios]];
  });
  return table(["workload", "kvstore", "÷ Map", "÷ raw file", "÷ Deno KV"], rows);
}

function print(results: Results, options: Options): void {
  for (const runtime of options.on) {
    console.log(`\n${runtime === "deno" ? "Deno" : "Node"}\n`);
    if (options.quick) console.log(floorsTable(results, runtime));
    else console.log(`${figuresTable(results, runtime)}\n\n${goalsTable(verdicts(results, runtime))}`);
  }
  for (const { runtime, engine, part, reason } of results.absences) {
    if (!options.quick) console.log(`not measured: ${engine}, ${part}, ${runtime}: ${reason}`);
  }
}

async function main(args: string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(new UsageError("").message.trim());
    return 0;
  }
  const start = performance.now();
  const options = optionsOf(args);
  const results = await measureAll(options);
  print(results, options);
  if (options.out !== undefined) console.log(`written to ${options.out}`);
  console.log(`${((performance.now() - start) / 60_000).toFixed(1)} minutes`);
  return 0;
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}
