/**
 * The types of the library's calls: arguments, results and options.
 *
 * @module
 */

/** A key: a string or a `Uint8Array`, at most 65,535 bytes long. A string and its UTF-8 bytes are the same key. */
export type Key = string | Uint8Array;

/**
 * A value: bytes, a string, or JSON: numbers, booleans, `null`, arrays and plain objects, nested up to 1,000 levels.
 *
 * **Within arrays and objects, JSON silently loses what it cannot express.** A `Map`, a `Set` or a `RegExp` comes back
 * as `{}`, a typed array as `{ "0": 1 }`, a `Date` as a string, and `NaN`, an infinity or `undefined` in an array as
 * `null`. Functions, symbols and properties that are `undefined` are dropped. At the top level each of these is a
 * `TypeError`; the option `strictJson` makes all but properties that are `undefined` one everywhere.
 */
export type Value = Uint8Array | string | number | boolean | null | JsonObject;

/**
 * An array or a plain object, of any interface. Instances of classes are refused at run time. The type excludes most
 * built-in classes: `Date`, `Map`, `Set`, `RegExp`, buffers and functions.
 */
export type JsonObject = (object | { [name: string]: unknown }) & {
  /** Excludes maps, sets, promises and buffers, which have this property. */
  readonly [Symbol.toStringTag]?: undefined;
  /** Excludes dates, which have this method. */
  readonly [Symbol.toPrimitive]?: undefined;
  /** Excludes regular expressions, which have this method. */
  readonly [Symbol.match]?: undefined;
  /** Excludes functions, which have this method. */
  readonly [Symbol.hasInstance]?: undefined;
};

/**
 * When the promise of a write resolves: with `"sync"` once the write would survive a power cut (`fdatasync` has
 * returned), with `"write"` once it would survive the death of the process (`write(2)` has returned).
 */
export type Durability = "sync" | "write";

/** Options of a single write. */
export interface WriteOptions {
  /** When the promise resolves (default: the store's own setting). */
  durability?: Durability | undefined;
}

/** When a key expires. Give at most one of the two. */
export interface Expiry {
  /** Milliseconds from now until the key expires, more than 0. Fractions are rounded up. */
  ttl?: number | undefined;
  /** Time when the key expires, in milliseconds since 1970. A time in the past leaves the key absent. */
  expiresAt?: number | undefined;
}

/** Options of `set`. Without an expiry the key stays until it is deleted, even if it had an expiry before. */
export interface SetOptions extends WriteOptions, Expiry {}

/** One operation of a batch. */
export type BatchOperation<V extends Value = Value, K extends Key = Key> =
  | { type: "set"; key: K; value: V } & Expiry
  | { type: "delete"; key: K };

/** Which keys to visit, and in which order. A key must be within all bounds that are given. */
export interface Range {
  /** Only keys that start with this string or these bytes. */
  prefix?: Key | undefined;
  /** Only keys greater than this one. */
  gt?: Key | undefined;
  /** Only keys greater than or equal to this one. */
  gte?: Key | undefined;
  /** Only keys less than this one. */
  lt?: Key | undefined;
  /** Only keys less than or equal to this one. */
  lte?: Key | undefined;
  /** Visit the keys from the last to the first (default `false`). */
  reverse?: boolean | undefined;
  /** Visit at most this many keys. */
  limit?: number | undefined;
  /**
   * With `"bytes"`, every key is returned as a `Uint8Array`, even if it was set as a string. The caller may change it.
   * Short ones may share their `buffer`, so copy them before you transfer it.
   */
  keys?: "bytes" | undefined;
}

/** When compaction runs in the background. */
export interface CompactionOptions {
  /** Whether compaction runs in the background at all (default `true`). */
  auto?: boolean | undefined;
  /** Share of a segment that compaction must be able to reclaim (default 0.5; more than 0, at most 1). */
  staleRatio?: number | undefined;
  /**
   * Bytes that compaction must be able to reclaim in all (default a quarter of `segmentBytes`). Where segments get smaller
   * as the volume fills up, it is less in the same proportion.
   */
  minStaleBytes?: number | undefined;
}

