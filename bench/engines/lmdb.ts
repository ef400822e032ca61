/**
 * lmdb: synchronous reads from a mapped file; puts of one turn share a transaction that is committed in a thread.
 *
 * @module
 */

import type { Engine, EngineKind, OpenContext, Payload, ScanPart, Visit } from "../engine.ts";
import { endOf, loadPeer } from "./load.ts";

interface Database {
  flushed: PromiseLike<unknown>;
  put(key: string, value: Payload): Promise<boolean>;
  batch(action: () => void): Promise<boolean>;
  remove(key: string): Promise<boolean>;
  get(key: string): Payload | undefined;
  getRange(
    range: { start?: string; end?: string; limit?: number; reverse?: boolean },
  ): Iterable<{ key: string; value: Payload }>;
  close(): Promise<void>;
}

interface Lmdb {
  open(options: { path: string; encoding: "binary" | "string" }): Database;
}

class LmdbEngine implements Engine {
  readonly #database: Database;
  readonly #isSynced: boolean;

  constructor(database: Database, isSynced: boolean) {
    this.#database = database;
    this.#isSynced = isSynced;
  }

  async set(key: string, value: Payload): Promise<void> {
    await this.#database.put(key, value);
    if (this.#isSynced) await this.#database.flushed;
  }

  async setMany(keys: string[], values: Payload[]): Promise<void> {
    // all puts of a turn are one transaction: the last promise stands for all
    let last: Promise<boolean> | undefined;
    for (let i = 0; i < keys.length; i++) last = this.#database.put(keys[i]!, values[i]!);
    await last;
    if (this.#isSynced) await this.#database.flushed;
  }

  async batch(keys: string[], values: Payload[]): Promise<void> {
    await this.#database.batch(() => {
      for (let i = 0; i < keys.length; i++) this.#database.put(keys[i]!, values[i]!);
    });
    if (this.#isSynced) await this.#database.flushed;
  }

  get(key: string): Payload | undefined {
    return this.#database.get(key);
  }

  async delete(key: string): Promise<void> {
    await this.#database.remove(key);
    if (this.#isSynced) await this.#database.flushed;
  }

  scan(prefix: string, visit: Visit, part?: ScanPart): void {
    const [start, end] = part?.reverse === true ? [endOf(prefix), prefix] : [prefix, endOf(prefix)];
    const range = { ...(prefix === "" ? {} : { start, end }), ...part };
    for (const { key, value } of this.#database.getRange(range)) visit(key, value);
  }

  async close(): Promise<void> {
    await this.#database.flushed;
    await this.#database.close();
  }
}

/** https://www.npmjs.com/package/lmdb */
export const lmdb: EngineKind = {
  name: "lmdb",
  role: "native",
  package: "lmdb",
  runtimes: ["deno", "node"],
  writes: {
    write: "`put`, 1,000 in one turn, which share a transaction; default `overlappingSync`: synced after the commit",
    sync: "the same, then `flushed` awaited",
  },
  refuses: {},
  open: ({ directory, payload, durability, project }: OpenContext) => {
    const encoding = payload === "bytes" ? "binary" : "string";
    return new LmdbEngine(loadPeer<Lmdb>(project, "lmdb").open({ path: directory, encoding }), durability === "sync");
  },
};
