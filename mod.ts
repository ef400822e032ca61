/**
 * An embedded key-value store for Deno and Node in pure TypeScript: writes are appended to a log of segments, an index in memory says where the
 * latest record of each key lies, and compaction gives the space of old records back.
 *
 * @example
 * ```ts
 * import { KvStore } from "@kvstore/kvstore";
 *
 * await using store = await KvStore.open("./data");
 * await store.set("user:1", { name: "Ada" }); // resolves once it would survive a power cut
 * store.get("user:1"); // { name: "Ada" }, synchronous
 * await store.delete("user:1"); // true: it was there
 * ```
 *
 * `KvStore`, `verifyStore`, `repairStore`, the error and the types are the interface that versions keep to. The exports
 * marked `@experimental` show log, index and compaction to readers and tools, and may change.
 *
 * @module
 */

// store
export { KvStore } from "./src/store.ts";
export { Snapshot } from "./src/store/snapshot.ts";
export { Reader } from "./src/store/reader.ts";
export { verifyStore } from "./src/store/verify.ts";
export { repairStore } from "./src/store/repair.ts";
export type {
  BatchOperation,
  CompactionOptions,
  Durability,
  Key,
  OpenOptions,
  Problem,
  Progress,
  Range,
  Recovery,
  RepairReport,
  Stats,
  Value,
  VerifyReport,
  WorkOptions,
  WriteOptions,
} from "./src/types.ts";

// errors
export { type DamagePlace, type ErrorCode, KvStoreError } from "./src/errors.ts";

// log
export {
  type LogDamage,
  type LogItem,
  type LogManifest,
  type LogRecord,
  type LogSegment,
  readLog,
} from "./src/store/read_log.ts";
