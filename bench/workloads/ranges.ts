/**
 * Ranges between single changes, beside many other keys: a queue, a feed, and the first range of a new process.
 *
 * @module
 */

import type { Engine } from "../engine.ts";
import { checkOrder, prefixAt, prefixScan } from "./basic.ts";
import { type Bench, type Figure, type Phase, rate, secondsOf } from "./bench.ts";
import { keyOf, Order } from "./data.ts";
import { fill } from "./open.ts";

const QUEUE = "queue:";
/** Jobs that stand in the queue all the time. */
const STANDING = 1000;
const FEEDS = 100;
/** Entries of a feed that are read. */
const LATEST = 10;
/** How often something is done. */
interface Rounds {
  /** Those that are measured. */
  rounds: number;
  /** Those before. */
  warmUp: number;
  /** The clock is looked at after so many. */
  block: number;
}

const ROUNDS: Rounds = { rounds: 2000, warmUp: 200, block: 50 };

/** Leaves a closed store behind that was opened again and scanned, so that it had the order of its keys. */
export async function fillForRanges(bench: Bench): Promise<Figure[]> {
  await fill(bench);
  if (bench.isCut) return [];
  const engine = await bench.open("store", "write");
  let entries = 0;
  await engine.scan!("", () => entries++);
  if (entries !== bench.job.keys) throw new Error(`a scan met ${entries} entries`);
  await engine.close();
  return [];
}

/** The first range after opening the store that `fillForRanges` left; then a queue and a feed in it. */
export async function ranges(bench: Bench): Promise<Figure[]> {
  const engine = await bench.open("store", "write");
  const prefix = prefixAt(new Order(bench.job.keys, 5).at(0));
  const milliseconds = await secondsOf(() => prefixScan(bench, engine, prefix)) * 1000;
  await checkOrder(engine, prefix);
  const queued = await queue(bench, engine);
  const fed = await feed(bench, engine);
  await engine.close();
  return [{ metric: "range-open", value: milliseconds }, rate("queue", queued), rate("feed", fed)];
}

/** Pushes a job at the tail, reads the first one, and deletes it, one round after the other. */
async function queue(bench: Bench, engine: Engine): Promise<Phase> {
  const jobs = await keysOf(engine, QUEUE);
  const pushed = Array.from({ length: Math.max(0, STANDING - jobs.length) }, () => QUEUE + nextKey());
  await engine.setMany(pushed, pushed.map((_, i) => bench.values.of(i, 0)));
  jobs.push(...pushed);
  return await timed(bench, async (i) => {
    const last = QUEUE + nextKey();
    await engine.set(last, bench.values.of(i, 0));
    jobs.push(last);
    const [first] = await keysOf(engine, QUEUE, { limit: 1 });
    if (first !== jobs[i]) throw new Error(`the first job is ${first} instead of ${jobs[i]}`);
    await engine.delete!(first!);
  });
}

/** Adds an entry to one of the feeds, and reads the latest ones of that feed. */
async function feed(bench: Bench, engine: Engine): Promise<Phase> {
  const feedOf = (i: number) => `feed:${i % FEEDS + FEEDS}:`;
  const old = Array.from({ length: FEEDS * LATEST }, (_, i) => feedOf(i) + nextKey());
  await engine.setMany(old, old.map((_, i) => bench.values.of(i, 0)));
  return await timed(bench, async (i) => {
    const key = feedOf(i) + nextKey();
    await engine.set(key, bench.values.of(i, 0));
    const latest = await keysOf(engine, feedOf(i), { limit: LATEST, reverse: true });
    if (latest.length !== LATEST || latest[0] !== key) throw new Error(`the latest after ${key} are ${latest}`);
  });
}

/** The rounds of a phase, as many as the time allows. */
export async function timed(
  bench: Bench,
  round: (i: number) => Promise<void>,
  { rounds, warmUp, block }: Rounds = ROUNDS,
): Promise<Phase> {
  const start = performance.now();
  let warm = 0;
  while (warm < warmUp && performance.now() - start < bench.job.limitSeconds * 1000) await round(warm++);
  const phase = { operations: 0, seconds: 0 };
  while (phase.operations < rounds && phase.seconds < bench.job.limitSeconds) {
    phase.seconds += await secondsOf(async () => {
      for (let i = 0; i < block; i++) await round(warm + phase.operations + i);
    });
    phase.operations += block;
  }
  return phase;
}

async function keysOf(engine: Engine, prefix: string, part?: { limit: number; reverse?: boolean }): Promise<string[]> {
  const keys: string[] = [];
  await engine.scan!(prefix, (key) => keys.push(String(key)), part);
  return keys;
}

let lastNumber = 0;

/** A key behind all those before, also of processes that used the store before. */
export function nextKey(): string {
  lastNumber = Math.max(lastNumber + 1, Date.now() * 1000);
  return keyOf(lastNumber);
}
