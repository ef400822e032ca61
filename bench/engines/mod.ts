/**
 * All engines that can be measured, in the order of the tables.
 *
 * @module
 */

import type { EngineKind } from "../engine.ts";
import { classicLevel } from "./classic_level.ts";
import { denoKv, denoKvOnNode, openKvHere } from "./deno_kv.ts";
import { jsonlDb } from "./jsonl_db.ts";
import { kvstore, uncached } from "./kvstore.ts";
import { kvLevel } from "./kvlevel.ts";
import { lmdb } from "./lmdb.ts";
import { map } from "./map.ts";
import { medea } from "./medea.ts";
import { raw } from "./raw.ts";
import { rocksdb } from "./rocksdb.ts";
import { rocksdbNative } from "./rocksdb_native.ts";
import { betterSqlite3, nodeSqlite } from "./sqlite.ts";

/** Ours first, then the floors, then the peers. */
export const ENGINES: EngineKind[] = [
  kvstore,
  uncached,
  kvLevel,
  openKvHere,
  map,
  raw,
  lmdb,
  classicLevel,
  rocksdb,
  rocksdbNative,
  betterSqlite3,
  nodeSqlite,
  denoKv,
  denoKvOnNode,
  jsonlDb,
  medea,
];

/** An engine by its name. */
export function engineOf(name: string): EngineKind {
  const kind = ENGINES.find((kind) => kind.name === name);
  if (kind === undefined) {
    throw new Error(`no engine "${name}"; there are ${ENGINES.map(({ name }) => name).join(", ")}`);
  }
  return kind;
}
