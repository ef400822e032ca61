/**
 * Writes that wait for the disk, atomic batches, and large values.
 *
 * @module
 */

import { type Bench, type Figure, rate, throughput } from "./bench.ts";
import { type Numbers, Order } from "./data.ts";

/** Synced writes one after the other. */
const SERIAL = 2000;
/** Synced writes with many in flight. */
const IN_FLIGHT_TOTAL = 200_000;

const DURABLE = [
  ["durable-serial", "one", SERIAL],
  ["durable-many", "many", IN_FLIGHT_TOTAL],
  ["durable-batch", "batch", IN_FLIGHT_TOTAL],
] as const;

/** Synced sets: one after the other, 1,000 in flight, and, where that is something else, in batches of the caller's. */
export async function durable(bench: Bench): Promise<Figure[]> {
  const { keys } = bench.job;
  await bench.warmUp("sync", "one", Math.min(keys, 100));
  const figures: Figure[] = [];
  for (const [metric, how, most] of DURABLE) {
    if (bench.kind.lacks?.includes(metric) === true || (how === "batch" && bench.kind.role !== "ours")) continue;
    const count = Math.min(keys, most);
    const order = new Order(count, 1);
    const engine = await bench.open(metric, "sync");
    const phase = await bench.write(engine, { order, count, version: 0, how, isSample: true });
    await engine.close();
    const again = await bench.open(metric, "sync");
    await bench.check(again, order, { count: phase.operations, version: 0 });
    await again.close();
    figures.push(rate(metric, phase));
  }
  return figures;
}

/** Atomic batches of 1,000, acknowledged as at a fill. */
export async function batches(bench: Bench): Promise<Figure[]> {
  const { keys } = bench.job;
  await bench.warmUp("write", "batch");
  const order = new Order(keys, 1);
  const engine = await bench.open("store", "write");
  const phase = await bench.write(engine, { order, count: keys, version: 0, how: "batch" });
  await bench.check(engine, order, { count: phase.operations, version: 0 });
  await engine.close();
  if (bench.isCut) return [];
  const figures = [rate("batch", phase)];
  return bench.kind.name === "kvstore" ? [...figures, ...await batchesAndSingles(bench, order)] : figures;
}

/** Operations until it is the other's turn. */
const TURN = 20_000;

/** Batches and single sets in turns, each into a store of its own: what is compared sees the same machine. */
async function batchesAndSingles(bench: Bench, order: Numbers): Promise<Figure[]> {
  await bench.warmUp("write", "many");
  const sides = [];
  for (const [metric, how] of [["batch-turn", "batch"], ["single-turn", "many"]] as const) {
    sides.push({ metric, how, engine: await bench.open(metric, "write"), phase: { operations: 0, seconds: 0 } });
  }
  for (let done = 0; done < order.count && !bench.isCut; done += TURN) {
    const count = Math.min(TURN, order.count - done);
    const part = { count, at: (i: number) => order.at(done + i) };
    for (const { how, engine, phase } of sides) {
      const { operations, seconds } = await bench.write(engine, { order: part, count, version: 0, how });
      phase.operations += operations;
      phase.seconds += seconds;
    }
  }
  for (const { engine, phase } of sides) {
    await bench.check(engine, order, { count: phase.operations, version: 0 });
    await engine.close();
  }
  return bench.isCut ? [] : sides.map(({ metric, phase }) => rate(metric, phase));
}

/** Sets and gets of values whose size counts more than their number. */
export async function large(bench: Bench, [set, get]: [set: string, get: string]): Promise<Figure[]> {
  const { keys } = bench.job;
  const { bytes } = bench.values;
  await bench.warmUp("write", "many", Math.min(keys, 200));
  const order = new Order(keys, 1);
  const engine = await bench.open("store", "write");
  const written = await bench.write(engine, { order, count: keys, version: 0, how: "many" });
  const start = performance.now();
  await engine.close();
  if (bench.kind.acknowledgesAtClose === true) written.seconds += (performance.now() - start) / 1000;
  if (bench.isCut) return [];
  const again = await bench.open("store", "write");
  const read = await bench.read(again, { order: new Order(keys, 2), count: keys });
  await bench.check(again, order, { count: keys, version: 0 });
  await again.close();
  return [throughput(set, written, bytes), throughput(get, read, bytes)];
}
