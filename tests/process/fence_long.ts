/**
 * Two and three writers on one store, as the lock lies: whatever the order in which their calls on files follow one
 * another, nothing that one of them acknowledged is lost, and the store can be opened.
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore, verifyStore } from "../../mod.ts";
import { processTest } from "../support/processes.ts";
import { Random } from "../support/random.ts";
import { turns } from "../support/sweep.ts";
import { type Ended, GATE, type Task } from "./support/stepped.ts";

/** What each writer does. A few sets need a new segment. */
const CALLS = ["open", "a", "b", "c", "d", "a", "b", "compact", "e", "a", "b", "c", "close"];
/** Long enough for any call on a file. */
const HANGS_MS = 20_000;

/** A writer in a worker, which goes on step by step. */
class Writer {
  readonly #worker: Worker;
  #message: Promise<unknown>;
  #gate = new Int32Array(new SharedArrayBuffer(8));

  constructor() {
    this.#worker = new Worker(new URL("./support/stepped.ts", import.meta.url), { type: "module" });
    this.#message = this.#nextMessage();
  }

  async ready(): Promise<void> {
    await this.#message;
  }

  #nextMessage(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }) => resolve(data);
      this.#worker.onerror = (event) => reject(event.error ?? new Error(event.message));
    });
  }

  begin(task: Omit<Task, "gate">): void {
    const gate = new SharedArrayBuffer(8);
    this.#gate = new Int32Array(gate);
    this.#message = this.#nextMessage();
    this.#worker.postMessage({ ...task, gate });
    this.#settle();
  }

  /** Lets it make its next call. False if it is done. */
  step(): boolean {
    if (Atomics.load(this.#gate, 0) === GATE.done) return false;
    Atomics.store(this.#gate, 0, GATE.running);
    Atomics.add(this.#gate, 1, 1);
    Atomics.notify(this.#gate, 1);
    this.#settle();
    return true;
  }

  /** Lets it make so many calls, or all that it still has to make. Returns how many it made. */
  steps(most: number = Infinity): number {
    let count = 0;
    while (count < most && this.step()) count++;
    return count;
  }

  async ended(): Promise<Ended[]> {
    return await this.#message as Ended[];
  }

  end(): void {
    this.#worker.terminate();
  }

  #settle(): void {
    while (Atomics.load(this.#gate, 0) === GATE.running) {
      if (Atomics.wait(this.#gate, 0, GATE.running, HANGS_MS) === "timed-out") throw new Error("a writer hangs");
    }
  }
}

/** Stores that the writers find: none, one that was closed, and one that was not. */
const STORES = ["none", "clean", "unclean"] as const;

async function prepare(directory: string, kind: typeof STORES[number]): Promise<Map<string, string>> {
  await Deno.mkdir(directory);
  const contents = new Map<string, string>();
  if (kind === "none") return contents;
  const store = await KvStore.open(directory);
  for (const key of ["a", "b", "z"]) {
    await store.set(key, `first ${key}`);
    contents.set(key, `first ${key}`);
  }
  if (kind === "clean") await store.close();
  else await copyWhileOpen(store, directory);
  return contents;
}

/** Leaves the directory as the death of the process would. */
async function copyWhileOpen(store: KvStore, directory: string): Promise<void> {
  const copy = `${directory}-copy`;
  await Deno.mkdir(copy);
  for (const { name } of Deno.readDirSync(directory)) Deno.copyFileSync(`${directory}/${name}`, `${copy}/${name}`);
  await store.close();
  await Deno.remove(directory, { recursive: true });
  await Deno.rename(copy, directory);
}

/** Runs writers on a store in the order that `schedule` makes of their steps, and sees what they leave. */
async function check(
  what: string,
  directory: string,
  { kind, writers, schedule }: { kind: typeof STORES[number]; writers: Writer[]; schedule: () => void },
): Promise<void> {
  const before = await prepare(directory, kind);
  for (const [i, writer] of writers.entries()) writer.begin({ directory, calls: CALLS, name: `writer ${i} ` });
  schedule();
  for (const writer of writers) writer.steps();
  const ended = await Promise.all(writers.map((writer) => writer.ended()));

  // Of each writer: what it acknowledged, and what it may have written all the same.
  const store = await KvStore.open(directory).catch((error) => {
    throw new Error(
      `${what}: ${error.message} after ${JSON.stringify(ended.map((calls) => calls.map((c) => c.code)))}`,
    );
  });
  const sets = ended.map((calls) => calls.filter(({ call }) => call.length === 1));
  const keys = new Set([...before.keys(), ...sets.flat().map(({ call }) => call)]);
  for (const key of keys) {
    const found = store.get(key) as string | undefined;
    // The last acknowledged value of each writer. One of them must be there, or a later one of its writer.
    const last = sets.map((calls) => calls.findLastIndex(({ call, code }) => call === key && code === "ok"));
    const possible = sets.flatMap((calls, i) => calls.slice(Math.max(last[i]!, 0)).filter(({ call }) => call === key));
    const isFirst = last.every((at) => at < 0) && found === before.get(key);
    assert(isFirst || possible.some(({ value }) => value === found), `${what}: ${key} is ${found?.slice(0, 20)}`);
  }
  await store.close();
  assertEquals((await verifyStore(directory)).problems, [], what);
  await Deno.remove(directory, { recursive: true });
  const others = ended.flat().filter(({ code }) => code !== "ok" && code !== "FAILED");
  assertEquals(others.map(({ call, code }) => `${call}: ${code}`), [], what);
}

async function withWriters(count: number, run: (writers: Writer[]) => Promise<void>): Promise<void> {
  const writers = Array.from({ length: count }, () => new Writer());
  try {
    for (const writer of writers) await writer.ready();
    await run(writers);
  } finally {
    for (const writer of writers) writer.end();
  }
}

await processTest(
  "a lock that lies: before each call of a writer on a file, another one comes and goes",
  async (root) => {
    await withWriters(2, async (writers) => {
      const [former, next] = writers as [Writer, Writer];
      const isTurn = turns();
      for (const kind of STORES) {
        for (let at = 0, isDone = false; !isDone; at++) {
          if (!isTurn()) continue;
          const schedule = () => {
            isDone = former.steps(at) < at;
            next.steps();
          };
          await check(`${kind}, ${at}`, `${root}/store`, { kind, writers, schedule });
        }
      }
    });
  },
);

await processTest("a lock that lies: three writers whose calls on files follow one another at random", async (root) => {
  await withWriters(3, async (writers) => {
    const isTurn = turns();
    for (let seed = 0; seed < 500; seed++) {
      if (!isTurn()) continue;
      const random = new Random(seed);
      const longest = random.between(2, 150);
      const schedule = () => {
        // Each goes on for a while, and often stops for long.
        for (let left = 1500; left > 0;) {
          const made = writers[random.below(writers.length)]!.steps(random.between(1, longest));
          left -= Math.max(made, 20);
        }
      };
      await check(`seed ${seed}`, `${root}/store`, { kind: STORES[seed % STORES.length]!, writers, schedule });
    }
  });
});
