/**
 * Compaction of a half-stale store while it is read and written, against a copy of its files from front to back.
 *
 * @module
 */

import { closeSync, fdatasyncSync, mkdirSync, openSync, readdirSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { KvStore } from "../../mod.ts";
import { type Bench, bytesIn, type Figure, percentile } from "./bench.ts";
import { keyOf, Order, type Values } from "./data.ts";

/** Gets and sets of each turn of the traffic. */
const GETS = 20;
const SETS = 4;
/** How long the quiet times last that compaction is compared with. */
const QUIET_MILLISECONDS = 2000;
/** The store's own default. */
const SEGMENT_BYTES = 64 * 1024 * 1024;
/** Header, key, value. */
const RECORD_BYTES = 140;
const SLICE_BYTES = 1024 * 1024;

/** What the traffic went through. */
interface Traffic {
  /** Microseconds of each get. */
  gets: number[];
  /** Longest time between two turns that the traffic itself did not take, in milliseconds. */
  stall: number;
}

/** Fills, overwrites half, and compacts with traffic. */
export async function compaction(bench: Bench): Promise<Figure[]> {
  const { keys, directory } = bench.job;
  const path = join(directory, "store");
  const bytesInAll = keys * RECORD_BYTES * 1.5;
  // segments of the usual size, or for trials with few keys smaller ones, so that there are some
  const segmentBytes = Math.min(SEGMENT_BYTES, Math.max(65_536, Math.ceil(bytesInAll / 3)));
  const options = { durability: "write", segmentBytes, compaction: { auto: false } } as const;
  const store = await KvStore.open<Uint8Array>(path, options);
  await fill(store, bench.values, new Order(keys, 1), { count: keys, version: 0 });
  const overwritten = new Order(keys, 2);
  await fill(store, bench.values, overwritten, { count: Math.floor(keys / 2), version: 1 });
  await store.flush();
  const quiet = await duringTraffic(store, bench, new Promise((resolve) => setTimeout(resolve, QUIET_MILLISECONDS)));
  const bytes = store.stats().diskBytes;
  const copySeconds = copy(path, join(directory, "copy"));
  const start = performance.now();
  let seconds = 0;
  const busy = await duringTraffic(
    store,
    bench,
    store.compact().then(() => {
      seconds = (performance.now() - start) / 1000;
    }),
  );
  if (store.stats().compactions === 0 || store.size !== keys) throw new Error("nothing was compacted");
  for (let i = 0; i < 1000; i++) {
    const number = overwritten.at(i % Math.floor(keys / 2));
    const value = store.get(keyOf(number));
    if (!bench.values.isRight(number, 1, value)) throw new Error(`the value of ${keyOf(number)} is wrong`);
  }
  await store.close();
  return [
    { metric: "compaction", value: bytes / seconds / 1e6 },
    { metric: "compaction-copy", value: bytes / copySeconds / 1e6 },
    { metric: "compaction-stall", value: busy.stall },
    { metric: "compaction-stall-quiet", value: quiet.stall },
    { metric: "compaction-p99", value: percentile(busy.gets, 0.99) },
    { metric: "compaction-p99-quiet", value: percentile(quiet.gets, 0.99) },
  ];
}

async function fill(
  store: KvStore<Uint8Array>,
  values: Values,
  order: Order,
  { count, version }: { count: number; version: number },
): Promise<void> {
  for (let from = 0; from < count; from += 1000) {
    const writes: Promise<void>[] = [];
    for (let i = from; i < Math.min(count, from + 1000); i++) {
      const number = order.at(i);
      writes.push(store.set(keyOf(number), values.of(number, version) as Uint8Array));
    }
    await Promise.all(writes);
  }
}

/** Gets and sets in every turn of the event loop, until the promise is done. */
async function duringTraffic(store: KvStore<Uint8Array>, bench: Bench, end: Promise<unknown>): Promise<Traffic> {
  const { keys } = bench.job;
  const order = new Order(Math.floor(keys / 2), 5);
  // what is written is what half of the keys have already: the contents stay known
  const written = new Order(keys, 2);
  const traffic: Traffic = { gets: [], stall: 0 };
  let isOver = false;
  end.then(() => isOver = true, () => isOver = true);
  let turnEnd = performance.now();
  for (let i = 0; !isOver; i++) {
    // the timer waits a millisecond or so: stalls are what is beyond that
    await new Promise((resolve) => setTimeout(resolve, 0));
    traffic.stall = Math.max(traffic.stall, performance.now() - turnEnd);
    for (let j = 0; j < GETS; j++) {
      const key = keyOf(order.at((i * GETS + j) % order.count));
      const start = performance.now();
      store.get(key);
      traffic.gets.push((performance.now() - start) * 1000);
    }
    for (let j = 0; j < SETS; j++) {
      const number = written.at((i * SETS + j) % Math.floor(keys / 2));
      store.set(keyOf(number), bench.values.of(number, 1) as Uint8Array).catch(() => {});
    }
    // the sets are written by a microtask: that is the traffic's own time
    await Promise.resolve();
    turnEnd = performance.now();
  }
  await end;
  return traffic;
}

/** Copies all segments one after the other, synced at the end; returns seconds. */
function copy(from: string, to: string): number {
  mkdirSync(to);
  const slice = new Uint8Array(SLICE_BYTES);
  const start = performance.now();
  for (const name of readdirSync(from).filter((name) => name.endsWith(".seg"))) {
    const [source, target] = [openSync(join(from, name), "r"), openSync(join(to, name), "w")];
    for (let count = 1; count > 0;) {
      count = readSync(source, slice, 0, SLICE_BYTES, null);
      if (count > 0) writeSync(target, slice, 0, count);
    }
    fdatasyncSync(target);
    closeSync(source);
    closeSync(target);
  }
  const seconds = (performance.now() - start) / 1000;
  if (bytesIn(to) === 0) throw new Error("there was nothing to copy");
  rmSync(to, { recursive: true });
  return seconds;
}
