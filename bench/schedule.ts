/**
 * Who does what when: in each round every part is done by all engines in turn, beginning with another one each time.
 *
 * @module
 */

import { join } from "node:path";
import { run } from "../scripts/npm/run.ts";
import { importAndExport, shell } from "./commands.ts";
import type { Part } from "./engine.ts";
import { engineOf } from "./engines/mod.ts";
import { fewerThan, isGrown, keysFor, LIMIT_SECONDS } from "./keys.ts";
import type { Options } from "./options.ts";
import { firstLines, installPeer, type Peers, type Prepared, projectOf } from "./prepare.ts";
import { type Collection, isSettled, type Measurement, median } from "./report/results.ts";
import type { Answer, Figure, Job } from "./workloads/bench.ts";
import { readAll } from "./workloads/open.ts";

/** The time of a phase of the Kv interface in a quick run. */
const QUICK_LIMIT_SECONDS = 0.2;
/** The same where nothing of ours is to be cut off: the largest stores, and those that are opened. */
const LONG_LIMIT_SECONDS = 120;
/** With fewer keys nothing is measured. */
const FEWEST_KEYS = 1000;
const LIMIT_MILLISECONDS = 3_600_000;
/** Processes whose first calls are timed in a round. */
const FIRST_SAMPLES = 3;
/** After so many minutes no round begins but the first: all of it takes less than an hour. */
const MOST_MINUTES = 52;
/** Parts that take minutes, for their memory, and whose figures are of so many calls that a round is enough. */
const ONCE: Part[] = ["crash", "reopen", "memory", "growth"];

/** Parts that not all engines are compared in: the others have no figures there, and need no reason. */
const ENGINES_OF: Partial<Record<Part, string[]>> = {
  first: ["kvstore"],
  crash: ["kvstore"],
  reopen: ["kvstore", "classic-level"],
  shell: ["kvstore"],
  import: ["kvstore"],
  compaction: ["kvstore"],
  strings: ["kvstore", "Map", "raw file", "lmdb", "classic-level"],
  growth: ["kvstore", "lmdb", "classic-level"],
  ranges: ["kvstore", "KvLevel", "lmdb", "classic-level"],
  kv: ["openKv", "Deno.openKv", "@deno/kv"],
};

/** Parts that open a store which was filled in the first round, with what fills it. */
const FILLS: Partial<Record<Part, string>> = {
  open: "fill",
  first: "fill",
  crash: "fill-crash",
  reopen: "fill",
  ranges: "fill-ranges",
  kv: "fill-kv",
};

/** Parts that find the store once as it was filled: behind a crash, or with an order that nothing has changed since. */
const FILLED_ANEW: Part[] = ["crash", "ranges"];

/** Of engines that do not run everywhere: why another one does. */
const STAND_INS: Record<string, string> = {
  "better-sqlite3": "node:sqlite stands for SQLite here",
  "node:sqlite": "better-sqlite3 stands for SQLite here",
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
  peers: Peers;
  /** A folder for stores. */
  scratch: string;
}

/** Installs the peers, and sees which of them run at all. */
export async function probe({ options, prepared, collection, peers, scratch }: Schedule): Promise<void> {
  for (const engine of options.engines) {
    const kind = engineOf(engine);
    const problem = await installPeer(engine, peers);
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
        await work({ runtime, ...rest }, { ...job, project: projectOf(engine, peers) });
      } catch (error) {
        collection.miss({ ...place, reason: `does not run: ${firstLines(error)}` });
      }
    }
  }
}

