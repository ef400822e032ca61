/**
 * One engine in a process of its own, on Deno or Node: does the job that its argument describes, and says what it found
 * in the last line of its output.
 *
 * @module
 */

import process from "node:process";
import { engineOf } from "./engines/mod.ts";
import { basic, strings } from "./workloads/basic.ts";
import { type Answer, Bench, type Figure, type Job } from "./workloads/bench.ts";
import { compaction } from "./workloads/compaction.ts";
import { fillForKv, kv } from "./workloads/kv.ts";
import { fillForRanges, ranges } from "./workloads/ranges.ts";
import { growth, memoryPerKey } from "./workloads/memory.ts";
import { fill, fillAndCrash, firstCall, openBehindCrash, openToFirstGet, reopen } from "./workloads/open.ts";
import { batches, durable, large } from "./workloads/writes.ts";

const SMALL = 100;

/** What to do, with the shape of the values. */
const WORKS: Record<string, { valueBytes?: number; payload?: "string"; run: (bench: Bench) => Promise<Figure[]> }> = {
  // whether the engine runs at all
  probe: { run: (bench) => bench.warmUp("write", "many", 2000).then(() => []) },
  basic: { run: basic },
  strings: { payload: "string", run: strings },
  durable: { run: durable },
  batch: { run: batches },
  large4k: { valueBytes: 4096, run: (bench) => large(bench, ["set-4k", "get-4k"]) },
  large1m: { valueBytes: 1024 * 1024, run: (bench) => large(bench, ["set-1m", "get-1m"]) },
  fill: { payload: "string", run: fill },
  open: { payload: "string", run: openToFirstGet },
  "first-get": { payload: "string", run: (bench) => firstCall(bench, "first-get") },
  "first-set": { payload: "string", run: (bench) => firstCall(bench, "first-set") },
  "first-new": { payload: "string", run: (bench) => firstCall(bench, "first-new") },
  "fill-crash": { payload: "string", run: fillAndCrash },
  crash: { payload: "string", run: openBehindCrash },
  reopen: { payload: "string", run: reopen },
  "fill-ranges": { run: fillForRanges },
  ranges: { run: ranges },
  "fill-kv": { payload: "string", run: fillForKv },
  kv: { payload: "string", run: kv },
  compaction: { run: compaction },
  memory: { run: memoryPerKey },
  growth: { run: growth },
};

/** Does a job. */
export async function work(job: Job): Promise<Answer> {
  const found = WORKS[job.work];
  if (found === undefined) throw new Error(`no work "${job.work}"`);
  const { valueBytes = SMALL, payload = "bytes", run } = found;
  const bench = new Bench(engineOf(job.engine), job, { valueBytes, payload });
  const figures = await run(bench);
  return { figures, isCut: bench.isCut };
}

if (import.meta.main ?? process.argv[1]?.endsWith("worker.js")) {
  const answer = await work(JSON.parse(process.argv[2]!));
  console.log(`\n${JSON.stringify(answer)}`);
  // threads of some peers would keep the process alive
  process.exit(0);
}
