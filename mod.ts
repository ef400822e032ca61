/**
 * An embedded key-value store for Deno, Node and Bun in pure TypeScript. Writes are appended to a log of segments. An
 * index in memory says where the latest record of each key lies. Compaction reclaims the space of superseded records.
 *
 * {@linkcode KvStore} has the calls of a store, {@linkcode OpenOptions} what it can be opened with, and
 * {@linkcode KvStoreError} how calls fail. {@linkcode verifyStore}, {@linkcode repairStore} and
 * {@linkcode destroyStore} work on directories. Semantic versioning covers these and the types that they name. The
 * exports marked `@experimental` come last: they show log, index and compaction to readers and tools, and may change.
 * `deno doc --filter KvStore` prints a single export.
 *
 * @example
 * ```ts
 * import { KvStore } from "@kvstore/kvstore";
 *
 * const store = await KvStore.open("./data");
 * await store.set("user:1", { name: "Ada" }); // resolves once it would survive a power cut
 * store.get("user:1"); // { name: "Ada" }, synchronous
 * await store.delete("user:1"); // true: it was there
 * await store.close();
 * ```
 *
 * @module
 */

// the interface
export { KvStore, type OpenedAs, type StoreClass } from "./src/store.ts";
export { type Reader, Snapshot } from "./src/views/snapshot.ts";
export { verifyStore } from "./src/check/verify.ts";
export { repairStore } from "./src/check/repair.ts";
export { destroyStore } from "./src/store/destroy.ts";
export type {
  BatchOperation,
  Change,
  CompactionOptions,
  Durability,
  Expiry,
  HistoryOptions,
  JsonObject,
  Key,
  OpenOptions,
  Problem,
  Progress,
  Range,
  Recovery,
  RepairReport,
  SetOptions,
  Stats,
  Value,
  VerifyReport,
  Version,
  Watch,
  WatchOptions,
  WorkOptions,
  WriteOptions,
} from "./src/types.ts";
export { type DamagePlace, type ErrorCode, KvStoreError } from "./src/errors.ts";

// experimental, for readers and tools: log, index and compaction of the engine, and what shows a log
export * from "./src/engine/mod.ts";
export { type Expired, ExpiredRecords, Expiries } from "./src/expiries.ts";
export { Relocation, Relocations } from "./src/relocation.ts";
export { type OpenLog, openLog } from "./src/follow/open_log.ts";
export { type LogSurvey, type SurveyedSegment, surveyLog } from "./src/check/survey.ts";
export { type Found, scan } from "./src/check/scan.ts";
export { pathOf } from "./src/store/directory.ts";
export { type Gain, gainOf } from "./src/maintenance/gain.ts";
export { nextOfAll, nextOfStale, type Thresholds } from "./src/maintenance/groups.ts";
