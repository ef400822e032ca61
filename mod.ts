/**
 * An embedded key-value store for Deno and Node in pure TypeScript: writes are appended to a log of segments, an index
 * in memory says where the latest record of each key lies, and compaction gives the space of old records back.
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
 * {@linkcode KvStore} has the calls of a store, {@linkcode OpenOptions} what it can be opened with, and
 * {@linkcode KvStoreError} how calls fail; {@linkcode verifyStore}, {@linkcode repairStore} and {@linkcode destroyStore} are for directories. These
 * and the types that they name are the interface that versions keep to. The exports marked `@experimental`, which come
 * last, show log, index and compaction to readers and tools, and may change. `deno doc --filter KvStore` prints one export
 * alone.
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

// experimental: the log
export { type OpenLog, openLog } from "./src/follow/open_log.ts";
export { type LogSurvey, type SurveyedSegment, surveyLog } from "./src/check/survey.ts";
export { Replay, type Replayed } from "./src/engine/replay.ts";
export { type Found, scan } from "./src/check/scan.ts";
export { decodeManifest, type Manifest, type ManifestSegment, type Mark } from "./src/engine/manifest.ts";
export { type Extent, RecordCursor } from "./src/engine/cursor.ts";
export {
  FLAG_EXPIRES,
  FLAG_MORE,
  FLAG_STRING_KEY,
  KIND,
  type Kind,
  readMark,
  type RecordBuffer,
  RecordHeader,
  VALUE_TYPE,
  valueTypeOf,
} from "./src/engine/record.ts";
export { type FileHandle, readSegmentHeader, Segment, type SegmentHeader, segmentName } from "./src/engine/segment.ts";

// experimental: the index
export { type Expired, Index, type KeyBytes, type Place, type ReadIndex } from "./src/engine/index.ts";
export { Expiries } from "./src/expiries.ts";
export { Relocation } from "./src/relocation.ts";
export { Partition } from "./src/engine/partition.ts";

// experimental: compaction
export { droppableUpTo, gainOf, nextOfStale, noteClean, type Thresholds } from "./src/engine/choose.ts";
export { nextOfAll } from "./src/maintenance/groups.ts";
