/**
 * The store that programs use. It checks arguments, writes to log and index, and closes its parts in order.
 *
 * @module
 */
import { asIo, KvStoreError } from "./errors.ts";
import { memoryPlatform } from "./platform/memory.ts";
import { platform as systemPlatform } from "./platform/mod.ts";
import { pathOf } from "./platform/path.ts";
import { attempt, paced } from "./platform/turn.ts";
import type { Lock, Platform } from "./platform/types.ts";
import type { Maintenance } from "./maintenance/maintenance.ts";
import { backupStore } from "./backup/backup.ts";
import type { OpenStore } from "./store/open_store.ts";
import { ensureDirectory, findStore, manifestOf, releasedAfter, takeLock } from "./store/directory.ts";
import { historyOf } from "./watch/history.ts";
import { ownKey } from "./store/keys.ts";
import { refuseForeign } from "./store/names.ts";
import { openWriter } from "./engine/open.ts";
import { openReader } from "./follow/open_reader.ts";
import { OPENING } from "./store/opening.ts";
import { checkNames, settingsOf } from "./store/options.ts";
import { type Parts, partsFor, partsOf } from "./store/parts.ts";
import { Prefetcher } from "./store/prefetch.ts";
import { Reading, showAsJson } from "./store/reader.ts";
import { refresh } from "./follow/refresh.ts";
import { repairIfThere } from "./check/repair.ts";
import { Snapshot } from "./views/snapshot.ts";
import { Writing } from "./store/writing.ts";
import { verifyOpen } from "./check/verify.ts";
import { watchStore } from "./watch/watch.ts";
import type {
  BatchOperation,
  HistoryOptions,
  Key,
  OpenOptions,
  Range,
  Recovery,
  SetOptions,
  Stats,
  Value,
  VerifyReport,
  Version,
  Watch,
  WatchOptions,
  WorkOptions,
  WriteOptions,
} from "./types.ts";

/** The engine of a store, for tests that work on it directly. */
export let engineOf: (store: KvStore) => OpenStore;

/** The class that `open` is called on: `KvStore`, or a class that extends it. */
export interface StoreClass<S> {
  /** The prototype of its instances. */
  readonly prototype: S;
}

/** What `open` resolves to: a `KvStore` of the types asked for, or an instance of the class that extends it. */
export type OpenedAs<S, V extends Value, K extends Key> = S extends KvStore<infer W>
  ? 0 extends 1 & W ? KvStore<V, K> : S
  : never;

/**
 * An embedded key-value store in one directory. Writes are appended to a log. An index in memory says where the latest
 * record of each key is.
 *
 * @example Set, get, delete
 * ```ts
 * import { KvStore } from "@kvstore/kvstore";
 *
 * await using store = await KvStore.open("./data");
 * await store.set("user:1", { name: "Ada" });
 * console.log(store.get("user:1")); // { name: "Ada" }
 * console.log(await store.delete("user:1")); // true
 * ```
 *
 * @typeParam V type of the values, for the type checker only
 * @typeParam K type of the keys, for the type checker only: `KvStore<User, string>` if no key is set as bytes
 */
export class KvStore<V extends Value = Value, K extends Key = Key> {
  /** What recovery did when the store was opened. */
  readonly recovery: Recovery;
  readonly #engine: OpenStore;
  readonly #reading: Reading<V, K>;
  readonly #writing: Writing<V, K>;
  readonly #prefetcher: Prefetcher;
  readonly #lock: Lock | undefined;
  readonly #maintenance: Maintenance;
  #closing: Promise<void> | undefined;

  static {
    engineOf = (store) => store.#engine;
    showAsJson(this.prototype);
  }

  /** @internal Stores are made by `open`. */
  protected constructor(parts: never) {
    const { engine, settings, lock, maintenance, recovery } = partsOf(parts);
    this.#engine = engine;
    this.#reading = new Reading<V, K>(engine, undefined);
    this.#writing = new Writing<V, K>(engine, this.#reading, settings);
    this.#prefetcher = new Prefetcher(engine);
    this.#lock = lock;
    this.#maintenance = maintenance;
    this.recovery = recovery;
  }

