/**
 * Filling, reading, scanning and overwriting a store of small values, without waiting for the disk.
 *
 * @module
 */

import { join } from "node:path";
import type { Engine } from "../engine.ts";
import { type Bench, bytesIn, type Figure, type Phase, rate, secondsOf } from "./bench.ts";
import { KEY_BYTES, keyOf, missingKeyOf, type Numbers, Order, shuffled } from "./data.ts";

/** Keys that share all but the last two digits. */
const PREFIX_KEYS = 100;
/** Prefix scans that are timed together. */
const PREFIX_SCANS = 500;

/**
 * Fill, get, get of missing keys, prefix scan, sorted scan, overwrite, and bytes on disk. Where there was no time to fill
 * in random order, only what reads.
 */
export async function basic(bench: Bench): Promise<Figure[]> {
  await bench.warmUp("write", "many");
  const { order, phase, isWhole } = await fillAndClose(bench);
  if (!isWhole) return [];
  const { count } = order;
  const figures: Figure[] = [];
  if (!bench.isCut) {
    figures.push(rate("fill", phase));
    const userBytes = count * (KEY_BYTES + bench.values.bytes);
    const bytes = bytesIn(join(bench.job.directory, "store"));
    if (has(bench, "disk")) figures.push({ metric: "disk", value: bytes / userBytes });
  }
  const engine = await bench.open("store", "write");
  const gets = shuffled(order, 2);
  await warmCaches(bench, engine, order);
  figures.push(rate("get", await bench.read(engine, { order: gets, count })));
  if (has(bench, "get-missing")) {
    figures.push(rate("get-missing", await bench.read(engine, { order: gets, count, missing: true })));
    await checkMissing(bench, engine, gets);
  }
  await bench.check(engine, order, { count, version: 0 });
  if (engine.scan !== undefined) figures.push(...await scans(bench, engine));
  await engine.close();
  if (bench.isCut) return figures;
  const overwritten = await overwriteAndClose(bench, shuffled(order, 3));
  return bench.isCut ? figures : [...figures, rate("overwrite", overwritten)];
}

/**
 * Gets everything once, in the order of filling: what is measured then is hot, in the engine's cache and the system's.
 */
async function warmCaches(bench: Bench, engine: Engine, order: Numbers): Promise<void> {
  await bench.read(engine, { order, count: order.count });
}

function has({ kind }: Bench, metric: string): boolean {
  return kind.lacks?.includes(metric) !== true;
}

/** Fills in random order as far as there is time, or for a while, and then what is left. */
async function fillAndClose(
  bench: Bench,
  { isSample = false } = {},
): Promise<{ order: Numbers; phase: Phase; isWhole: boolean }> {
  const order = new Order(bench.job.keys, 1);
  const engine = await bench.open("store", "write");
  const phase = await bench.write(engine, { order, count: order.count, version: 0, how: "many", isSample });
  const isWhole = await bench.fillUp(engine, order, phase.operations);
  await checkAndClose(bench, engine, { phase, order, version: 0 });
  return { order, phase, isWhole };
}

async function overwriteAndClose(bench: Bench, order: Numbers): Promise<Phase> {
  const engine = await bench.open("store", "write");
  const phase = await bench.write(engine, { order, count: order.count, version: 1, how: "many" });
  await checkAndClose(bench, engine, { phase, order, version: 1 });
  return phase;
}

/** What was written is looked at before closing. Closing counts where nothing else acknowledges. */
async function checkAndClose(
  bench: Bench,
  engine: Engine,
  { phase, order, version }: { phase: Phase; order: Numbers; version: number },
): Promise<void> {
  await bench.check(engine, order, { count: phase.operations, version });
  const closing = await secondsOf(() => engine.close());
  if (bench.kind.acknowledgesAtClose === true) phase.seconds += closing;
}

async function checkMissing(bench: Bench, engine: Engine, order: Numbers): Promise<void> {
  const key = missingKeyOf(order.at(0));
  const value = engine.get === undefined ? (await engine.getMany!([key]))[0] : engine.get(key);
  if (value !== undefined && value !== null) throw new Error(`${bench.kind.name} has the missing key ${key}`);
}

async function scans(bench: Bench, engine: Engine): Promise<Figure[]> {
  const { keys: count } = bench.job;
  const figures: Figure[] = [];
  if (count >= PREFIX_KEYS && has(bench, "prefix")) {
    const prefixes = new Order(Math.floor(count / PREFIX_KEYS), 4);
    const at = (i: number) => prefixAt(prefixes.at(i % prefixes.count) * PREFIX_KEYS);
    figures.push({
      metric: "prefix-first",
      value: await secondsOf(() => prefixScan(bench, engine, at(0))) * 1000,
    });
    // a few ranges would each be answered without an order of all keys: a scan of everything makes it
    await engine.scan!("", () => {});
    const seconds = await secondsOf(async () => {
      for (let i = 1; i <= PREFIX_SCANS; i++) await prefixScan(bench, engine, at(i));
    });
    figures.push(rate("prefix", { operations: PREFIX_SCANS, seconds }));
    await checkOrder(engine, at(1));
  }
  let entries = 0;
  let length = 0;
  const seconds = await secondsOf(() =>
    engine.scan!("", (_, value) => {
      entries++;
      length += value.length;
    })
  );
  if (entries !== count || length !== count * bench.values.bytes) throw new Error(`a scan met ${entries} entries`);
  figures.push(rate("scan", { operations: entries, seconds }));
  return figures;
}

/** The prefix of a hundred keys, among them that of a number. */
export function prefixAt(number: number): string {
  return keyOf(number).slice(0, -2);
}

/** Scans a prefix, all of whose hundred keys must be there. */
export async function prefixScan(bench: Bench, engine: Engine, prefix: string): Promise<void> {
  let entries = 0;
  let length = 0;
  await engine.scan!(prefix, (_, value) => {
    entries++;
    length += value.length;
  });
  if (entries !== PREFIX_KEYS || length !== PREFIX_KEYS * bench.values.bytes) {
    throw new Error(`a scan of ${prefix} met ${entries} entries`);
  }
}

/** Sees that a scan of a prefix meets its keys in order. */
export async function checkOrder(engine: Engine, prefix: string): Promise<void> {
  const keys: string[] = [];
  await engine.scan!(prefix, (key) => keys.push(String(key)));
  const wanted = keys.map((_, i) => `${prefix}${String(i).padStart(2, "0")}`);
  if (keys.join() !== wanted.join()) throw new Error(`a scan of ${prefix} met ${keys.join()}`);
}

/** Gets where values are strings. */
export async function strings(bench: Bench): Promise<Figure[]> {
  await bench.warmUp("write", "many");
  const { order, isWhole } = await fillAndClose(bench, { isSample: true });
  if (!isWhole) return [];
  const { count } = order;
  const engine = await bench.open("store", "write");
  await warmCaches(bench, engine, order);
  const phase = await bench.read(engine, { order: shuffled(order, 2), count });
  await bench.check(engine, order, { count, version: 0 });
  await engine.close();
  return [rate("get-string", phase)];
}
