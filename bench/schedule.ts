/**
 * Who does what when: in each round every part is done by all engines in turn, beginning with another one each time.
 *
 * @module
 */

import { join } from "node:path";
import { run } from "../scripts/npm/run.ts";
import type { Part } from "./engine.ts";
import { engineOf } from "./engines/mod.ts";
import { isGrown, keysFor } from "./keys.ts";
import type { Options } from "./options.ts";
import { firstLines, installPeer, type Prepared, projectOf } from "./prepare.ts";
import type { Collection } from "./report/results.ts";
import { median } from "./report/results.ts";
import type { Figure, Job } from "./workloads/bench.ts";
import { keyOf, Order } from "./workloads/data.ts";

/** A phase of a workload ends after so many seconds, for the sake of engines that would take hours. */
const LIMIT_SECONDS = 15;
/** The same for the Kv interface in a quick run. */
const QUICK_LIMIT_SECONDS = 0.2;
/** The same where what is cut off is left out: our growth to the largest stores, and the store that is opened. */
const LONG_LIMIT_SECONDS = 60;
const LIMIT_MILLISECONDS = 3_600_000;
/** Processes of each kind in a round of the shell's part. */
const SHELL_SAMPLES = 5;

/** Parts that not all engines are compared in: the others have no figures there, and need no reason. */
const ENGINES_OF: Partial<Record<Part, string[]>> = {
  shell: ["kvstore"],
  compaction: ["kvstore"],
  ranges: ["kvstore", "KvLevel", "lmdb", "classic-level"],
  kv: ["openKv", "Deno.openKv", "@deno/kv"],
};

/** Parts that open a store which was filled in the first round, with what fills it. */
const FILLS: Partial<Record<Part, string>> = { open: "fill", ranges: "fill-ranges", kv: "fill-kv" };

/** Of engines that do not run everywhere: why another one does. */
const STAND_INS: Record<string, string> = {
  "better-sqlite3": "node:sqlite stands for SQLite here",
  "@deno/kv": "Deno.openKv stands for Deno KV here",
};

/** A run on some runtimes. */
export interface Schedule {
  /** What is wanted. */
  options: Options;
  /** The runtimes. */
  prepared: Prepared[];
  /** Takes what is found. */
  collection: Collection;
  /** Where peers are installed. */
  cache: string;
  /** A folder for stores. */
  scratch: string;
}

/** Installs the peers, and sees which of them run at all. */
export async function probe({ options, prepared, collection, cache, scratch }: Schedule): Promise<void> {
  for (const engine of options.engines) {
    const kind = engineOf(engine);
    const problem = await installPeer(engine, cache);
    for (const { runtime, ...rest } of prepared) {
      const place = { runtime: runtime.kind, engine, part: "all" };
      if (!kind.runtimes.includes(runtime.kind)) {
        collection.miss({ ...place, reason: STAND_INS[kind.name] ?? "part of Deno" });
        continue;
      }
      if (problem !== undefined) {
        collection.miss({ ...place, reason: problem });
        continue;
      }
      const job = { engine, work: "probe", keys: 2000, directory: join(scratch, "probe"), limitSeconds: 60 };
      try {
        await work({ runtime, ...rest }, { ...job, project: projectOf(engine, cache) });
      } catch (error) {
        collection.miss({ ...place, reason: `does not run: ${firstLines(error)}` });
      }
    }
  }
}

/** Does everything, round by round. */
export async function measure(schedule: Schedule, afterRound: () => Promise<void>): Promise<void> {
  const { options, prepared } = schedule;
  for (let round = 0; round < options.rounds; round++) {
    for (const part of options.workloads) {
      for (const one of prepared) {
        const first = round % options.engines.length;
        for (const engine of [...options.engines.slice(first), ...options.engines.slice(0, first)]) {
          await turn(schedule, { prepared: one, part, engine, round });
        }
      }
    }
    await afterRound();
  }
}

interface Turn {
  prepared: Prepared;
  part: Part;
  engine: string;
  round: number;
}

