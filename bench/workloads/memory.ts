/**
 * What a key costs in memory, and how the cost of an operation grows with the number of keys.
 *
 * @module
 */

import process from "node:process";
import type { Bench, Figure, Phase } from "./bench.ts";
import { Order } from "./data.ts";

/** Gets and sets that are measured at each size. */
const MEASURED = 200_000;
/** The sizes at which growth is measured, up to the job's number of keys. */
export const SIZES: number[] = [10_000, 100_000, 1_000_000, 10_000_000, 20_000_000];
/** A `Map` takes no more keys. */
const MAP_KEYS = 2 ** 24;

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
  return [
    { metric: "memory-resident", value: (after.resident - before.resident) / operations },
    { metric: "memory-known", value: (after.known - before.known) / operations },
  ];
}

/** Time of a get and of a set at each size, on one store that grows. */
export async function growth(bench: Bench): Promise<Figure[]> {
  await bench.warmUp("write", "many", MEASURED);
  const engine = await bench.open("store", "write");
  const figures: Figure[] = [];
  let count = 0;
  const most = bench.kind.name === "Map" ? MAP_KEYS : Infinity;
  for (const size of SIZES.filter((size) => size <= bench.job.keys && size <= most)) {
    // the numbers from `count` on, in an order of their own
    const added = new Shifted(size - count, size, count);
    const { operations } = await bench.write(engine, { order: added, count: added.count, version: 0, how: "many" });
    // what takes longer than the limit is not part of the comparison
    if (operations < added.count) break;
    count = size;
    const order = new Order(size, size);
    const measured = Math.min(MEASURED, size);
    const [get, set] = [{ operations: 0, seconds: 0 }, { operations: 0, seconds: 0 }];
    // a small store is gone through many times
    for (let done = 0; done < MEASURED; done += measured) {
      add(get, await bench.read(engine, { order, count: measured }));
      add(set, await bench.write(engine, { order, count: measured, version: 0, how: "many" }));
    }
    await bench.check(engine, order, { count: measured, version: 0 });
    figures.push({ metric: "growth-get", keys: size, value: get.seconds / get.operations * 1e9 });
    figures.push({ metric: "growth-set", keys: size, value: set.seconds / set.operations * 1e9 });
  }
  await engine.close();
  return figures;
}

function add(sum: Phase, phase: Phase): void {
  sum.operations += phase.operations;
  sum.seconds += phase.seconds;
}

/** An order of numbers that do not begin at zero. */
class Shifted extends Order {
  readonly #first: number;

  constructor(count: number, seed: number, first: number) {
    super(count, seed);
    this.#first = first;
  }

  override at(place: number): number {
    return this.#first + super.at(place);
  }
}
