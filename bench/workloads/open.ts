/**
 * Opening a store: in a process that does nothing else, behind a crash, and again and again in a large process.
 *
 * @module
 */

import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../engine.ts";
import { type Bench, type Figure, rate, secondsOf } from "./bench.ts";
import { keyOf, Order } from "./data.ts";
import { nextKey, timed } from "./ranges.ts";

const SLICE_BYTES = 1024 * 1024;
/** Memory that the large process holds, in pieces. Where a virtual machine gets it page by page, it takes half a minute. */
const PIECES = 8;
const PIECE_BYTES = 256 * 1024 * 1024;

/** Leaves a closed store behind, for the processes that open it. */
export async function fill(bench: Bench): Promise<Figure[]> {
  await (await filled(bench)).close();
  return [];
}

/** Leaves a store behind that nobody closed: the process ends now. */
export async function fillAndCrash(bench: Bench): Promise<Figure[]> {
  await filled(bench);
  return [];
}

async function filled(bench: Bench): Promise<Engine> {
  const order = new Order(bench.job.keys, 1);
  const engine = await bench.open("store", "write");
  const writing = { order, count: order.count, version: 0, how: "many", isSample: true } as const;
  const { operations } = await bench.write(engine, writing);
  await bench.fillUp(engine, order, operations);
  return engine;
}

/** The key that was set first, which each store has, and those behind it. */
function early(bench: Bench, place: number): { key: string; number: number } {
  const number = new Order(bench.job.keys, 1).at(place % bench.job.keys);
  return { key: keyOf(number), number };
}

async function get(engine: Engine, key: string) {
  return engine.get === undefined ? (await engine.getMany!([key]))[0] : engine.get(key);
}

/** Opens the store that `fill` left, and gets the key that was set first. */
export async function openToFirstGet(bench: Bench): Promise<Figure[]> {
  const { key, number } = early(bench, 0);
  const start = performance.now();
  const engine = await bench.open("store", "write");
  const value = await get(engine, key);
  const milliseconds = performance.now() - start;
  if (!bench.values.isRight(number, 0, value)) throw new Error(`the value of ${key} is wrong`);
  await engine.close();
  return [{ metric: "open", value: milliseconds }];
}

/** Opens the store that `fill` left, and times the first call of the process. */
export async function firstCall(bench: Bench, metric: "first-get" | "first-set" | "first-new"): Promise<Figure[]> {
  const { key, number } = early(bench, 1);
  const value = bench.values.of(number, 0);
  const engine = await bench.open("store", "write");
  const seconds = await secondsOf(() => {
    if (metric === "first-get") return get(engine, key);
    // the value that is there stays
    return engine.set(metric === "first-set" ? key : nextKey(), value);
  });
  if (!bench.values.isRight(number, 0, await get(engine, key))) throw new Error(`the value of ${key} is wrong`);
  await engine.close();
  return [{ metric, value: seconds * 1000 }];
}

/** Opens the store that `fillAndCrash` left, whose files are in the page cache once they were read. */
export async function openBehindCrash(bench: Bench): Promise<Figure[]> {
  readAll(join(bench.job.directory, "store"));
  const reading = readAll(join(bench.job.directory, "store"));
  const start = performance.now();
  const engine = await bench.open("store", "write");
  const opening = performance.now() - start;
  const { keys } = bench.job;
  await bench.check(engine, new Order(keys, 1), { count: keys, version: 0 });
  await engine.close();
  return [{ metric: "crash-open", value: opening }, { metric: "crash-read", value: reading }];
}

/** Reads all files below a folder from front to back; returns milliseconds. */
export function readAll(directory: string): number {
  const slice = new Uint8Array(SLICE_BYTES);
  const start = performance.now();
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    if (!statSync(join(directory, name)).isFile()) continue;
    const file = openSync(join(directory, name), "r");
    while (readSync(file, slice, 0, SLICE_BYTES, null) > 0);
    closeSync(file);
  }
  return performance.now() - start;
}

/** Opens the store that `fill` left, gets a key, and closes it, again and again while the process holds much memory. */
export async function reopen(bench: Bench): Promise<Figure[]> {
  const held = Array.from({ length: PIECES }, () => new Uint8Array(PIECE_BYTES).fill(1));
  const once = async (i: number) => {
    const { key, number } = early(bench, i);
    const engine = await bench.open("store", "write");
    const value = await get(engine, key);
    await engine.close();
    if (!bench.values.isRight(number, 0, value)) throw new Error(`the value of ${key} is wrong`);
  };
  const phase = await timed(bench, once, { rounds: 500, warmUp: 20, block: 10 });
  if (held.some((piece) => piece.at(-1) !== 1)) throw new Error("memory is lost");
  return [rate("reopen", phase)];
}
