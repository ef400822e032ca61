/**
 * What all workloads share: timed writing and reading in blocks, and looking at what was read. Keys and values are made
 * before the clock runs.
 *
 * @module
 */

import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Durability, Engine, EngineKind, OpenContext, Payload } from "../engine.ts";
import { WHOLE } from "../keys.ts";
import { keyOf, missingKeyOf, mix, type Numbers, Order, Values } from "./data.ts";

/** Operations in flight, and in a batch. */
export const IN_FLIGHT = 1000;
/** Operations that are made ready at a time. */
const BLOCK = 20_000;
/** Keys that are looked at after each phase. */
const CHECKED = 500;
/** Operations before anything is measured. */
const WARM_UP = 20_000;
/** More bytes are not in flight. */
const MOST_BYTES_IN_FLIGHT = 8 * 1024 * 1024;

/** A figure that a workload found. */
export interface Figure {
  /** Its name, see report/metrics.ts. */
  metric: string;
  /** In the metric's unit. */
  value: number;
  /** Keys in the store, if not those of the job. */
  keys?: number;
}

/** What a worker is told. */
export interface Job {
  /** The engine's name. */
  engine: string;
  /** What to do: a part, or one of its steps. */
  work: string;
  /** A folder of the engine's own. */
  directory: string;
  /** The project that the peers are installed in. */
  project: string;
  /** Keys. */
  keys: number;
  /** A phase that is a sample ends after so many seconds. */
  limitSeconds: number;
}

/** What a worker answers. */
export interface Answer {
  /** What it found. */
  figures: Figure[];
  /** Whether some figures are missing, as there was no time to write so many keys. */
  isCut: boolean;
}

/** How a phase went. */
export interface Phase {
  /** Operations done. */
  operations: number;
  /** Time that they took. */
  seconds: number;
}

/** How a phase writes. */
export interface Writing {
  /** Which keys. */
  order: Numbers;
  /** How many of them. */
  count: number;
  /** Version of the values. */
  version: number;
  /** One after the other, many in flight, or atomic batches. */
  how: "one" | "many" | "batch";
  /** Whether some of the keys are enough. Otherwise it has more time, and is given up once that cannot be enough for all. */
  isSample?: boolean;
}

/** A worker's engine with its data. */
export class Bench {
  /** What is measured. */
  readonly kind: EngineKind;
  /** What was asked for. */
  readonly job: Job;
  /** The values. */
  readonly values: Values;
  /** Whether there was no time to write all that was to be written. */
  isCut = false;
  readonly #payload: "bytes" | "string";

