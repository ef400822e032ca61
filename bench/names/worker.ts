/**
 * What `deno task bench:names` does through the library, each job in a process of its own: `worker.ts JOB STORE LINES`.
 *
 * @module
 */

import { KvStore } from "../../mod.ts";
import { randomNumbers, readLines } from "./input.ts";

/** Deletes on their way at the same time. */
const DELETES_IN_FLIGHT = 10_000;
const CHOSEN = 1000;

/** What a killed import left. */
export interface Prefix {
  /** How long recovery and all took, in milliseconds. */
  openMs: number;
  /** Whether the store says that it was closed properly. */
  clean: boolean;
  /** Keys in the store. */
  keys: number;
  /** Lines of the input, from the first on, that it holds. */
  lines: number;
}

/** Opens the store as a writer does. */
async function open(store: string): Promise<{ openMs: number; keys: number }> {
  const start = performance.now();
  await using opened = await KvStore.open(store, { create: false });
  return { openMs: performance.now() - start, keys: opened.size };
}

/** Gets a thousand names chosen at random, and names that are not there. */
async function get(store: string, file: string): Promise<{ openMs: number; getMs: number; right: number }> {
  const names: string[] = [];
  for await (const { key } of readLines(file)) names.push(key);
  const random = randomNumbers(2);
  const chosen = Array.from({ length: CHOSEN }, () => Math.floor(random() * names.length));
  const start = performance.now();
  await using opened = await KvStore.open<number>(store, { readOnly: true });
  const openMs = performance.now() - start;
  const right = chosen.filter((at) => opened.get(names[at]!) === at && !opened.has(`${names[at]} `)).length;
  return { openMs, getMs: performance.now() - start - openMs, right };
}

/** Deletes every name at an odd position. */
async function deleteHalf(store: string, file: string): Promise<{ deleted: number }> {
  await using opened = await KvStore.open<number>(store, { create: false });
  let deleted = 0;
  let flying: Promise<boolean>[] = [];
  const land = async () => {
    deleted += (await Promise.all(flying)).filter((wasThere) => wasThere).length;
    flying = [];
  };
  for await (const { key, value } of readLines(file)) {
    if (value % 2 === 1) flying.push(opened.delete(key));
    if (flying.length === DELETES_IN_FLIGHT) await land();
  }
  await land();
  return { deleted };
}

/** Opens the store that a killed process left, and counts from the front the lines that it holds. */
async function prefix(store: string, file: string): Promise<Prefix> {
  const start = performance.now();
  await using opened = await KvStore.open<number>(store, { create: false });
  const openMs = performance.now() - start;
  let lines = 0;
  for await (const { key, value } of readLines(file)) {
    if (opened.get(key) !== value) break;
    lines++;
  }
  return { openMs, clean: opened.recovery.clean, keys: opened.size, lines };
}

const JOBS: Record<string, (store: string, file: string) => Promise<unknown>> = { open, get, deleteHalf, prefix };

const [job = "", store = "", file = ""] = Deno.args;
console.log(JSON.stringify(await JOBS[job]!(store, file)));
