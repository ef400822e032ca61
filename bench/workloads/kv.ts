/**
 * The calls of Deno KV, beside a few standing entries and beside many. Values are objects. Every commit is synced.
 *
 * @module
 */

import type { Kv, KvKey } from "../../src/kv/mod.ts";
import { type Bench, type Figure, IN_FLIGHT, type Phase, rate } from "./bench.ts";
import { keyOf, Order } from "./data.ts";
import { nextKey, timed } from "./ranges.ts";

/** Entries whose keys differ in the last part alone: a list, and a commit of the fill. */
const GROUP = 1000;
const AUTHORS = 100;
/** Entries of the index that are read after a commit. */
const LATEST = 10;
/** Entries that a list fetches at a time: the most that Deno allows. */
const BATCH = { batchSize: 500 };

interface Item {
  number: number;
  text: string;
}

/** Leaves a closed store with the standing entries behind. */
export async function fillForKv(bench: Bench): Promise<Figure[]> {
  const engine = await bench.open("store", "sync");
  const { keys } = bench.job;
  // in the order of the keys: SQLite would take minutes otherwise
  for (let from = 0; from < keys; from += GROUP) {
    const atomic = engine.kv!.atomic();
    for (let number = from; number < Math.min(from + GROUP, keys); number++) {
      atomic.set(keyOfItem(number), itemOf(bench, number));
    }
    await atomic.commit();
  }
  await engine.close();
  return [];
}

/** Gets, lists and commits among the entries that `fillForKv` left. New ones come only from the index. */
export async function kv(bench: Bench): Promise<Figure[]> {
  const engine = await bench.open("store", "sync");
  const kv = engine.kv!;
  const order = new Order(bench.job.keys, 2);
  const numberAt = (i: number) => order.at(i % order.count);
  const get = (i: number) => getItem(kv, numberAt(i));
  const list = (i: number) => listGroup(kv, numberAt(i), Math.min(GROUP, order.count));
  const commit = async (i: number) => {
    const number = numberAt(i);
    const { ok } = await kv.atomic().set(keyOfItem(number), itemOf(bench, number)).commit();
    if (!ok) throw new Error("not committed");
  };
  // as in a program that has run for a while: what an engine keeps in memory is there
  for await (const { value } of kv.list<Item>({ prefix: [] }, BATCH)) if (value.number < 0) throw new Error("no item");
  const listed = await timed(bench, list, { rounds: 40, warmUp: 100, block: 4 });
  const figures = [
    rate("kv-get", await timed(bench, get, { rounds: 20_000, warmUp: 5000, block: 1000 })),
    rate("kv-many", await inFlight(bench, commit)),
    rate("kv-serial", await timed(bench, commit, { rounds: 400, warmUp: 20, block: 20 })),
    rate("kv-list", { ...listed, operations: listed.operations * Math.min(GROUP, order.count) }),
    rate("kv-index", await inFlight(bench, (i) => post(kv, { author: i % AUTHORS, item: itemOf(bench, i) }))),
  ];
  await engine.close();
  return figures;
}

function keyOfItem(number: number): KvKey {
  return ["item", Math.floor(number / GROUP), keyOf(number)];
}

function itemOf(bench: Bench, number: number): Item {
  return { number, text: bench.values.of(number, 0) as string };
}

async function getItem(kv: Kv, number: number): Promise<void> {
  const { value } = await kv.get<Item>(keyOfItem(number));
  if (value?.number !== number) throw new Error(`item ${number} is ${value?.number}`);
}

/** Lists the entries of a number's group. */
async function listGroup(kv: Kv, number: number, wanted: number): Promise<void> {
  let entries = 0;
  let sum = 0;
  for await (const { value } of kv.list<Item>({ prefix: keyOfItem(number).slice(0, 2) }, BATCH)) {
    entries++;
    sum += value.number;
  }
  const first = number - number % GROUP;
  if (entries !== wanted || sum !== first * wanted + wanted * (wanted - 1) / 2) {
    throw new Error(`${entries} are listed`);
  }
}

/** Adds a post with its place in the index, and reads the latest posts of its author. */
async function post(kv: Kv, { author, item }: { author: number; item: Item }): Promise<void> {
  const id = nextKey();
  const { ok } = await kv.atomic().set(["post", id], item).set(["by author", author, id], id).commit();
  const latest: string[] = [];
  const options = { limit: LATEST, reverse: true };
  for await (const { value } of kv.list<string>({ prefix: ["by author", author] }, options)) latest.push(value);
  if (!ok || !latest.includes(id)) throw new Error(`the latest after ${id} are ${latest}`);
}

/** Does something many times, all in flight together. Of an author there are no more posts then than are read. */
async function inFlight(bench: Bench, action: (i: number) => Promise<void>): Promise<Phase> {
  const round = async (flight: number) => {
    await Promise.all(Array.from({ length: IN_FLIGHT }, (_, i) => action(flight * IN_FLIGHT + i)));
  };
  const phase = await timed(bench, round, { rounds: 10, warmUp: 2, block: 1 });
  return { ...phase, operations: phase.operations * IN_FLIGHT };
}
