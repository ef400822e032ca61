/**
 * rocksdb-native: RocksDB by way of librocksdb, with batches for reading and for writing.
 *
 * @module
 */

import type { Engine, EngineKind, OpenContext, Payload, Visit } from "../engine.ts";
import { endOf, loadPeer } from "./load.ts";

interface WriteBatch {
  tryPut(key: string, value: Payload): void;
  flush(): Promise<void>;
}

interface ReadBatch {
  get(key: string): Promise<Payload | null>;
  tryFlush(): void;
}

interface BatchOptions {
  capacity: number;
  autoDestroy: boolean;
}

interface Database {
  ready(): Promise<void>;
  write(options: BatchOptions): WriteBatch;
  read(options: BatchOptions): ReadBatch;
  iterator(
    range: { gte?: string; lt?: string },
    options: { capacity: number },
  ): AsyncIterable<{ key: unknown; value: Payload }>;
  close(): Promise<void>;
}

type RocksDb = new (path: string, options: { valueEncoding: unknown }) => Database;

/** Its package of encodings, which it takes them from. */
interface CompactEncoding {
  raw: { utf8: unknown };
}

/** Entries that an iterator reads in one go. */
const CAPACITY = 1000;

class RocksDbNativeEngine implements Engine {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  set(key: string, value: Payload): Promise<void> {
    return this.batch([key], [value]);
  }

  setMany(keys: string[], values: Payload[]): Promise<void> {
    return this.batch(keys, values);
  }

  batch(keys: string[], values: Payload[]): Promise<void> {
    const batch = this.#database.write({ capacity: keys.length, autoDestroy: true });
    for (let i = 0; i < keys.length; i++) batch.tryPut(keys[i]!, values[i]!);
    return batch.flush();
  }

  getMany(keys: string[]): Promise<(Payload | null)[]> {
    const batch = this.#database.read({ capacity: keys.length, autoDestroy: true });
    const values = keys.map((key) => batch.get(key));
    batch.tryFlush();
    return Promise.all(values);
  }

  async scan(prefix: string, visit: Visit): Promise<void> {
    const range = prefix === "" ? {} : { gte: prefix, lt: endOf(prefix) };
    for await (const { key, value } of this.#database.iterator(range, { capacity: CAPACITY })) visit(key, value);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

/** https://www.npmjs.com/package/rocksdb-native */
export const rocksdbNative: EngineKind = {
  name: "rocksdb-native",
  role: "native",
  package: "rocksdb-native",
  runtimes: ["deno", "node"],
  writes: { write: "write batches of 1,000; gets by read batches of 1,000", sync: "none: no option syncs a write" },
  refuses: { durable: "no option syncs a write" },
  buffers: true,
  open: async ({ directory, payload, project }: OpenContext) => {
    const RocksDb = loadPeer<RocksDb>(project, "rocksdb-native");
    const { raw } = loadPeer<CompactEncoding>(project, "compact-encoding");
    const database = new RocksDb(directory, { valueEncoding: payload === "string" ? raw.utf8 : null });
    await database.ready();
    return new RocksDbNativeEngine(database);
  },
};
