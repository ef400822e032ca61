/**
 * The plain types of the library's calls: what goes in, what comes out, and the options.
 *
 * @module
 */

/** A key: a string, or 0 to 65,535 bytes of anything. A string and its UTF-8 bytes are the same key. */
export type Key = string | Uint8Array;

/**
 * A value: bytes, a string, or JSON: numbers, booleans, `null`, arrays and plain objects, nested up to 1,000 levels.
 *
 * **Within arrays and objects, JSON loses without a word what it does not know.** A `Map`, a `Set` or a `RegExp` comes back
 * as `{}`, a typed array as `{ "0": 1 }`, a `Date` as a string, `NaN` and the infinities as `null`, `undefined` in an array as
 * `null`; functions, symbols and properties that are `undefined` are gone. As a value of its own each of these is a
 * `TypeError`. The option `strictJson` makes them one everywhere.
 */
export type Value = Uint8Array | string | number | boolean | null | JsonObject;

/**
 * An array or a plain object, of any interface. Instances of classes are refused at run time; of those that the language
 * brings the types tell most: `Date`, `Map`, `Set`, `RegExp`, buffers, functions.
 */
export type JsonObject = (object | { [name: string]: unknown }) & {
  /** Maps, sets, promises and buffers have one. */
  readonly [Symbol.toStringTag]?: undefined;
  /** Dates have one. */
  readonly [Symbol.toPrimitive]?: undefined;
  /** Regular expressions have one. */
  readonly [Symbol.match]?: undefined;
  /** Functions have one. */
  readonly [Symbol.hasInstance]?: undefined;
};

/**
 * When a write counts as done: `"sync"` when it would survive a power cut (`fdatasync` has returned), `"write"` when it
 * would survive the death of the process (`write(2)` has returned).
 */
export type Durability = "sync" | "write";

/** Options of a single write. */
export interface WriteOptions {
  /** When the promise resolves; the store's own setting where absent. */
  durability?: Durability | undefined;
}

/** When a key expires: at most one of the two. */
export interface Expiry {
  /** So many milliseconds from now; more than 0, a fraction is rounded up. */
  ttl?: number | undefined;
  /** At that time, in milliseconds since 1970. One that is past leaves the key absent. */
  expiresAt?: number | undefined;
}

/** Options of `set`. Without an expiry the key stays until it is deleted, whatever it had before. */
export interface SetOptions extends WriteOptions, Expiry {}

/** One operation of a batch. */
export type BatchOperation<V extends Value = Value, K extends Key = Key> =
  | { type: "set"; key: K; value: V } & Expiry
  | { type: "delete"; key: K };

/** Which keys to visit, and how. All bounds given hold together. */
export interface Range {
  /** Only keys that start with these bytes. */
  prefix?: Key | undefined;
  /** Only keys greater than this one. */
  gt?: Key | undefined;
  /** Only keys greater than or equal to this one. */
  gte?: Key | undefined;
  /** Only keys less than this one. */
  lt?: Key | undefined;
  /** Only keys less than or equal to this one. */
  lte?: Key | undefined;
  /** From the last key to the first. */
  reverse?: boolean | undefined;
  /** At most so many. */
  limit?: number | undefined;
  /** `"bytes"`: every key as `Uint8Array`, also those that were given as strings. */
  keys?: "bytes" | undefined;
}

/** When compaction runs by itself. */
export interface CompactionOptions {
  /** Whether it does at all (default `true`). */
  auto?: boolean | undefined;
  /** Share of a segment that must be winnable (default 0.5; more than 0, at most 1). */
  staleRatio?: number | undefined;
  /** Bytes that must be winnable in all (default a quarter of `segmentBytes`). */
  minStaleBytes?: number | undefined;
}

/** Options of `KvStore.open`. */
export interface OpenOptions {
  /** Create the store where there is none (default `true`). */
  create?: boolean | undefined;
  /** Open for reading only: needs no lock, works beside a writer, changes nothing (default `false`). */
  readOnly?: boolean | undefined;
  /** When writes count as done (default `"sync"`). */
  durability?: Durability | undefined;
  /** Size at which a segment is sealed, in bytes (default 64 MiB, from 4 KiB to 1 GiB). */
  segmentBytes?: number | undefined;
  /** Most memory for parts of the log that were read, in bytes (default 256 MiB; 0: none). It grows with what is read. */
  cacheBytes?: number | undefined;
  /**
   * Refuse values of which JSON would lose or change a part, with a `TypeError` that says where it is: dates, maps, typed
   * arrays, `NaN`, functions, whatever has a `toJSON`, `undefined` in arrays (default `false`: they are stored as
   * `JSON.stringify` writes them). Walks through each value that is set; meant for development and tests.
   */
  strictJson?: boolean | undefined;
  /** When compaction runs by itself. */
  compaction?: CompactionOptions | undefined;
  /** What to do about damage met at opening: refuse (`"strict"`, the default), or repair first (`"salvage"`). */
  recovery?: "strict" | "salvage" | undefined;
  /** Hears of errors in the background (compaction, the index image). Without it they only show in `stats()`. */
  onError?: ((error: Error) => void) | undefined;
}

/** Progress of long work, in bytes. */
export interface Progress {
  /** Bytes dealt with so far. */
  doneBytes: number;
  /** Bytes to deal with in all, as far as known. */
  totalBytes: number;
}