  /**
   * Opens the store in a directory, and creates both if necessary. Takes the writer lock, and recovers from a crash.
   * Called on a class that extends this one, it resolves to an instance of that class.
   *
   * @param directory the store's directory: a path, or a `file:` URL. A relative path is made absolute now. `":memory:"`
   * is a new store in memory, which is gone once it is closed. It does the same, but needs no disk and no permission.
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using cache = await KvStore.open("./data", { durability: "write", segmentBytes: 16 * 1024 * 1024 });
   * await using shown = await KvStore.open("./data", { readOnly: true }); // as a rule, in another process
   * await using tried = await KvStore.open(":memory:"); // for a test
   * console.log(cache.size, shown.size, tried.size);
   * ```
   *
   * @throws {TypeError} for options that do not exist or have the wrong type, {RangeError} for values out of range
   * @throws {KvStoreError} `LOCKED`, `NO_LOCK`, `NOT_FOUND`, `CORRUPT`, `FORMAT`, `IO`, `FAILED`
   */
  // deno-lint-ignore no-explicit-any -- the prototype of a generic class has `any` for its parameters
  static async open<V extends Value = Value, K extends Key = Key, S = KvStore<any, any>>(
    this: StoreClass<S>,
    directory: string | URL,
    options: OpenOptions = {},
  ): Promise<OpenedAs<S, V, K>> {
    const inMemory = directory === ":memory:";
    const platform = inMemory ? memoryPlatform(systemPlatform) : systemPlatform;
    const settings = inMemory ? { cacheBytes: 0, ...options } : options;
    const open = () => KvStore.openOn.call(this ?? KvStore, platform, directory, settings);
    return await paced(open) as OpenedAs<S, V, K>;
  }

  /** @internal Opens a store on any platform: for tests that simulate a disk. */
  static async openOn<V extends Value = Value>(
    platform: Platform,
    directory: string | URL,
    options: OpenOptions,
  ): Promise<KvStore<V>> {
    const settings = settingsOf(options);
    const path = platform.absolute(pathOf(directory));
    const make = (parts: Parts) => new this<V>(parts as never);
    if (settings.readOnly) return make(partsFor(openReader(platform, path), settings, undefined));
    if (settings.create) {
      // Before the lock is taken, as that writes into the file LOCK, which may be LevelDB's.
      refuseForeign(path, ensureDirectory(platform, path) ?? []);
    } else if (findStore(platform, path) === "none") {
      throw new KvStoreError("NOT_FOUND", `there is no store in ${path}`);
    }
    const lock = takeLock(platform, path, settings.lock);
    let store: KvStore<V>;
    try {
      const salvaged = settings.recovery === "salvage" ? await repairIfThere(platform, path, lock) : undefined;
      const manifest = manifestOf(platform, path, settings.create ? lock : undefined);
      store = make(
        partsFor(openWriter({ platform, directory: path, lock }, manifest, OPENING), settings, lock, salvaged),
      );
    } catch (error) {
      throw releasedAfter(error, lock, platform, path);
    }
    await store.#maintenance.mergeSmall();
    const { failure } = store.#engine.log;
    if (failure === undefined) return store;
    await store.close().catch(() => {});
    throw failure;
  }

  /** The highest sequence number that any write has, pending ones included: `stats().lastSequence`, at no cost. */
  get lastSequence(): number {
    return this.#engine.log.nextSequence - 1;
  }

  /** The number of keys, without those that have expired. */
  get size(): number {
    return this.#reading.size();
  }

  /**
   * The value of a key, or `undefined`. The caller may change it. Short bytes may share their `buffer` with other
   * values, so copy them before you transfer it.
   *
   * On a read-only store, the writer may have removed the file with the value, and this process may not have it open
   * (see the README on limits). `get` then refreshes the store, as `refresh` does, and reads again.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open<{ name: string }>("./data");
   * await store.set("user:1", { name: "Ada" });
   * console.log(store.get("user:1")?.name); // Ada
   * console.log(store.get("user:none")); // undefined
   * ```
   *
   * @throws {KvStoreError} `CORRUPT` if the record is damaged, `CLOSED`, `IO`
   */
  get(key: K): V | undefined {
    return this.#reading.get(key);
  }