  /** Nothing is opened yet. */
  constructor(kind: EngineKind, job: Job, shape: { valueBytes: number; payload: "bytes" | "string" }) {
    this.kind = kind;
    this.job = job;
    this.#payload = kind.payload ?? shape.payload;
    this.values = new Values(shape.valueBytes, this.#payload, kind);
  }

  /** Opens the store in a folder of its own below the job's. */
  async open(name: string, durability: Durability): Promise<Engine> {
    const directory = join(this.job.directory, name);
    mkdirSync(directory, { recursive: true });
    const context: OpenContext = {
      directory,
      durability,
      payload: this.#payload,
      valueBytes: this.values.bytes,
      keys: Math.max(this.job.keys, WARM_UP),
      project: this.job.project,
    };
    return await this.kind.open(context);
  }

  /** Has the code compiled that is measured, on a store that is thrown away. */
  async warmUp(durability: Durability, how: Writing["how"], count: number = WARM_UP): Promise<void> {
    const engine = await this.open("warm-up", durability);
    const order = new Order(count, 7);
    const { operations } = await this.write(engine, { order, count, version: 0, how, isSample: true });
    await this.read(engine, { order, count: operations });
    await engine.close();
    rmSync(join(this.job.directory, "warm-up"), { recursive: true, force: true });
  }

  /** Sets keys in the order's sequence. */
  async write(engine: Engine, { order, count, version, how, isSample = false }: Writing): Promise<Phase> {
    const { limitSeconds } = this.job;
    const hasTime = ({ operations, seconds }: Phase) =>
      seconds < limitSeconds || (!isSample && seconds * count < limitSeconds * WHOLE * operations);
    const chunk = how === "one"
      ? 1
      : Math.max(1, Math.min(IN_FLIGHT, Math.floor(MOST_BYTES_IN_FLIGHT / this.values.bytes)));
    const phase = { operations: 0, seconds: 0 };
    while (phase.operations < count && hasTime(phase)) {
      const block = Math.min(how === "one" ? 50 : BLOCK, count - phase.operations);
      const keys: string[][] = [];
      const values: Payload[][] = [];
      for (let at = 0; at < block; at += chunk) {
        const numbers = Array.from(
          { length: Math.min(chunk, block - at) },
          (_, i) => order.at(phase.operations + at + i),
        );
        keys.push(numbers.map(keyOf));
        values.push(numbers.map((number) => this.values.of(number, version)));
      }
      phase.seconds += await secondsOf(() => writeBlock(engine, how, keys, values));
      phase.operations += block;
    }
    if (!isSample && phase.operations < count) this.isCut = true;
    return phase;
  }

  /**
   * Sets what a fill had no time for, in the order of the keys, which is the fastest for those that are slow: what is
   * measured then is measured beside as many keys everywhere. Returns whether there was time for that.
   */
  async fillUp(engine: Engine, order: Numbers, done: number): Promise<boolean> {
    const numbers = Int32Array.from({ length: order.count - done }, (_, i) => order.at(done + i)).sort();
    const rest = { count: numbers.length, at: (place: number) => numbers[place]! };
    const { operations } = await this.write(engine, { order: rest, count: rest.count, version: 0, how: "many" });
    return operations === rest.count;
  }

  /** Gets keys in the order's sequence; all must be there, or, with `missing`, none. */
  async read(
    engine: Engine,
    { order, count, missing = false }: { order: Numbers; count: number; missing?: boolean },
  ): Promise<Phase> {
    const chunk = Math.max(1, Math.min(IN_FLIGHT, Math.floor(MOST_BYTES_IN_FLIGHT / this.values.bytes)));
    const phase = { operations: 0, seconds: 0 };
    while (phase.operations < count && phase.seconds < this.job.limitSeconds) {
      const block = Math.min(BLOCK, count - phase.operations);
      const keys = Array.from({ length: block }, (_, i) => {
        const number = order.at(phase.operations + i);
        return missing ? missingKeyOf(number) : keyOf(number);
      });
      let length = 0;
      phase.seconds += await secondsOf(async () => {
        length = engine.get === undefined ? await readInFlight(engine, keys, chunk) : readBlock(engine, keys);
      });
      const wanted = missing ? 0 : block * this.values.bytes;
      if (length !== wanted) throw new Error(`${length} bytes were read instead of ${wanted}`);
      phase.operations += block;
    }
    return phase;
  }

  /** Looks at the values of some keys among the first `count` of the order; throws if one is wrong. */
  async check(engine: Engine, order: Numbers, { count, version }: { count: number; version: number }): Promise<void> {
    const numbers = Array.from({ length: Math.min(CHECKED, count) }, (_, i) => order.at(mix(i) % count));
    for (const number of numbers) {
      const key = keyOf(number);
      const value = engine.get === undefined ? (await engine.getMany!([key]))[0] : engine.get(key);
      if (!this.values.isRight(number, version, value)) throw new Error(`the value of ${key} is wrong`);
    }
  }
}

async function writeBlock(engine: Engine, how: Writing["how"], keys: string[][], values: Payload[][]): Promise<void> {
  for (let i = 0; i < keys.length; i++) {
    if (how === "one") await engine.set(keys[i]![0]!, values[i]![0]!);
    else if (how === "many") await engine.setMany(keys[i]!, values[i]!);
    else await engine.batch!(keys[i]!, values[i]!);
  }
}

/** The lengths of the values are summed, so that none goes unused. */
function readBlock(engine: Engine, keys: string[]): number {
  let length = 0;
  for (let i = 0; i < keys.length; i++) length += engine.get!(keys[i]!)?.length ?? 0;
  return length;
}

async function readInFlight(engine: Engine, keys: string[], chunk: number): Promise<number> {
  let length = 0;
  for (let at = 0; at < keys.length; at += chunk) {
    const values = await engine.getMany!(keys.slice(at, at + chunk));
    for (const value of values) length += value?.length ?? 0;
  }
  return length;
}

/** The number that a share of the others lies below. */
export function percentile(numbers: Float32Array | number[], share: number): number {
  const sorted = new Float32Array(numbers).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** Runs something and says how long it took. */
export async function secondsOf(action: () => unknown): Promise<number> {
  const start = performance.now();
  await action();
  return (performance.now() - start) / 1000;
}

/** Operations a second. */
export function rate(metric: string, { operations, seconds }: Phase): Figure {
  return { metric, value: operations / seconds };
}

/** Millions of bytes of values a second. */
export function throughput(metric: string, phase: Phase, valueBytes: number): Figure {
  return { metric, value: phase.operations * valueBytes / phase.seconds / 1e6 };
}

/** Bytes of all files in a folder. */
export function bytesIn(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).reduce((sum, entry) => {
    if (!entry.isFile()) return sum;
    return sum + statSync(join(entry.parentPath, entry.name)).size;
  }, 0);
}