/** Options of `KvStore.open`. */
export interface OpenOptions {
  /** Create a store if the directory has none (default `true`). */
  create?: boolean | undefined;
  /** Open for reading only: takes no lock, works beside a writer, and changes no file (default `false`). */
  readOnly?: boolean | undefined;
  /**
   * `false` if you answer for it that no other program, worker or call opens the store for writing meanwhile. The
   * operating system is not asked for the lock then, as in a container without the command `flock`, which Node needs
   * (default `true`). If there is another writer all the same, it fails (`FAILED`) before it acknowledges anything more.
   */
  lock?: boolean | undefined;
  /** When the promises of writes resolve (default `"sync"`). */
  durability?: Durability | undefined;
  /**
   * Size in bytes at which a segment is sealed (default 64 MiB; from 4 KiB to 1 GiB). On a volume that fills up it is less:
   * a thirty-second of the space that is left, but not below 32 KiB.
   */
  segmentBytes?: number | undefined;
  /** Largest size in bytes of the cache of blocks that were read (default 256 MiB; 0: no cache). It grows as needed. */
  cacheBytes?: number | undefined;
  /**
   * Refuse values that JSON would change or lose in part, with a `TypeError` that names the part: dates, maps, typed
   * arrays, `NaN`, functions, objects with a `toJSON`, `undefined` in arrays (default `false`: they are stored as
   * `JSON.stringify` writes them). Properties that are `undefined` are still left out, -0 becomes 0, and keys that are
   * symbols, properties that are not enumerable and extra properties of arrays are lost. Each value is traversed when
   * it is set, so use this in development and tests.
   */
  strictJson?: boolean | undefined;
  /** When compaction runs in the background. */
  compaction?: CompactionOptions | undefined;
  /** What to do about damage found at opening: refuse (`"strict"`, the default), or repair first (`"salvage"`). */
  recovery?: "strict" | "salvage" | undefined;
  /** Called with errors of background work: compaction and the image of the index. `stats()` has the last one too. */
  onError?: ((error: Error) => void) | undefined;
}

/** Progress of long work, in bytes. */
export interface Progress {
  /** Bytes processed so far. */
  doneBytes: number;
  /** Bytes to process in all, as far as known. */
  totalBytes: number;
}