  /**
   * The value of a key, or `undefined`, as of when it has been read. Like `get` after `prefetch`: what is not in memory
   * is read on another thread. Use it where data is larger than memory and the disk is slow; otherwise `get` is far
   * faster.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("page:1", "…");
   * console.log(await store.getAsync("page:1")); // …
   * ```
   *
   * @throws As `get` does.
   */
  getAsync(key: K): Promise<V | undefined> {
    return paced(async () => {
      const own = ownKey(key);
      await this.#prefetcher.read([own]);
      return this.#reading.get(own);
    });
  }

  /**
   * Reads the records of keys ahead, 64 at a time, on other threads, so that reading them afterwards does not wait for
   * the disk. Resolves once they are in the operating system's cache. A key without a value is passed over.
   *
   * @example Write a long list without keeping other requests waiting
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * for (let i = 0; i < 100; i++) store.set(`page:${i}`, "…");
   * const keys = [...store.keys({ prefix: "page:", limit: 50 })];
   * await store.prefetch(keys);
   * console.log(store.getMany(keys).length); // 50
   * ```
   *
   * @throws {KvStoreError} `CLOSED`
   */
  prefetch(keys: Iterable<K>): Promise<void> {
    return paced(() => this.#prefetcher.read(keys));
  }

  /**
   * The values of several keys, in the order of the keys, all from the same state. Throws as `get` does.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("a", 1);
   * console.log(store.getMany(["a", "b"])); // [ 1, undefined ]
   * ```
   */
  getMany(keys: Iterable<K>): (V | undefined)[] {
    return this.#reading.getMany(keys);
  }

  /**
   * Whether a key has a value. Reads no record.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("a", 1);
   * console.log(store.has("a"), store.has("b")); // true false
   * ```
   */
  has(key: K): boolean {
    return this.#reading.has(key);
  }

  /**
   * The number of keys of a range, or of all. Reads no record, and looks at each key of the range.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("user:1", "Ada");
   * await store.set("group:1", "Analysts");
   * console.log(store.count({ prefix: "user:" })); // 1
   * ```
   *
   * @throws {TypeError} for unknown options, and for bounds that are no keys
   * @throws {KvStoreError} `CLOSED`
   */
  count(range?: Range): number {
    return this.#reading.count(range);
  }

  /**
   * When a key expires, in milliseconds since 1970. `undefined` if it never does, or does not exist. Reads no record.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("session", { user: "Ada" }, { ttl: 30 * 60_000 });
   * console.log(new Date(store.expiresAt("session")!)); // half an hour from now
   * ```
   */
  expiresAt(key: K): number | undefined {
    return this.#reading.expiresAt(key);
  }

  /** The keys of a range as bytes, even if they were set as strings. Otherwise like `keys` without `keys: "bytes"`. */
  keys(range: Range & { keys: "bytes" }): IteratorObject<Uint8Array, undefined>;
  /**
   * The keys of a range, or all keys, sorted by their bytes, as of this call. Reads no record.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("user:1", "Ada");
   * for (const key of store.keys({ prefix: "user:" })) console.log(key); // user:1
   * ```
   */
  keys(range?: Range): IteratorObject<K, undefined>;
  keys(range?: Range): IteratorObject<Key, undefined> {
    return this.#reading.keys(range);
  }

  /**
   * The values of a range, or all, in the order of their keys, as of this call. `next` reads one at a time.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("user:1", "Ada");
   * console.log([...store.values({ gte: "user:", lt: "user;", limit: 10 })]); // [ "Ada" ]
   * ```
   */
  values(range?: Range): IteratorObject<V, undefined> {
    return this.#reading.values(range);
  }

  /** The keys of a range as bytes, with their values. Otherwise like `entries` without `keys: "bytes"`. */
  entries(range: Range & { keys: "bytes" }): IteratorObject<[Uint8Array, V], undefined>;
  /**
   * The keys of a range, or all keys, with their values, sorted by the bytes of the keys, as of this call: later writes
   * do not show. `next` reads one value at a time. If a record is damaged, it throws `CORRUPT`, and the next call goes
   * on after it.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.batch(["ada", "bob", "eve"].map((name) => ({ type: "set", key: `user:${name}`, value: name.length })));
   * for (const [key, value] of store.entries({ prefix: "user:" })) console.log(key, value);
   * const last = store.entries({ gte: "user:", lt: "user;", reverse: true, limit: 1 }).next().value;
   * console.log(last); // [ "user:eve", 3 ]
   * ```
   *
   * @throws {TypeError} for unknown options, and for bounds that are no keys
   * @throws {KvStoreError} `CLOSED`; from the iterator's `next` also `CORRUPT`, `IO` and, on a read-only store,
   * `TRIMMED` if the writer has removed a file that it needs
   */
  entries(range?: Range): IteratorObject<[K, V], undefined>;
  entries(range?: Range): IteratorObject<[Key, V], undefined> {
    return this.#reading.entries(range);
  }

  /** All keys with their values, sorted by the bytes of the keys. Like `entries()`. */
  [Symbol.iterator](): IteratorObject<[K, V], undefined> {
    return this.#reading.entries();
  }

  /**
   * Sets a key. Reads see the value at once. The promise resolves when the write has the durability asked for. With
   * `ttl` or `expiresAt`, the key expires at that time. Without, it stays, even if it had an expiry before.
   *
   * @example A session that ends in half an hour
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("session", { user: "Ada" }, { ttl: 30 * 60_000 });
   * ```
   *
   * @throws {TypeError} for keys and values that cannot be stored, {RangeError} if they are too large
   * @throws {KvStoreError} `CLOSED`, `READ_ONLY`, `IO` (the write is taken back), `FAILED`
   */
  set(key: K, value: V, options?: SetOptions): Promise<void> {
    return this.#writing.set(key, value, options);
  }

  /**
   * Deletes a key. Resolves to whether it was there, once that is as durable as asked for. Rejects as `set` does.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("a", 1);
   * console.log(await store.delete("a"), await store.delete("a")); // true false
   * ```
   */
  delete(key: K, options?: WriteOptions): Promise<boolean> {
    return this.#writing.delete(key, options);
  }

  /**
   * Changes the value of a key: calls `change` with the present value, or with `undefined` if there is none, and sets
   * what that returns; `undefined` deletes the key. Nothing comes between reading and writing, so `change` must not be
   * async. The key keeps its expiry unless `ttl` or `expiresAt` is given. Resolves to the new value.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open<string[]>("./data");
   * await store.update("tags", (tags = []) => [...tags, "new"]);
   * console.log(store.get("tags")); // [ "new" ]
   * ```
   *
   * @throws Whatever `change` throws, and as `get` and `set` do. Then nothing has changed.
   */
  update(key: K, change: (value: V | undefined) => V | undefined, options?: SetOptions): Promise<V | undefined> {
    return this.#writing.update(key, change, options);
  }

  /**
   * Adds to the number of a key, which counts as 0 if the key has no value. Nothing comes between reading and writing.
   * The key keeps its expiry unless `ttl` or `expiresAt` is given. Resolves to the sum.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await Promise.all([store.increment("visits"), store.increment("visits"), store.increment("visits", -1)]);
   * console.log(store.get("visits")); // 1
   * ```
   *
   * @throws {TypeError} for a value that is no number, {RangeError} for a sum beyond the exact whole numbers; also as
   * `set` does
   */
  increment(key: K, by: number = 1, options?: SetOptions): Promise<number> {
    return this.#writing.increment(key, by, options);
  }

  /**
   * Gives a key another expiry, and leaves its value as it is. Resolves to whether the key was there.
   *
   * @example A session that lasts half an hour from its last request on
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("session", { user: "Ada" }, { ttl: 30 * 60_000 });
   * console.log(await store.touch("session", { ttl: 30 * 60_000 })); // true
   * ```
   *
   * @throws {TypeError} without a `ttl` or an `expiresAt`; also as `get` and `set` do
   */
  touch(key: K, options: SetOptions): Promise<boolean> {
    return this.#writing.touch(key, options);
  }

  /**
   * Takes the expiry of a key away, and leaves its value as it is. Resolves to whether it had one.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("draft", "Dear Ada", { ttl: 60_000 });
   * await store.persist("draft");
   * console.log(store.expiresAt("draft")); // undefined
   * ```
   *
   * @throws As `get` and `set` do.
   */
  persist(key: K, options?: WriteOptions): Promise<boolean> {
    return this.#writing.persist(key, options);
  }

  /**
   * The value of a key. If it has none, calls `make` and sets what that returns or resolves to, with `options`. Callers
   * that ask for a key while its value is being made wait for it, so `make` runs once. If the key is set meanwhile,
   * that value stays and is returned. If `make` fails, all who wait get its error, and the next call tries again.
   *
   * @example A cache of what takes long to fetch
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using cache = await KvStore.open<string>("./cache", { durability: "write" });
   * const fetchPage = () => Promise.resolve("<title>Ada</title>");
   * const page = await cache.getOrSet("https://example.com/", fetchPage, { ttl: 60_000 });
   * console.log(page);
   * ```
   *
   * @throws As `get` and `set` do.
   */
  getOrSet(key: K, make: () => V | Promise<V>, options?: SetOptions): Promise<V> {
    return this.#writing.getOrSet(key, make, options);
  }

  /**
   * Sets and deletes several keys atomically: all operations take effect or none does, even across a crash. A batch may
   * have 2^20 operations, and 64 MiB once encoded. Rejects as `set` does.
   *
   * @example Move a value from one key to another
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.batch([{ type: "set", key: "new", value: "Ada" }, { type: "delete", key: "old" }]);
   * ```
   */
  batch(operations: Iterable<BatchOperation<V, K>>, options?: WriteOptions): Promise<void> {
    return this.#writing.batch(operations, options);
  }

  /**
   * Deletes the keys of a range, as of this call. Resolves to how many there were. Each gets a record of its own in the
   * log, so that watches report each key and compaction gives back their space. This takes about a microsecond a key,
   * during which nothing else runs. Up to 2^20 keys and 64 MiB of records are deleted atomically; a larger range
   * becomes several batches. Prefer `clear` to delete all keys.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.batch(["log:1", "log:2", "user:1"].map((key) => ({ type: "set", key, value: "…" })));
   * console.log(await store.deleteRange({ prefix: "log:" }), store.size); // 2 1
   * ```
   *
   * @throws {TypeError} for unknown options, and for bounds that are no keys; also as `delete` does
   */
  deleteRange(range: Range, options?: WriteOptions): Promise<number> {
    return this.#writing.deleteRange(range, options);
  }

  /**
   * Deletes all keys with one record in the log. Always synced.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("a", 1);
   * await store.clear();
   * console.log(store.size); // 0
   * ```
   */
  clear(): Promise<void> {
    return this.#writing.clear();
  }

  /**
   * Resolves once all earlier writes are synced.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data", { durability: "write" });
   * for (let i = 0; i < 1000; i++) store.set(`line ${i}`, i);
   * await store.flush(); // now all of them survive a power cut
   * ```
   */
  flush(): Promise<void> {
    return attempt(() => this.#engine.writable().reached("sync"));
  }

  /**
   * Writes and syncs all earlier writes, and returns once that is done. It blocks the program until then. Use it where
   * nothing can be awaited, as in an `exit` handler or before the program aborts; otherwise prefer `close`. The
   * promises of those writes settle as usual if the program goes on.
   *
   * @example Keep what was written when the program exits
   * ```ts
   * import process from "node:process";
   * import { KvStore } from "@kvstore/kvstore";
   *
   * const store = await KvStore.open("./data");
   * process.on("exit", () => store.flushSync());
   * store.set("last", "words");
   * ```
   *
   * @throws {KvStoreError} `CLOSED`, `READ_ONLY`, `IO` (the writes are taken back), `FAILED`
   */
  flushSync(): void {
    this.#engine.flushNow();
  }

  /**
   * Fixes the present state for reading, pending writes included, until the snapshot is closed. Copies nothing. A
   * snapshot of a read-only store cannot keep the writer from removing files. If the store has more segments than files
   * are kept open (see the README on limits), its calls may throw `TRIMMED`. Then take a new snapshot.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("count", 1);
   * using before = store.snapshot();
   * await store.set("count", 2);
   * console.log(before.get("count"), store.get("count")); // 1 2
   * ```
   *
   * @throws {KvStoreError} `CLOSED`
   */
  snapshot(): Snapshot<V, K> {
    this.#engine.checkOpen();
    return new Snapshot<V, K>(this.#engine);
  }

  /**
   * Follows the changes of the store: the watch yields each one once it is durable, in the order of the writes, and a
   * batch as a whole, one change after the other. It reads the log itself, so a slow one delays nobody and takes no
   * memory. But compaction keeps segments with changes that it has not seen. If those exceed four times `segmentBytes`,
   * it ends with `TRIMMED`.
   *
   * An expiry is not a change, since nothing is written, unless the clock was ahead: once it is right, the next `set`
   * with an expiry may write deletes for keys that expired too early. A watch ends when the store is closed. On a
   * read-only store, a watch refreshes the store a few times a second, and keeps the process running while a call
   * waits. On a store that is open for writing it does not, since only this process could write.
   *
   * @example Follow a part of the store, and go on later
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * const changes = store.watch({ prefix: "user:" });
   * await store.set("user:1", "Ada");
   * for await (const change of changes) {
   *   console.log(change.seq, change.type); // 1 "set"
   *   break;
   * }
   * const later = store.watch({ prefix: "user:", since: changes.position });
   * await later.return();
   * ```
   *
   * @throws {KvStoreError} `CLOSED`; the calls of the watch reject with `TRIMMED` if the log does not go back to
   * `since` or does not reach it (start again with `entries`), with `CORRUPT` for a damaged value (the next call
   * goes on after it), with `FAILED` if the store has failed, and with `IO` (the next call tries again)
   */
  watch(options: WatchOptions = {}): Watch<V, K> {
    this.#engine.checkOpen();
    return watchStore<V, K>(this.#engine, options);
  }

  /**
   * The versions of a key that the log still holds, the newest first. Compaction drops versions that have been
   * superseded. Reads the whole log, in slices.
   *
   * @example Undo the last change of a key
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("motto", "Festina lente");
   * await store.set("motto", "Move fast");
   * const [latest, former] = await store.history("motto");
   * console.log(latest?.type, former?.seq);
   * if (former?.type === "set") await store.restore("motto", former.seq);
   * console.log(store.get("motto")); // Festina lente
   * ```
   *
   * @throws {KvStoreError} `CORRUPT` if the log cannot be read to its end, `CLOSED`, `IO`, and on a read-only store
   * `TRIMMED` if the writer has removed a file since the last refresh
   */
  history(key: K, options: HistoryOptions = {}): Promise<Version<V>[]> {
    return paced(() => historyOf(this.#engine, key, options)) as Promise<Version<V>[]>;
  }

  /**
   * Sets a key to the value of one of its versions, byte for byte, as a new write. It expires when that version does,
   * or never if that time has passed. The write takes its place in the order of writes once the version is found, after
   * a pass over the segments that may hold it.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("a", "first");
   * await store.set("a", "second");
   * const [, first] = await store.history("a");
   * if (first?.type === "set") await store.restore("a", first.seq);
   * console.log(store.get("a")); // first
   * ```
   *
   * @throws {KvStoreError} `NOT_FOUND` if the log no longer holds that version or it is not a set, `CORRUPT` if it is
   * damaged, and as `set` does
   */
  restore(key: K, seq: number, options?: WriteOptions): Promise<void> {
    return this.#writing.restore(key, seq, options);
  }

  /**
   * Reclaims the space of all stale records. Reads and writes go on meanwhile. Resolves once all writes before the call
   * are synced, even if there was nothing to reclaim. Compaction also runs in the background, so call this only to have
   * the space at once.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * for (let i = 0; i < 1000; i++) store.set("counter", i);
   * await store.compact();
   * const { diskBytes, liveBytes } = store.stats();
   * console.log(diskBytes, liveBytes);
   * ```
   *
   * @throws {KvStoreError} `CORRUPT` if a record cannot be read (its segment stays), `CLOSED`, `READ_ONLY`, `FAILED`,
   * `IO`
   */
  compact(options: WorkOptions = {}): Promise<void> {
    return attempt(() => {
      checkNames("compact", options, ["onProgress", "signal"]);
      this.#engine.beginWrite();
      // Damage in the index is told also where there is nothing to compact.
      this.#engine.index.changeable();
      options.signal?.throwIfAborted();
      return this.#maintenance.compact(options);
    });
  }

  /**
   * Figures of the store: the number of keys, bytes by kind, segments. Plain data with units in the names.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * const { keys, diskBytes, staleBytes } = store.stats();
   * console.log(`${keys} keys in ${diskBytes} bytes, ${staleBytes} of them stale`);
   * ```
   */
  stats(): Stats {
    this.#engine.checkOpen();
    return this.#maintenance.stats();
  }

  /**
   * Copies the present state of the store to a directory that is absent or empty, and checks every byte. The copy is a
   * store of its own, cleanly closed. A copy that was cut off never opens.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * const day = new Date().toISOString().slice(0, 10);
   * await store.backup(`./backups/${day}-${crypto.randomUUID()}`);
   * ```
   *
   * @throws {KvStoreError} `CORRUPT` if the store is damaged, `CLOSED`, `IO` (also if `destination` is not empty)
   */
  backup(destination: string | URL, options: WorkOptions = {}): Promise<void> {
    return paced(() => backupStore(this.#engine, pathOf(destination), options));
  }

  /**
   * Reads every byte of the store, and compares the index with the log. Resolves to the damage found.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * const { problems } = await store.verify();
   * for (const { file, offset, reason } of problems) console.error(file, offset, reason);
   * ```
   */
  verify(options: WorkOptions = {}): Promise<VerifyReport> {
    return paced(() => {
      checkNames("verify", options, ["onProgress", "signal"]);
      this.#engine.checkOpen();
      return this.#maintenance.exclusively(() => verifyOpen(this.#engine, options));
    });
  }

  /**
   * Brings a read-only store up to date with what its writer has written. Resolves to whether anything changed. On a
   * store that is open for writing there is nothing to do.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using writer = await KvStore.open("./data"); // as a rule, in another process
   * await using reader = await KvStore.open("./data", { readOnly: true });
   * await writer.set("news", "It rains");
   * console.log(await reader.refresh()); // true
   * console.log(reader.get("news")); // It rains
   * ```
   *
   * @throws {KvStoreError} `CLOSED`, `CORRUPT`, `FORMAT`, `IO`
   */
  refresh(): Promise<boolean> {
    return paced(() => refresh(this.#engine));
  }

  /**
   * Closes the store: ends iterators and background work, writes and syncs all that is pending, and releases the lock
   * and all files, whatever fails. Rejects if something could not be written. Every call returns the same promise.
   *
   * @example
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * const store = await KvStore.open("./data");
   * store.set("a", 1);
   * await store.close(); // "a" is written and synced
   * ```
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** Closes the store at the end of the block that declares it with `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The directory, the number of keys, and the bytes on disk, for `JSON.stringify` and consoles, even when closed. */
  toJSON(): { directory: string; keys: number; diskBytes: number } {
    let diskBytes = 0;
    for (const { endBytes } of this.#engine.log.segments.values()) diskBytes += endBytes;
    return { ...this.#reading.toJSON(), diskBytes };
  }

  async #close(): Promise<void> {
    const engine = this.#engine;
    engine.isClosed = true;
    engine.epoch++;
    engine.watches.close();
    // Before anything is awaited: this call flushes the writes that are pending now, and reports their failure.
    const flushed = engine.writer?.close();
    flushed?.catch(() => {});
    try {
      await this.#maintenance.stop();
      await flushed;
      engine.views.closeAll();
      engine.sweep();
      if (engine.writer === undefined) return;
      // Advance the clock floor, which the manifest records: what has expired stays so, even if the clock is set back.
      engine.expire();
      await this.#maintenance.writeImage();
      // A mark may have been written after the last sync. The manifest must record the end of the file.
      engine.log.syncActive();
      engine.log.reserve.lend(0, () => engine.log.recordClean(true));
      engine.log.restoreReserve();
    } finally {
      try {
        engine.closeFiles();
        await engine.log.removals.ended();
      } finally {
        if (this.#lock !== undefined) asIo("release the lock", () => this.#lock!.release());
      }
    }
  }
}
