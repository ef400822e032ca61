/**
 * jsonl-db: all values in a `Map`, written to a file of JSON lines in the background.
 *
 * @module
 */

import { join } from "node:path";
import type { Engine, EngineKind, OpenContext, Payload } from "../engine.ts";
import { loadPeer } from "./load.ts";

interface Database {
  open(): Promise<void>;
  set(key: string, value: Payload): unknown;
  get(key: string): Payload | undefined;
  close(): Promise<void>;
}

interface JsonlDb {
  JsonlDB: new (path: string) => Database;
}

class JsonlEngine implements Engine {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  set(key: string, value: Payload): void {
    this.#database.set(key, value);
  }

  setMany(keys: string[], values: Payload[]): void {
    for (let i = 0; i < keys.length; i++) this.#database.set(keys[i]!, values[i]!);
  }

  get(key: string): Payload | undefined {
    return this.#database.get(key);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

/** https://www.npmjs.com/package/@alcalzone/jsonl-db */
export const jsonlDb: EngineKind = {
  name: "jsonl-db",
  role: "script",
  package: "@alcalzone/jsonl-db",
  runtimes: ["deno", "node"],
  writes: { write: "`set` acknowledges nothing: the time includes `close`; values are strings", sync: "none" },
  refuses: {
    durable: "no call syncs",
    batch: "it has none",
  },
  payload: "string",
  acknowledgesAtClose: true,
  open: async ({ directory, project }: OpenContext) => {
    const { JsonlDB } = loadPeer<JsonlDb>(project, "@alcalzone/jsonl-db");
    const database = new JsonlDB(join(directory, "store.jsonl"));
    await database.open();
    return new JsonlEngine(database);
  },
};