/** Options of long work: `compact`, `backup`, `verify`. */
export interface WorkOptions {
  /** Called after each slice of work. If it throws, the work ends and the call rejects with that error. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Ends the work. The call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options of `history`. */
export interface HistoryOptions extends WorkOptions {
  /** Return at most this many versions: the newest ones. */
  limit?: number | undefined;
  /** Read the values as well (default `false`). */
  values?: boolean | undefined;
}

/** A version of a key that the log holds. */
export interface Version<V extends Value = Value> {
  /** Sequence number. Later versions have higher ones. */
  seq: number;
  /** What was done to the key. `clear` was done to all keys. */
  type: "set" | "delete" | "clear";
  /** Name of the file that has the record, relative to the store's directory. */
  segment: string;
  /** Byte offset of the record in that file. */
  offset: number;
  /** Size of the record in bytes. */
  bytes: number;
  /** Whether this is the current value of the key. */
  live: boolean;
  /** Time when this version expires or expired, in milliseconds since 1970. */
  expiresAt?: number;
  /** The value that was set, if `history` was asked for values and the record is intact. */
  value?: V;
}

/** A change of a store, as a watch returns it. */
export type Change<V extends Value = Value, K extends Key = Key> =
  | {
    /** Sequence number. Later changes have higher ones. */
    seq: number;
    type: "set";
    key: K;
    value: V;
    /** Time when the key expires, in milliseconds since 1970. */
    expiresAt?: number;
  }
  | { seq: number; type: "delete"; key: K }
  | { seq: number; type: "clear" };

/** Options of `watch`. */
export interface WatchOptions {
  /** Only changes of keys that start with this string or these bytes, and clears. */
  prefix?: Key | undefined;
  /**
   * Begin with the first change after this sequence number (default: with what becomes durable from now on). If the log
   * no longer has all changes after it, or has not reached that number yet, the watch ends with `TRIMMED`. Once an older
   * copy of the store was restored, numbers from before mean nothing.
   */
  since?: number | undefined;
  /** Ends the watch. The next call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** A watch: an async iterator over the changes of a store. If there is none, it waits for the next one. */
export interface Watch<V extends Value = Value, K extends Key = Key>
  extends AsyncIterableIterator<Change<V, K>, undefined> {
  /** The watch has passed all changes up to this sequence number. A later watch can go on from here with `since`. */
  readonly position: number;
  /** Ends the watch. A call of `next` that is waiting resolves with `done: true`. */
  return(): Promise<IteratorResult<Change<V, K>, undefined>>;
  /** Ends the watch, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Returns the watch itself. */
  [Symbol.asyncIterator](): this;
}

/** What recovery did when the store was opened. */
export interface Recovery {
  /** Whether the store had been closed cleanly, so that there was nothing to recover. */
  clean: boolean;
  /** Bytes of the torn tail: they lay after the durable mark, did not check out, and were discarded. */
  discardedBytes: number;
  /** Intact records that were discarded: they belonged to an unfinished batch, or lay after the first damaged byte. */
  discardedRecords: number;
  /** Intact records after the durable mark that were copied to a new segment. */
  recoveredRecords: number;
  /** Name of the file that had a torn tail, if there was one. */
  segment?: string;
  /** Why the torn tail was discarded, if there was one. */
  reason?: string;
  /** What salvage found and did, if it was requested and had anything to do. */
  salvaged?: RepairReport;
}

/** Something wrong in the files of a store. */
export interface Problem {
  /** Name of the file, relative to the store's directory. */
  file: string;
  /** Byte offset in the file where the problem begins. */
  offset: number;
  /** Number of bytes concerned. */
  length: number;
  /** What is wrong, for people. */
  reason: string;
  /** The key concerned, if it can be read. */
  key?: Key;
  /** Whether the log still has an older, intact version of the key. */
  olderVersion?: boolean;
}

/**
 * What `verify` found. A store without problems is intact, even if there are notes. Each list has at most 1,000 entries,
 * and then one that says how many more there are.
 */
export interface VerifyReport {
  /** Damage in the files. */
  problems: Problem[];
  /** Harmless findings: a torn tail, bytes past a recorded end, strays, derived files that will be rebuilt. */
  notes: Problem[];
}

/** What `repairStore` did, or would do without `dryRun`. */
export interface RepairReport {
  /** The damage found: at most 1,000 entries, and then one that says how many more there are. */
  problems: Problem[];
  /** Keys that have lost their newest value. */
  lostKeys: Key[];
  /**
   * Ranges of sequence numbers whose records may be lost, with the first and the last number of each: at most 1,000, of
   * which the last one then reaches over all that follow.
   */
  lostSequences: [first: number, last: number][];
  /** Number of records kept. */
  keptRecords: number;
  /** Files that were moved aside, as paths relative to the store's directory. */
  movedAside: string[];
}

/** Figures of an open store. */
export interface Stats {
  /** Number of keys, without those that have expired. */
  keys: number;
  /** Number of segments that the manifest lists. */
  segments: number;
  /** Size of all segments on disk, including pinned ones. */
  diskBytes: number;
  /** Size of the records that hold the current values. */
  liveBytes: number;
  /** Bytes that compaction can reclaim: superseded records, durable marks, and the values of expired keys. */
  staleBytes: number;
  /** Size of the tombstones, including what expired records need while they serve as tombstones. */
  tombstoneBytes: number;
  /** Memory that the index takes. */
  indexBytes: number;
  /** Bytes of pending writes, which are not in a file yet. */
  pendingBytes: number;
  /** Bytes that are written and not synced yet. */
  unsyncedBytes: number;
  /** Number of segments that compaction has replaced and that iterators, snapshots or watches still need. */
  pinnedSegments: number;
  /** Number of compactions finished since the store was opened. */
  compactions: number;
  /** Number of `fdatasync` calls on segments since the store was opened. */
  syncs: number;
  /** Highest sequence number that any write has. */
  lastSequence: number;
  /** The error of the latest background compaction or image of the index, if it failed. */
  lastCompactionError?: Error;
}