async function turn(schedule: Schedule, turn: Turn): Promise<void> {
  const { options, collection } = schedule;
  const { prepared: { runtime }, part, engine, round } = turn;
  const refusal = engineOf(engine).refuses[part];
  const place = { runtime: runtime.kind, engine, part };
  if (ENGINES_OF[part]?.includes(engine) === false || engineOf(engine).parts?.includes(part) === false) return;
  // a quick run compares the Kv interface with Deno KV, and all else with the floors
  if (options.quick && engine === "Deno.openKv" && part !== "kv") return;
  if (collection.isMissing(runtime.kind, engine, part)) return;
  if (refusal !== undefined) return collection.miss({ ...place, reason: refusal });
  for (const keys of keysFor(part, engine, options.keys).slice(0, options.quick ? 1 : undefined)) {
    const start = performance.now();
    try {
      const figures = part === "shell" ? await shell(schedule, turn, keys) : await jobs(schedule, turn, keys);
      for (const figure of figures) collection.add({ runtime: runtime.kind, engine, keys }, figure);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(
        `round ${round + 1} of ${options.rounds}: ${part}, ${keys} keys, ${engine}, ${runtime.name}: ${seconds} s`,
      );
    } catch (error) {
      console.log(`FAILED ${part}, ${keys} keys, ${engine}, ${runtime.name}: ${firstLines(error)}`);
      collection.miss({ ...place, reason: firstLines(error) });
    }
  }
}

async function jobs(schedule: Schedule, { prepared, part, engine, round }: Turn, keys: number): Promise<Figure[]> {
  const { cache, scratch, options } = schedule;
  const job: Job = {
    engine,
    work: part,
    keys,
    directory: join(scratch, "store"),
    project: projectOf(engine, cache),
    limitSeconds: options.quick && part === "kv"
      ? QUICK_LIMIT_SECONDS
      : FILLS[part] !== undefined || (part === "growth" && isGrown(engine))
      ? LONG_LIMIT_SECONDS
      : LIMIT_SECONDS,
  };
  const filling = FILLS[part];
  if (filling === undefined) return await work(prepared, job);
  const kept = {
    ...job,
    directory: join(scratch, `${part}-${prepared.runtime.kind}-${keys}-${engine.replace("/", "-")}`),
  };
  if (round === 0) {
    await work(prepared, { ...kept, work: filling }, { keep: true });
    // the first opening after a fill may have work left over
    if (part === "open") await work(prepared, kept, { keep: true });
  }
  return await work(prepared, kept, { keep: true });
}

/** Does a job in a new process, with an empty folder unless it is one to keep. */
async function work({ runtime, worker }: Prepared, job: Job, { keep = false } = {}): Promise<Figure[]> {
  if (!keep) await Deno.remove(job.directory, { recursive: true }).catch(() => {});
  await Deno.mkdir(job.directory, { recursive: true });
  await settle();
  const ran = await run(runtime.program, [...worker, JSON.stringify(job)], { limitMilliseconds: LIMIT_MILLISECONDS });
  if (!keep) await Deno.remove(job.directory, { recursive: true });
  const line = ran.stdout.trimEnd().split("\n").at(-1) ?? "";
  if (ran.code === 0 && line.startsWith("[")) return JSON.parse(line);
  const said = /(?:^|\n).*?((?:\w*Error|symbol lookup error|Fatal|fatal)\b.*)/.exec(ran.stderr)?.[1];
  // the message goes into the page: without the folders of this machine
  throw new Error(
    said?.replace(/\/\S*\/node_modules\//g, "") ?? `the process ended with ${ran.code}: ${ran.stderr.slice(0, 300)}`,
  );
}

/** What the job before has left to the disk is not to be paid for by the next one. */
async function settle(): Promise<void> {
  if (Deno.build.os !== "windows") await new Deno.Command("sync").output();
}

/** Times whole processes of `kvstore get`. The store is made in the first round. */
async function shell(schedule: Schedule, { prepared, round }: Turn, keys: number): Promise<Figure[]> {
  const { runtime, command } = prepared;
  const directory = join(schedule.scratch, `shell-${runtime.kind}-${keys}`);
  if (round === 0) {
    const job = { engine: "kvstore", work: "fill", keys, directory, project: "", limitSeconds: LIMIT_MILLISECONDS };
    await work(prepared, job, { keep: true });
  }
  const key = keyOf(keys === 0 ? 0 : new Order(keys, 1).at(0));
  const args = [...command, "--dir", join(directory, "store"), "get", key];
  const times: number[] = [];
  for (let i = 0; i <= SHELL_SAMPLES; i++) {
    const start = performance.now();
    const { code, stderr } = await run(runtime.program, args);
    if (code !== (keys === 0 ? 1 : 0)) throw new Error(`kvstore get ended with ${code}: ${stderr}`);
    // the first one fills the caches
    if (i > 0) times.push(performance.now() - start);
  }
  return [{ metric: "shell", value: median(times) }];
}
