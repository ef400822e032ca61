/**
 * This library: on Deno the source, on Node the installed package.
 *
 * @module
 */

import { KvStore } from "../../mod.ts";
import type { Engine, EngineKind, OpenContext, Payload, ScanPart, Visit } from "../engine.ts";

class KvStoreEngine implements Engine {
  readonly #store: KvStore<Payload>;

  constructor(store: KvStore<Payload>) {
    this.#store = store;
  }

  set(key: string, value: Payload): Promise<void> {
    return this.#store.set(key, value);
  }

  setMany(keys: string[], values: Payload[]): Promise<unknown> {
    const acknowledged: Promise<void>[] = [];
    for (let i = 0; i < keys.length; i++) {
      const done = this.#store.set(keys[i]!, values[i]!);
      // calls that are acknowledged together share a promise: waiting for it once is enough
      if (done !== acknowledged.at(-1)) acknowledged.push(done);
    }
    return Promise.all(acknowledged);
  }

  batch(keys: string[], values: Payload[]): Promise<void> {
    return this.#store.batch(keys.map((key, i) => ({ type: "set", key, value: values[i]! })));
  }

  get(key: string): Payload | undefined {
    return this.#store.get(key);
  }

  delete(key: string): Promise<boolean> {
    return this.#store.delete(key);
  }

  scan(prefix: string, visit: Visit, part?: ScanPart): void {
    const range = { ...(prefix === "" ? {} : { prefix }), ...part };
    for (const [key, value] of this.#store.entries(range)) visit(key, value);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

/** The engine that all this is about. */
export const kvstore: EngineKind = {
  name: "kvstore",
  role: "ours",
  runtimes: ["deno", "node"],
  writes: {
    write: 'durability "write", 1,000 calls of `set` in flight; synced in the background every second or 4 MiB',
    sync: 'durability "sync": fdatasync before every acknowledgement, shared by the calls in flight',
  },
  refuses: {},
  open: async ({ directory, durability }: OpenContext) =>
    new KvStoreEngine(await KvStore.open<Payload>(directory, { durability })),
};

const isTheSame = "as with a cache";

/** The same without its cache: what a `get` costs where the working set is much larger than that. */
export const uncached: EngineKind = {
  ...kvstore,
  name: "kvstore without cache",
  refuses: {
    durable: isTheSame,
    batch: isTheSame,
    large4k: isTheSame,
    large1m: isTheSame,
    open: isTheSame,
    memory: isTheSame,
  },
  open: async ({ directory, durability }: OpenContext) =>
    new KvStoreEngine(await KvStore.open<Payload>(directory, { durability, cacheBytes: 0 })),
};
