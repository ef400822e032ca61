/**
 * classic-level: LevelDB. Reads by `getSync`, writes of many keys by `batch`.
 *
 * @module
 */

import type { Engine, EngineKind, OpenContext, Payload, ScanPart, Visit } from "../engine.ts";
import { endOf, loadPeer } from "./load.ts";

interface Put {
  type: "put";
  key: string;
  value: Payload;
}

/** What is called of a Level database. */
export interface Database {
  put(key: string, value: Payload, options: { sync: boolean }): Promise<void>;
  del(key: string, options: { sync: boolean }): Promise<void>;
  batch(operations: Put[], options: { sync: boolean }): Promise<void>;
  getSync(key: string): Payload | undefined;
  iterator(range: { gte?: string; lt?: string; limit?: number; reverse?: boolean; highWaterMarkBytes: number }): {
    nextv(size: number): Promise<[key: string, value: Payload][]>;
    close(): Promise<void>;
  };
  close(): Promise<void>;
}

interface ClassicLevel {
  ClassicLevel: new (path: string, options: { keyEncoding: string; valueEncoding: string }) => Database & {
    open(options: { compression: boolean }): Promise<void>;
  };
}

/** Entries that a call of `nextv` asks for, and the bytes that let it give so many. */
const ENTRIES = 1000;
const HIGH_WATER_MARK_BYTES = 1024 * 1024;

/** An open Level database: classic-level, or this library through its adapter. */
export class LevelEngine implements Engine {
  readonly #database: Database;
  readonly #options: { sync: boolean };

  /** An engine on an open database whose writes are synced or not. */
  constructor(database: Database, sync: boolean) {
    this.#database = database;
    this.#options = { sync };
  }

  set(key: string, value: Payload): Promise<void> {
    return this.#database.put(key, value, this.#options);
  }

  setMany(keys: string[], values: Payload[]): Promise<void> {
    return this.batch(keys, values);
  }

  batch(keys: string[], values: Payload[]): Promise<void> {
    return this.#database.batch(keys.map((key, i) => ({ type: "put", key, value: values[i]! })), this.#options);
  }

  get(key: string): Payload | undefined {
    return this.#database.getSync(key);
  }

  delete(key: string): Promise<void> {
    return this.#database.del(key, this.#options);
  }

  async scan(prefix: string, visit: Visit, part?: ScanPart): Promise<void> {
    const range = { ...(prefix === "" ? {} : { gte: prefix, lt: endOf(prefix) }), ...part };
    const iterator = this.#database.iterator({ ...range, highWaterMarkBytes: HIGH_WATER_MARK_BYTES });
    for (let rest = part?.limit ?? Infinity; rest > 0;) {
      const entries = await iterator.nextv(Math.min(ENTRIES, rest));
      if (entries.length === 0) break;
      for (const [key, value] of entries) visit(key, value);
      rest -= entries.length;
    }
    await iterator.close();
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

/** https://www.npmjs.com/package/classic-level */
export const classicLevel: EngineKind = {
  name: "classic-level",
  role: "native",
  package: "classic-level",
  runtimes: ["deno", "node"],
  writes: {
    write: "`batch` of 1,000, `sync: false`",
    sync: "`put` or `batch` of 1,000, `sync: true`",
  },
  refuses: {},
  open: async ({ directory, payload, durability, project }: OpenContext) => {
    const { ClassicLevel } = loadPeer<ClassicLevel>(project, "classic-level");
    const valueEncoding = payload === "bytes" ? "buffer" : "utf8";
    const database = new ClassicLevel(directory, { keyEncoding: "utf8", valueEncoding });
    // the values are random: trying to compress them would cost time for nothing
    await database.open({ compression: false });
    return new LevelEngine(database, durability === "sync");
  },
};
