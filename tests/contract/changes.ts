/**
 * What the cases about watches share: reading changes, and a history to be told of.
 *
 * @module
 */

import type { Change, Key, KvStore, KvStoreError, Watch } from "../../mod.ts";
import { bytes, fill, turns } from "./support/helpers.ts";

/** The next changes of a watch, as many as that. */
export async function take(watch: Watch, count: number): Promise<Change[]> {
  const changes: Change[] = [];
  while (changes.length < count) {
    const { value, done } = await watch.next();
    if (done) break;
    changes.push(value);
  }
  return changes;
}

/** Ends so far: each is told from the others. */
let ends = 0;

/** All changes after a sequence number that are durable now: reads up to a last write of its own. */
export async function changesSince(store: KvStore, since: number): Promise<Change[]> {
  const watch = store.watch({ since });
  const end = `end ${++ends}`;
  await store.set("the end", end, { durability: "sync" });
  const changes: Change[] = [];
  for await (const change of watch) {
    if (change.type === "set" && change.value === end) break;
    changes.push(change);
  }
  return changes;
}

/** How far back the log goes. */
export async function floorOf(store: KvStore): Promise<number> {
  const watch = store.watch({ since: 0 });
  try {
    await watch.next();
    return 0;
  } catch (error) {
    return (error as KvStoreError).historyFloor!;
  } finally {
    await watch.return();
  }
}

/** Changes as one comparable text each. */
export function textsOf(changes: Change[]): string[] {
  return changes.map((change) =>
    JSON.stringify({ ...change, ...("key" in change ? { key: String(change.key) } : {}) })
  );
}

/** What becomes of a promise within some turns of the event loop. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await turns(5);
  return settled;
}

/** A history with everything in it, over several segments; `between` runs before each step. */
export async function writeHistory(
  store: KvStore,
  between: (step: number) => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const steps = [
    () => store.set("a", "first"),
    () => store.set("b", "x".repeat(1500)),
    () =>
      store.batch([{ type: "set", key: "a", value: 2 }, { type: "delete", key: "b" }, {
        type: "set",
        key: "c",
        value: "c",
      }]),
    () => store.set("b", "y".repeat(1500), { durability: "write" }),
    () => store.delete("c"),
    () => store.set(bytes(0, 255), bytes(1, 2, 3)),
    () => fill(store, 40),
    () => store.clear(),
    () => store.set("a", "after the clear"),
    () =>
      store.batch(Array.from({ length: 30 }, (_, i) => ({ type: "set", key: `batch ${i}`, value: "z".repeat(90) }))),
    () => fill(store, 30, "again".repeat(20)),
    () => store.delete("key 00003"),
    () => store.set("a", "last"),
  ];
  for (const [i, step] of steps.entries()) {
    await between(i);
    await step();
  }
}

/** How many steps that history has … */
export const STEPS = 13;
/** … and how many changes. */
export const CHANGES = 112;

/** Applies changes to what a store held. */
export function apply(state: Map<string, unknown>, changes: Change[]): void {
  for (const change of changes) {
    if (change.type === "clear") state.clear();
    else if (change.type === "delete") state.delete(String(change.key));
    else state.set(String(change.key), change.value);
  }
}

/** What a store holds, by the text of the key. */
export function stateOf(entries: Iterable<[Key, unknown]>): Map<string, unknown> {
  return new Map(Array.from(entries, ([key, value]) => [String(key), value]));
}

/** A state with its keys in order, to be compared. */
export function sorted(state: Map<string, unknown>): [key: string, value: unknown][] {
  return [...state].sort(([a], [b]) => a < b ? -1 : 1);
}

/** Reads a watch all the time. */
export class Follower {
  #changes: Change[] = [];
  #failure: unknown;

  constructor(watch: Watch) {
    this.#read(watch);
  }

  /** What has come since the last call. Throws what the watch ended with. */
  async news(): Promise<Change[]> {
    for (let before = -1; before < this.#changes.length;) {
      before = this.#changes.length;
      await turns(4);
    }
    if (this.#failure !== undefined) throw this.#failure;
    return this.#changes.splice(0);
  }

  async #read(watch: Watch): Promise<void> {
    try {
      for await (const change of watch) this.#changes.push(change);
    } catch (error) {
      this.#failure = error;
    }
  }
}

/** The keys of changes. */
export function keysOf(changes: Change[]): Key[] {
  return changes.map((change) => change.type === "clear" ? "clear" : change.key);
}

/** The first word of the value of each set. */
export function wordsOf(changes: Change[]): (string | undefined)[] {
  return changes.map((change) => change.type === "set" ? String(change.value).split(" ")[0] : undefined);
}
