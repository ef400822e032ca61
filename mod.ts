/**
 * An embedded key-value store for Deno and Node in pure TypeScript: writes are appended to a log of segments, an index
 * in memory says where the latest record of each key lies, and compaction gives the space of old records back.
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
  Change,
  CompactionOptions,
  Durability,
  Expiry,
  HistoryOptions,
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

// errors
export { type DamagePlace, type ErrorCode, KvStoreError } from "./src/errors.ts";

// log
export { type LogSurvey, type OpenLog, openLog, type SurveyedSegment, surveyLog } from "./src/store/open_log.ts";
export { Replay, type Replayed } from "./src/store/replay.ts";
export { type Found, scan } from "./src/store/scan.ts";
export { decodeManifest, type Manifest, type ManifestSegment, type Mark } from "./src/log/manifest.ts";
export { type Extent, RecordCursor } from "./src/log/cursor.ts";
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
} from "./src/log/record.ts";
export { type FileHandle, readSegmentHeader, Segment, type SegmentHeader, segmentName } from "./src/log/segment.ts";

// index
export { type Expired, Index, type KeyBytes, type Place } from "./src/index/index.ts";
export { Expiries } from "./src/index/expiries.ts";
export { Relocation } from "./src/index/relocation.ts";
export { Partition } from "./src/index/partition.ts";

// compaction
export { droppableUpTo, gainOf, nextOfAll, nextOfStale, type Thresholds } from "./src/compaction/choose.ts";
