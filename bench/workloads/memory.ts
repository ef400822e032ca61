/**
 * What a key costs in memory, and how the cost of an operation grows with the number of keys.
 *
 * @module
 */

import process from "node:process";
import type { Engine } from "../engine.ts";
import { isGrown } from "../keys.ts";
import { type Bench, type Figure, IN_FLIGHT, percentile, type Phase } from "./bench.ts";
import { keyOf, type Numbers, Order } from "./data.ts";

/** Gets and sets that are measured at each size. */
const MEASURED = 200_000;
/** The sizes at which growth is measured, up to the job's number of keys. */
export const SIZES: number[] = [10_000, 100_000, 1_000_000, 10_000_000, 20_000_000];

interface Memory {
  /** What the operating system says. */
  resident: number;
  /** What the JavaScript engine knows of: objects and array buffers. */
  known: number;
}

/** Memory after all garbage is gone. */
async function memory(): Promise<Memory> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("the worker needs --expose-gc");
  for (let i = 0; i < 3; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, known: heapUsed + external };
}

/** Bytes a key after a fill, and after the store was opened again; keys and index included, values not. */
export async function memoryPerKey(bench: Bench): Promise<Figure[]> {
  const { keys } = bench.job;
  await bench.warmUp("write", "many");
  const before = await memory();
  const engine = await bench.open("store", "write");
  const order = new Order(keys, 1);
  const { operations } = await bench.write(engine, { order, count: keys, version: 0, how: "many" });
  const after = await memory();
  await bench.check(engine, order, { count: operations, version: 0 });
  await engine.close();
  if (bench.isCut) return [];
  return [
    { metric: "memory-resident", value: (after.resident - before.resident) / keys },
    { metric: "memory-known", value: (after.known - before.known) / keys },
  ];
}

/** Time of a get and of a set at each size, on one store that grows; and the slowest calls of the filling. */
export async function growth(bench: Bench): Promise<Figure[]> {
  await bench.warmUp("write", "many", MEASURED);
  const engine = await bench.open("store", "write");
  const figures: Figure[] = [];
  let count = 0;
  // milliseconds of each call of ours, whose calls are no transactions
  const calls = isGrown(bench.kind.name) ? new Float32Array(bench.job.keys) : undefined;
  for (const size of SIZES.filter((size) => size <= bench.job.keys)) {
    // the numbers from `count` on, in an order of their own
    const [first, places] = [count, new Order(size - count, size)];
    const added = { count: places.count, at: (place: number) => first + places.at(place) };
    if (calls === undefined) {
      const writing = { order: added, count: added.count, version: 0, how: "many", isSample: true } as const;
      const { operations } = await bench.write(engine, writing);
      if (!await bench.fillUp(engine, added, operations)) break;
    } else {
      await fillCallByCall(bench, engine, { order: added, times: calls.subarray(first, size) });
    }
    count = size;
    const order = new Order(size, size);
    const measured = Math.min(MEASURED, size);
    const [get, set] = [{ operations: 0, seconds: 0 }, { operations: 0, seconds: 0 }];
    // a small store is gone through many times
    for (let done = 0; done < MEASURED; done += measured) {
      add(get, await bench.read(engine, { order, count: measured }));
      add(set, await bench.write(engine, { order, count: measured, version: 0, how: "many", isSample: true }));
    }
    await bench.check(engine, order, { count: measured, version: 0 });
    figures.push({ metric: "growth-get", keys: size, value: get.seconds / get.operations * 1e9 });
    figures.push({ metric: "growth-set", keys: size, value: set.seconds / set.operations * 1e9 });
  }
  await engine.close();
  if (calls === undefined) return figures;
  const times = calls.subarray(0, count);
  return [
    ...figures,
    { metric: "set-slowest", keys: count, value: percentile(times, 1) },
    { metric: "set-p9999", keys: count, value: percentile(times, 0.9999) * 1000 },
  ];
}

/** Sets keys, many in flight, and notes how long each call keeps the program. */
async function fillCallByCall(
  bench: Bench,
  engine: Engine,
  { order, times }: { order: Numbers; times: Float32Array },
): Promise<void> {
  for (let from = 0; from < order.count; from += IN_FLIGHT) {
    const numbers = Array.from({ length: Math.min(IN_FLIGHT, order.count - from) }, (_, i) => order.at(from + i));
    const keys = numbers.map(keyOf);
    const values = numbers.map((number) => bench.values.of(number, 0));
    const acknowledged: unknown[] = [];
    for (let i = 0; i < keys.length; i++) {
      const start = performance.now();
      const done = engine.set(keys[i]!, values[i]!);
      times[from + i] = performance.now() - start;
      if (done !== acknowledged.at(-1)) acknowledged.push(done);
    }
    await Promise.all(acknowledged);
  }
}

function add(sum: Phase, phase: Phase): void {
  sum.operations += phase.operations;
  sum.seconds += phase.seconds;
}