/** Does everything, round by round; later rounds where they are needed, unless so many were asked for. */
export async function measure(schedule: Schedule, afterRound: () => Promise<void>): Promise<void> {
  const { options, prepared } = schedule;
  const start = performance.now();
  const found = new Map<string, Found>();
  const isEnough = (part: Part, { measured }: Found) =>
    ONCE.includes(part) || performance.now() - start > MOST_MINUTES * 60_000 || measured.every(isSettled);
  for (let round = 0; round < options.rounds; round++) {
    for (const part of options.workloads) {
      for (const one of prepared) {
        const first = round % options.engines.length;
        for (const engine of [...options.engines.slice(first), ...options.engines.slice(0, first)]) {
          const name = [one.runtime.kind, part, engine].join();
          const known = found.get(name);
          if (!options.everyRound && known !== undefined && isEnough(part, known)) continue;
          const sizes = known?.sizes ?? keysFor(part, engine, options.keys).slice(0, options.quick ? 1 : undefined);
          found.set(name, await turn(schedule, { prepared: one, part, engine, round, sizes }));
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
  /** Numbers of keys. */
  sizes: number[];
}

/** What is known of a part. */
interface Found {
  /** Its figures. */
  measured: Measurement[];
  /** The numbers of keys that there are figures of: without those that there was no time for. */
  sizes: number[];
}

/** Measures a part, with a tenth of the keys where there is no time for all, and returns what is known of it by now. */
async function turn(schedule: Schedule, turn: Turn): Promise<Found> {
  const { options, collection } = schedule;
  const { prepared: { runtime }, part, engine, round } = turn;
  const found: Found = { measured: [], sizes: [] };
  const refusal = engineOf(engine).refuses[part];
  const place = { runtime: runtime.kind, engine, part };
  if (ENGINES_OF[part]?.includes(engine) === false || engineOf(engine).parts?.includes(part) === false) return found;
  // a quick run compares the Kv interface with Deno KV, and all else with the floors
  if (options.quick && engine === "Deno.openKv" && part !== "kv") return found;
  if (collection.isMissing(runtime.kind, engine, part)) return found;
  if (refusal !== undefined) {
    collection.miss({ ...place, reason: refusal });
    return found;
  }
  const sizes = new Set(turn.sizes);
  for (const keys of sizes) {
    const start = performance.now();
    try {
      const { figures, isCut } = await answerOf(schedule, turn, keys);
      // as a store grows, it has figures of fewer keys anyway
      if (isCut && part !== "growth" && fewerThan(keys) >= FEWEST_KEYS) sizes.add(fewerThan(keys));
      if (figures.length > 0) found.sizes.push(keys);
      found.measured.push(...figures.map((figure) => collection.add({ runtime: runtime.kind, engine, keys }, figure)));
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(
        `round ${round + 1} of ${options.rounds}: ${part}, ${keys} keys, ${engine}, ${runtime.name}: ${seconds} s`,
      );
    } catch (error) {
      console.log(`FAILED ${part}, ${keys} keys, ${engine}, ${runtime.name}: ${firstLines(error)}`);
      collection.miss({ ...place, reason: firstLines(error) });
    }
  }
  return found;
}

async function answerOf(schedule: Schedule, turn: Turn, keys: number): Promise<Answer> {
  const { part, prepared, round } = turn;
  if (part === "import") return { figures: await importAndExport(schedule, prepared, keys), isCut: false };
  if (part !== "shell") return await jobs(schedule, turn, keys);
  const directory = join(schedule.scratch, `shell-${prepared.runtime.kind}-${keys}`);
  if (round === 0) {
    const job = { engine: "kvstore", work: "fill", keys, directory, project: "", limitSeconds: LONG_LIMIT_SECONDS };
    await work(prepared, job, { keep: true });
  }
  return { figures: await shell(prepared, join(directory, "store"), keys), isCut: false };
}

async function jobs(schedule: Schedule, { prepared, part, engine, round }: Turn, keys: number): Promise<Answer> {
  const { peers, scratch, options } = schedule;
  const job: Job = {
    engine,
    work: part,
    keys,
    directory: join(scratch, "store"),
    project: projectOf(engine, peers),
    limitSeconds: options.quick && part === "kv"
      ? QUICK_LIMIT_SECONDS
      : isGrown(engine) && part !== "reopen" && (FILLS[part] !== undefined || ONCE.includes(part))
      ? LONG_LIMIT_SECONDS
      : LIMIT_SECONDS,
  };
  const filling = FILLS[part];
  if (filling === undefined) return await work(prepared, job);
  const kept = {
    ...job,
    directory: join(scratch, `${part}-${prepared.runtime.kind}-${keys}-${engine.replace("/", "-")}`),
  };
  const isFilled = round === 0 || FILLED_ANEW.includes(part);
  if (isFilled) {
    await Deno.remove(kept.directory, { recursive: true }).catch(() => {});
    const answer = await work(prepared, { ...kept, work: filling }, { keep: true });
    if (answer.isCut) return answer;
  }
  // other parts may have pushed it out of the page cache
  if (!isFilled) readAll(kept.directory);
  // the first opening after a fill may have work left over
  if (isFilled && part === "open") await work(prepared, kept, { keep: true });
  return part === "first" ? await firstCalls(prepared, kept) : await work(prepared, kept, { keep: true });
}

/** The first calls of some processes, of each the middle one. */
async function firstCalls(prepared: Prepared, job: Job): Promise<Answer> {
  const times: Record<string, number[]> = { "first-get": [], "first-set": [], "first-new": [] };
  for (let i = 0; i < FIRST_SAMPLES; i++) {
    for (const [metric, values] of Object.entries(times)) {
      const { figures } = await work(prepared, { ...job, work: metric }, { keep: true });
      values.push(figures[0]!.value);
    }
  }
  const figures = Object.entries(times).map(([metric, values]): Figure => ({ metric, value: median(values) }));
  return { figures, isCut: false };
}

/** Does a job in a new process, with an empty folder unless it is one to keep. */
async function work({ runtime, worker }: Prepared, job: Job, { keep = false } = {}): Promise<Answer> {
  if (!keep) await Deno.remove(job.directory, { recursive: true }).catch(() => {});
  await Deno.mkdir(job.directory, { recursive: true });
  await settle();
  const ran = await run(runtime.program, [...worker, JSON.stringify(job)], { limitMilliseconds: LIMIT_MILLISECONDS });
  if (!keep) await Deno.remove(job.directory, { recursive: true });
  const line = ran.stdout.trimEnd().split("\n").at(-1) ?? "";
  // nothing is left to do then: some peers fail when the process ends, better-sqlite3 on Node 24 for one
  if (line.startsWith("{")) return JSON.parse(line);
  const said = /(?:^|\n).*?((?:\w*Error|symbol lookup error|Assertion failed|Fatal|fatal)\b.*)/.exec(ran.stderr)?.[1];
  // the message goes into the page: without the folders of this machine
  throw new Error((said ?? `the process ended with ${ran.code}: ${ran.stderr.slice(0, 300)}`).replace(/\/\S*\//g, ""));
}

/** What the job before has left to the disk is not to be paid for by the next one. */
async function settle(): Promise<void> {
  if (Deno.build.os !== "windows") await new Deno.Command("sync").output();
}
