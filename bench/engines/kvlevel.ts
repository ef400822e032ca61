/**
 * This library through abstract-level: the calls that classic-level is given.
 *
 * @module
 */

import { KvLevel } from "../../src/adapters/level.ts";
import type { EngineKind, OpenContext } from "../engine.ts";
import { type Database, LevelEngine } from "./classic_level.ts";
import { kvstore } from "./kvstore.ts";

const isTheSame = "as kvstore: only what has ranges is measured through abstract-level, and what goes with it";

/** The adapter for Level. */
export const kvLevel: EngineKind = {
  name: "KvLevel",
  role: "ours",
  runtimes: ["deno", "node"],
  writes: { write: "`batch` of 1,000, `sync: false`", sync: kvstore.writes.sync },
  refuses: {
    durable: isTheSame,
    batch: isTheSame,
    large4k: isTheSame,
    large1m: isTheSame,
    open: isTheSame,
    memory: isTheSame,
  },
  open: async ({ directory, payload, durability }: OpenContext) => {
    const valueEncoding = payload === "bytes" ? "view" : "utf8";
    const database = new KvLevel<string, unknown>(directory, { valueEncoding, durability });
    await database.open();
    return new LevelEngine(database as unknown as Database, durability === "sync");
  },
};