/** Options of long work: `compact`, `backup`, `verify`. */
export interface WorkOptions {
  /** Called after each slice of work. What it throws ends the work and comes out of the call. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Ends the work; the call rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options of `history`. */
export interface HistoryOptions extends WorkOptions {
  /** At most so many versions, the newest ones. */
  limit?: number | undefined;
}

/** A version of a key that the log holds. */
export interface Version {
  /** Its sequence number: later versions have higher ones. */
  seq: number;
  /** What it did to the key. A clear did it to all keys. */
  type: "set" | "delete" | "clear";
  /** Name of the file that its record is in, relative to the store's directory. */
  segment: string;
  /** Byte offset of the record in that file. */
  offset: number;
  /** Bytes of the record. */
  bytes: number;
  /** Whether it is the present value of the key. */
  live: boolean;
  /** When it expires, or expired, in milliseconds since 1970, if it does. */
  expiresAt?: number;
}

/** A change of a store, as a watch tells of it. */
export type Change<V extends Value = Value, K extends Key = Key> =
  | {
    /** Its sequence number: later changes have higher ones. */
    seq: number;
    type: "set";
    key: K;
    value: V;
    /** When the key expires, in milliseconds since 1970, if it does. */
    expiresAt?: number;
  }
  | { seq: number; type: "delete"; key: K }
  | { seq: number; type: "clear" };

/** Options of `watch`. */
export interface WatchOptions {
  /** Only changes of keys that start with these bytes, and clears. */
  prefix?: Key | undefined;
  /**
   * Only changes with higher sequence numbers, from the first of them on; without it, what becomes durable from now on.
   * Where an older state of the store was put back, a number from before means nothing any more. One from which the log
   * cannot go on, as it does not go back so far or has not come so far, ends the watch with `TRIMMED`.
   */
  since?: number | undefined;
  /** Ends the watch: the next call rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** A watch under way: the changes, one a call. */
export interface Watch<V extends Value = Value, K extends Key = Key>
  extends AsyncIterableIterator<Change<V, K>, undefined> {
  /** All changes up to this sequence number have been looked at: a later watch `since` it goes on from here. */
  readonly position: number;
  /** Ends the watch. A call that waits resolves to being done. */
  return(): Promise<IteratorResult<Change<V, K>, undefined>>;
  /** The same as `return`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Itself. */
  [Symbol.asyncIterator](): this;
}

/** What recovery did when the store was opened. */
export interface Recovery {
  /** Whether the store had been closed properly, so that there was nothing to recover. */
  clean: boolean;
  /** Bytes past the durable mark that did not check out and were left behind. */
  discardedBytes: number;
  /** Records that were intact but belonged to an unfinished batch, or lay behind the first bad byte. */
  discardedRecords: number;
  /** Records past the durable mark that were intact and were copied to a new segment. */
  recoveredRecords: number;
  /** Name of the file that the torn tail was in, if there was one. */
  segment?: string;
  /** Why the tail was not taken, if there was one. */
  reason?: string;
  /** What salvage found and did, if it was asked for and had anything to do. */
  salvaged?: RepairReport;
}

/** Something that is not as it should be in a store's files. */
export interface Problem {
  /** Name of the file, relative to the store's directory. */
  file: string;
  /** Byte offset where it begins. */
  offset: number;
  /** How many bytes it concerns. */
  length: number;
  /** What is wrong, for people. */
  reason: string;
  /** The key concerned, where it can be told. */
  key?: Key;
  /** Whether an older intact version of that key is still in the log. */
  olderVersion?: boolean;
}

/** What `verify` found. A store with notes alone is intact. */
export interface VerifyReport {
  /** Damage. */
  problems: Problem[];
  /** Harmless: a torn tail, bytes past a recorded end, strays, derived files that will be rebuilt. */
  notes: Problem[];
}

/** What `repairStore` did, or would do. */
export interface RepairReport {
  /** The damage found. */
  problems: Problem[];
  /** Keys whose newest value is lost. */
  lostKeys: Key[];
  /** Ranges of sequence numbers, both ends included, of which nothing is known any more. */
  lostSequences: [first: number, last: number][];
  /** Records kept. */
  keptRecords: number;
  /** Files moved aside, as paths relative to the store's directory. */
  movedAside: string[];
}

/** Figures of an open store: plain data, units in the names. */
export interface Stats {
  /** Keys that have a value; those that have expired have none. */
  keys: number;
  /** Segments that the manifest lists. */
  segments: number;
  /** Size of all segments on disk, pinned ones included. */
  diskBytes: number;
  /** Bytes of records that hold a current value. */
  liveBytes: number;
  /** Bytes that compaction can win: superseded records, durable marks, and the values of expired keys. */
  staleBytes: number;
  /** Bytes of tombstones, and of expired records as far as they stand for some. */
  tombstoneBytes: number;
  /** Memory held by the index. */
  indexBytes: number;
  /** Bytes handed over by callers and not yet written to a file. */
  pendingBytes: number;
  /** Bytes written and not yet known to be synced. */
  unsyncedBytes: number;
  /** Segments that are compacted away but still pinned by iterators or snapshots. */
  pinnedSegments: number;
  /** Compactions finished since opening. */
  compactions: number;
  /** Calls of fdatasync on segments since opening. */
  syncs: number;
  /** Highest sequence number given out. */
  lastSequence: number;
  /** The last error of a background compaction or index image, if the latest one failed. */
  lastCompactionError?: Error;
}
