/**
 * medea: a Bitcask in JavaScript.
 *
 * @module
 */

import type { Engine, EngineKind, OpenContext, Payload } from "../engine.ts";
import { called, calledMany, loadPeer } from "./load.ts";

type Done<T = void> = (error?: Error | null, result?: T) => void;

interface Batch {
  put(key: string, value: Payload): void;
}

interface Database {
  open(directory: string, done: Done): void;
  put(key: string, value: Payload, done: Done): void;
  createBatch(): Batch;
  write(batch: Batch, done: Done): void;
  get(key: string, done: Done<Payload>): void;
  close(done: Done): void;
}

class MedeaEngine implements Engine {
  readonly #database: Database;
  readonly #context: OpenContext;

  constructor(database: Database, context: OpenContext) {
    this.#database = database;
    this.#context = context;
  }

  set(key: string, value: Payload): Promise<void> {
    if (this.#context.durability === "sync") return this.batch([key], [value]);
    return called((done) => this.#database.put(key, value, done));
  }

  setMany(keys: string[], values: Payload[]): Promise<void> {
    if (this.#context.durability === "sync") return this.batch(keys, values);
    return calledMany(keys.length, (i, done) => this.#database.put(keys[i]!, values[i]!, done));
  }

  /** Always synced. */
  batch(keys: string[], values: Payload[]): Promise<void> {
    const batch = this.#database.createBatch();
    for (let i = 0; i < keys.length; i++) batch.put(keys[i]!, values[i]!);
    return called((done) => this.#database.write(batch, done));
  }

  async getMany(keys: string[]): Promise<(Payload | undefined)[]> {
    const values: (Payload | undefined)[] = new Array(keys.length);
    await calledMany(keys.length, (i, done) =>
      this.#database.get(keys[i]!, (error, value) => {
        values[i] = this.#context.payload === "string" ? value?.toString() : value;
        done(error);
      }));
    return values;
  }

  close(): Promise<void> {
    return called((done) => this.#database.close(done));
  }
}

/** https://www.npmjs.com/package/medea */
export const medea: EngineKind = {
  name: "medea",
  role: "script",
  package: "medea",
  runtimes: ["deno", "node"],
  writes: {
    write: "`put`, 1,000 in flight; opened again after an overwrite, it gave old values",
    sync: "`write` of batches of one or of 1,000, which always syncs",
  },
  refuses: {},
  buffers: true,
  open: async (context: OpenContext) => {
    const database = loadPeer<() => Database>(context.project, "medea")();
    await called((done) => database.open(context.directory, done));
    return new MedeaEngine(database, context);
  },
};
