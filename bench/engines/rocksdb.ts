/**
 * rocksdb: RocksDB behind the interface of abstract-leveldown. Everything takes a callback.
 *
 * @module
 */

import type { Engine, EngineKind, OpenContext, Payload, Visit } from "../engine.ts";
import { called, endOf, loadPeer } from "./load.ts";

type Done<T = void> = (error?: Error | null, result?: T) => void;

interface Put {
  type: "put";
  key: string;
  value: Payload;
}

interface Iterator {
  next(done: (error: Error | null, key?: string, value?: Payload) => void): void;
  end(done: Done): void;
}

interface Database {
  open(options: { compression: boolean }, done: Done): void;
  put(key: string, value: Payload, options: { sync: boolean }, done: Done): void;
  batch(operations: Put[], options: { sync: boolean }, done: Done): void;
  getMany(keys: string[], options: { asBuffer: boolean }, done: Done<(Payload | undefined)[]>): void;
  iterator(options: { gte?: string; lt?: string; keyAsBuffer: boolean; valueAsBuffer: boolean }): Iterator;
  close(done: Done): void;
}

class RocksDbEngine implements Engine {
  readonly #database: Database;
  readonly #options: { sync: boolean };
  readonly #asBuffer: boolean;

  constructor(database: Database, { durability, payload }: OpenContext) {
    this.#database = database;
    this.#options = { sync: durability === "sync" };
    this.#asBuffer = payload === "bytes";
  }

  set(key: string, value: Payload): Promise<void> {
    return called((done) => this.#database.put(key, value, this.#options, done));
  }

  setMany(keys: string[], values: Payload[]): Promise<void> {
    return this.batch(keys, values);
  }

  batch(keys: string[], values: Payload[]): Promise<void> {
    const operations = keys.map((key, i): Put => ({ type: "put", key, value: values[i]! }));
    return called((done) => this.#database.batch(operations, this.#options, done));
  }

  getMany(keys: string[]): Promise<(Payload | undefined)[]> {
    return called((done) => this.#database.getMany(keys, { asBuffer: this.#asBuffer }, done));
  }

  async scan(prefix: string, visit: Visit): Promise<void> {
    const range = prefix === "" ? {} : { gte: prefix, lt: endOf(prefix) };
    const iterator = this.#database.iterator({ ...range, keyAsBuffer: false, valueAsBuffer: this.#asBuffer });
    await new Promise<void>((resolve, reject) => {
      const onNext = (error: Error | null, key?: string, value?: Payload) => {
        if (error) return reject(error);
        if (value === undefined) return resolve();
        visit(key, value);
        iterator.next(onNext);
      };
      iterator.next(onNext);
    });
    await called((done) => iterator.end(done));
  }

  close(): Promise<void> {
    return called((done) => this.#database.close(done));
  }
}

/** https://www.npmjs.com/package/rocksdb */
export const rocksdb: EngineKind = {
  name: "rocksdb",
  role: "native",
  package: "rocksdb",
  runtimes: ["deno", "node"],
  writes: {
    write: "`batch` of 1,000, `sync: false`; gets by `getMany` of 1,000",
    sync: "`put` or `batch` of 1,000, `sync: true`",
  },
  refuses: {},
  buffers: true,
  open: async (context: OpenContext) => {
    const database = loadPeer<(path: string) => Database>(context.project, "rocksdb")(context.directory);
    // the values are random: trying to compress them would cost time for nothing
    await called((done) => database.open({ compression: false }, done));
    return new RocksDbEngine(database, context);
  },
};
