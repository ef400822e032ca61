/**
 * Opening a store in a process that does nothing else.
 *
 * @module
 */

import type { Bench, Figure } from "./bench.ts";
import { keyOf, Order } from "./data.ts";

/** Leaves a closed store behind, for the processes that open it. */
export async function fill(bench: Bench): Promise<Figure[]> {
  const { keys } = bench.job;
  const order = new Order(keys, 1);
  const engine = await bench.open("store", "write");
  const { operations } = await bench.write(engine, { order, count: keys, version: 0, how: "many" });
  await engine.close();
  if (operations < keys) throw new Error(`only ${operations} of ${keys} keys could be set in the time`);
  return [];
}

/** Opens the store that `fill` left, and gets the key that was set first. */
export async function openToFirstGet(bench: Bench): Promise<Figure[]> {
  const number = new Order(bench.job.keys, 1).at(0);
  const key = keyOf(number);
  const start = performance.now();
  const engine = await bench.open("store", "write");
  const value = engine.get === undefined ? (await engine.getMany!([key]))[0] : engine.get(key);
  const milliseconds = performance.now() - start;
  if (!bench.values.isRight(number, 0, value)) throw new Error(`the value of ${key} is wrong`);
  await engine.close();
  return [{ metric: "open", value: milliseconds }];
}
