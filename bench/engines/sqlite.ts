/**
 * SQLite: `better-sqlite3` on Node, `node:sqlite` on Deno. Everything is synchronous.
 *
 * @module
 */

import { createRequire } from "node:module";
import { join } from "node:path";
import type { Engine, EngineKind, OpenContext, Payload, RuntimeKind, Visit } from "../engine.ts";
import { endOf, loadPeer } from "./load.ts";

interface Row {
  key: string;
  value: Payload;
}

interface Statement {
  run(...values: Payload[]): unknown;
  get(...values: Payload[]): Row | undefined;
  iterate(...values: Payload[]): Iterable<Row>;
}

interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  close(): void;
}

type Opener = (path: string, project: string) => Database;

/** Rows longer than this are better off in a table with row numbers: https://sqlite.org/withoutrowid.html */
const MOST_BYTES_WITHOUT_ROWID = 200;

class SqliteEngine implements Engine {
  readonly #database: Database;
  readonly #set: Statement;
  readonly #get: Statement;
  readonly #all: Statement;
  readonly #range: Statement;
  readonly #begin: Statement;
  readonly #commit: Statement;

  constructor(database: Database) {
    this.#database = database;
    this.#set = database.prepare("INSERT OR REPLACE INTO entries (key, value) VALUES (?, ?)");
    this.#get = database.prepare("SELECT value FROM entries WHERE key = ?");
    this.#all = database.prepare("SELECT key, value FROM entries ORDER BY key");
    this.#range = database.prepare("SELECT key, value FROM entries WHERE key >= ? AND key < ? ORDER BY key");
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
  }

  set(key: string, value: Payload): void {
    this.#set.run(key, value);
  }

  setMany(keys: string[], values: Payload[]): void {
    this.batch(keys, values);
  }

  batch(keys: string[], values: Payload[]): void {
    this.#begin.run();
    for (let i = 0; i < keys.length; i++) this.#set.run(keys[i]!, values[i]!);
    this.#commit.run();
  }

  get(key: string): Payload | undefined {
    return this.#get.get(key)?.value;
  }

  scan(prefix: string, visit: Visit): void {
    const rows = prefix === "" ? this.#all.iterate() : this.#range.iterate(prefix, endOf(prefix));
    for (const { key, value } of rows) visit(key, value);
  }

  close(): void {
    this.#database.close();
  }
}

function open({ directory, durability, valueBytes, project }: OpenContext, opener: Opener): Engine {
  const database = opener(join(directory, "store.sqlite"), project);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec(`PRAGMA synchronous = ${durability === "sync" ? "FULL" : "NORMAL"}`);
  const kind = valueBytes > MOST_BYTES_WITHOUT_ROWID ? "STRICT" : "STRICT, WITHOUT ROWID";
  database.exec(`CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value ANY) ${kind}`);
  return new SqliteEngine(database);
}

function kind(name: string, runtimes: RuntimeKind[], opener: Opener): EngineKind {
  return {
    name,
    role: "native",
    ...(name.startsWith("node:") ? {} : { package: name }),
    runtimes,
    writes: {
      write: "transactions of 1,000; WAL, `synchronous = NORMAL`: synced at checkpoints",
      sync: "transactions of one or of 1,000; WAL, `synchronous = FULL`: synced at each commit",
    },
    refuses: {},
    open: (context) => open(context, opener),
  };
}

/** https://www.npmjs.com/package/better-sqlite3 */
export const betterSqlite3: EngineKind = kind("better-sqlite3", ["node"], (path, project) => {
  const Opened = loadPeer<new (path: string) => Database>(project, "better-sqlite3");
  return new Opened(path);
});

/** What Deno brings along; in Node it is not stable yet. */
export const nodeSqlite: EngineKind = kind("node:sqlite", ["deno"], (path) => {
  const { DatabaseSync } = createRequire(import.meta.url)("node:sqlite") as {
    DatabaseSync: new (path: string) => Database;
  };
  return new DatabaseSync(path);
});
