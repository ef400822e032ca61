/**
 * The store: what programs use. It puts the parts in sequence: index and log on every write, the writer's groups,
 * compaction and checkpoints in the background, and closing in good order.
 *
 * @module
 */
import { asIo, KvStoreError } from "./errors.ts";
import { KIND } from "./engine/record.ts";
import { platform as systemPlatform } from "./platform/mod.ts";
import { pathOf } from "./platform/path.ts";
import { paced, settled } from "./platform/turn.ts";
import type { Lock, Platform } from "./platform/types.ts";
import type { Maintenance } from "./maintenance/maintenance.ts";
import { backupStore } from "./backup/backup.ts";
import type { OpenStore } from "./store/open_store.ts";
import { ensureDirectory, findStore, manifestOf, takeLock } from "./store/directory.ts";

import { historyOf, versionOf } from "./watch/history.ts";
import { ownKey } from "./store/keys.ts";
import { refuseForeign } from "./store/names.ts";
import { openWriter } from "./engine/open.ts";
import { openReader } from "./follow/open_reader.ts";
import { OPENING } from "./store/opening.ts";
import { checkNames, durabilityOf, expiryTimeOf, type Settings, settingsOf } from "./store/options.ts";
import { encodeBatch, flushNow, stage, stageBatch, stageDelete } from "./store/operations.ts";
import { type Parts, partsFor, partsOf } from "./store/parts.ts";
import { Reading, showAsJson } from "./store/reader.ts";
import { refresh } from "./follow/refresh.ts";
import { repairIfThere } from "./check/repair.ts";
import { Snapshot } from "./views/snapshot.ts";
import { encodeValue } from "./store/values.ts";
import { verifyOpen } from "./check/verify.ts";
import { watchStore } from "./watch/watch.ts";
import type {
  BatchOperation,
  Durability,
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

const WRITE_OPTIONS = ["durability"];
const SET_OPTIONS = [...WRITE_OPTIONS, "ttl", "expiresAt"];
const NO_KEY = { bytes: new Uint8Array(0), start: 0, length: 0 };

/** The parts behind an open store: for tests that steer them one by one. */
export let engineOf: (store: KvStore) => OpenStore;

/** A class of stores, as `KvStore.open` is called on it. */
export interface StoreClass<S> {
  /** Where its instances get their calls from. */
  readonly prototype: S;
}

/** What `open` resolves to: a plain `KvStore` of the types asked for, or an instance of the class that extends it. */
export type OpenedAs<S, V extends Value, K extends Key> = S extends KvStore<infer W>
  ? 0 extends 1 & W ? KvStore<V, K> : S
  : never;

/**
 * An embedded key-value store in one directory: writes are appended to a log, an index in memory says where the latest
 * record of each key lies.
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
 * @typeParam V what the values are, for the type checker alone
 * @typeParam K what the keys are, for the type checker alone: `KvStore<User, string>` where nobody sets keys as bytes
 */
export class KvStore<V extends Value = Value, K extends Key = Key> {
  /** What recovery did when the store was opened. */
  readonly recovery: Recovery;
  readonly #engine: OpenStore;
  readonly #reading: Reading<V, K>;
  readonly #settings: Settings;
  readonly #lock: Lock | undefined;
  readonly #maintenance: Maintenance;
  readonly #now = (): number => this.#engine.log.now();
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
    this.#settings = settings;
    this.#lock = lock;
    this.#maintenance = maintenance;
    this.recovery = recovery;
  }

  /**
   * Opens the store in a directory, creating both if need be, takes the writer lock, and recovers from a crash. Called on
   * a class that extends this one, it makes an instance of that.
   *
   * @param directory the store's directory: a path, a relative one being made absolute now, or a `file:` URL
   * @throws {TypeError} for options that there are not, {RangeError} for those out of range
   * @throws {KvStoreError} `LOCKED`, `NOT_FOUND`, `CORRUPT`, `FORMAT`, `IO`
   */
  // deno-lint-ignore no-explicit-any -- what the prototype of a generic class has for its parameters
  static async open<V extends Value = Value, K extends Key = Key, S = KvStore<any, any>>(
    this: StoreClass<S>,
    directory: string | URL,
    options: OpenOptions = {},
  ): Promise<OpenedAs<S, V, K>> {
    const open = () => KvStore.openOn.call(this ?? KvStore, systemPlatform, directory, options);
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
      // Before anything is written: taking the lock would write into LevelDB's.
      if (!ensureDirectory(platform, path)) refuseForeign(platform, path);
    } else if (findStore(platform, path) === "none") {
      throw new KvStoreError("NOT_FOUND", `there is no store in ${path}`);
    }
    const lock = takeLock(platform, path);
    let store: KvStore<V>;
    try {
      const salvaged = settings.recovery === "salvage" ? await repairIfThere(platform, path, lock) : undefined;
      const manifest = manifestOf(platform, path, settings.create);
      store = make(partsFor(openWriter(platform, path, manifest, lock, OPENING), settings, lock, salvaged));
    } catch (error) {
      lock.release();
      throw error;
    }
    await store.#maintenance.mergeSmall();
    const { failure } = store.#engine.log;
    if (failure === undefined) return store;
    await store.close().catch(() => {});
    throw failure;
  }

  /** How many keys there are. Counts no key that has expired. */
  get size(): number {
    return this.#reading.size();
  }

  /**
   * The value of a key, or `undefined`. It is the caller's to change; the `buffer` of short bytes may be shared with
   * other values, so copy them before transferring it.
   *
   * On a read-only store the value may be in a file that the writer has removed since and that was not open here (see
   * the README on limits). Then this refreshes the store, as `refresh` does, and reads again.
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

  /** The values of several keys, in the order of the keys, all as of this call. Throws as `get` does. */
  getMany(keys: Iterable<K>): (V | undefined)[] {
    return this.#reading.getMany(keys);
  }

  /** Whether a key has a value. Reads no record. */
  has(key: K): boolean {
    return this.#reading.has(key);
  }

  /**
   * When a key expires, in milliseconds since 1970; `undefined` if it never does, or is not there. Reads no record.
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

  /** The keys of a range as bytes, also those that were set as strings, as of this call. Reads no record. */
  keys(range: Range & { keys: "bytes" }): IteratorObject<Uint8Array, undefined>;
  /** The keys of a range, sorted by their bytes, as of this call; all keys without one. Reads no record. */
  keys(range?: Range): IteratorObject<K, undefined>;
  keys(range?: Range): IteratorObject<Key, undefined> {
    return this.#reading.keys(range);
  }

  /** The values of a range, in the order of their keys, as of this call. Each is read when the iterator comes to it. */
  values(range?: Range): IteratorObject<V, undefined> {
    return this.#reading.values(range);
  }

  /** The keys of a range as bytes, with their values; otherwise as without `keys: "bytes"`. */
  entries(range: Range & { keys: "bytes" }): IteratorObject<[Uint8Array, V], undefined>;
  /**
   * The keys of a range with their values, sorted by the bytes of the keys, as of this call: what is written while the
   * iterator runs does not show in it. Each value is read when the iterator comes to it. After a damaged record, for
   * which `next` throws `CORRUPT`, the iterator can go on.
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
   * @throws {TypeError} for options that are unknown or no keys
   * @throws {KvStoreError} `CLOSED`; from the iterator's `next` `CORRUPT`, `IO` and, on a read-only store, `TRIMMED` if
   * the writer has removed a file that it needs
   */
  entries(range?: Range): IteratorObject<[K, V], undefined>;
  entries(range?: Range): IteratorObject<[Key, V], undefined> {
    return this.#reading.entries(range);
  }

  /** All keys with their values, sorted by the bytes of the keys, as of this call. */
  [Symbol.iterator](): IteratorObject<[K, V], undefined> {
    return this.#reading.entries();
  }

  /**
   * Sets a key. The value is visible to reads at once; the promise resolves when the write has the durability asked
   * for. With `ttl` or `expiresAt` the key is gone when that time has come; without, it stays, also if it was to expire
   * before.
   *
   * @example A session that ends in half an hour
   * ```ts
   * import { KvStore } from "@kvstore/kvstore";
   *
   * await using store = await KvStore.open("./data");
   * await store.set("session", { user: "Ada" }, { ttl: 30 * 60_000 });
   * ```
   *
   * @throws {TypeError} for keys and values that cannot be stored, {RangeError} for too large ones
   * @throws {KvStoreError} `CLOSED`, `READ_ONLY`, `IO` (the write is taken back), `FAILED`
   */
  set(key: K, value: V, options?: SetOptions): Promise<void> {
    try {
      const durability = this.#durability(options, SET_OPTIONS);
      const expiresAt = options === undefined ? 0 : expiryTimeOf(options, this.#now);
      // Runs code of the caller if the value has a toJSON, which may call the store: before anything is staged.
      const encoded = encodeValue(value, this.#settings.strictJson);
      const writer = this.#engine.writable();
      stage(this.#engine, { key, value: encoded, expiresAt });
      writer.publish();
      return writer.reached(durability);
    } catch (error) {
      return rejected(error);
    }
  }

  /** Deletes a key; resolves to whether it was there, once that has the durability asked for. Rejects as `set` does. */
  delete(key: K, options?: WriteOptions): Promise<boolean> {
    return this.#attempt(() => {
      const durability = this.#durability(options);
      const engine = this.#engine;
      const writer = engine.writable();
      engine.expire();
      engine.key.encode(key);
      const isListed = engine.isListed();
      const isThere = isListed && !engine.index.isExpired;
      // Of what has expired, too: else a crash after which the clock goes back would undo the delete.
      if (isListed) {
        stageDelete(engine);
        writer.publish();
      }
      return writer.reached(durability).then(() => isThere);
    });
  }

  /**
   * Sets and deletes several keys at once: all take effect, or none, also across a crash. At most 2^20 operations and
   * 64 MiB once encoded. Rejects as `set` does.
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
    return this.#attempt(() => {
      const durability = this.#durability(options);
      const list = encodeBatch(operations, { now: this.#now, isStrict: this.#settings.strictJson });
      const writer = this.#engine.writable();
      stageBatch(this.#engine, list);
      if (writer.tail.stagedEnd > writer.tail.length) writer.publish();
      return writer.reached(durability);
    });
  }

  /** Deletes all keys, with one record in the log; always synced. */
  clear(): Promise<void> {
    return this.#attempt(() => {
      const writer = this.#engine.writable();
      writer.tail.stage(KIND.clear, 0, NO_KEY, "");
      writer.publish();
      return writer.reached("sync");
    });
  }

  /** Resolves once everything written before is synced. */
  flush(): Promise<void> {
    return this.#attempt(() => this.#engine.writable().reached("sync"));
  }

  /**
   * Writes and syncs everything written before, and returns once that is done: for where nothing can be awaited any more,
   * as in an `exit` handler, or before a crash of the program's own. It blocks the program as long as the disk takes.
   * Promises of those writes settle as usual, if the program goes on. `close` is the better end wherever it can be awaited.
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
    flushNow(this.#engine);
  }

  /**
   * Fixes the present state for reading, pending writes included, until the snapshot is closed. Copies nothing. One of a
   * read-only store cannot keep the writer from removing files: of a store with more segments than files are kept open
   * (see the README on limits), a call may throw `TRIMMED`, and a new snapshot is needed.
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
    this.#engine.check();
    return new Snapshot<V, K>(this.#engine);
  }

  /**
   * Tells of the changes of the store: each once it is durable, in the order of the writes, and of a batch either none or,
   * one after the other, all. Reading the log is up to the watch, so a slow one holds up nobody and takes no memory; but
   * if compaction comes to drop changes that it has not seen, it ends with `TRIMMED` once four segments (`segmentBytes`)
   * would have to be kept for it.
   *
   * A key that expires is no change: nothing is written then. On a read-only store, a watch also refreshes the store, a
   * few times a second, and keeps the process running while somebody waits for it. On one that is open for writing it
   * does not: there is nobody else who could write. A watch ends when the store is closed.
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
   * @throws {KvStoreError} `CLOSED`; the calls of the watch reject with `TRIMMED` if the log cannot go on from `since` (it
   * does not go back so far, or has not come so far: begin again with `entries`), `CORRUPT` for a damaged value (and go on behind it), `FAILED` if the store has failed, `IO` (and try again)
   */
  watch(options: WatchOptions = {}): Watch<V, K> {
    this.#engine.check();
    return watchStore<V, K>(this.#engine, options);
  }

  /**
   * The versions of a key that the log still holds, the newest first: compaction drops those that have been superseded.
   * Costs a reading of the whole log, in slices.
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
   * `TRIMMED` if the writer has removed a file of it since the last refresh
   */
  async history(key: K, options: HistoryOptions = {}): Promise<Version[]> {
    this.#engine.check();
    return await historyOf(this.#engine, key, options);
  }

  /**
   * Sets a key to the value that one of its versions had, byte for byte, as a new write; with its time of expiry if that
   * is still to come, and else for good. The write gets its place among the others once the version is found, which costs
   * a reading of the segments that may hold it.
   *
   * @throws {KvStoreError} `NOT_FOUND` if the log does not hold that version any more, or it is no set; `CORRUPT` if it is
   * damaged; and as `set` does
   */
  async restore(key: K, seq: number, options?: WriteOptions): Promise<void> {
    const durability = this.#durability(options);
    this.#engine.writable();
    const own = ownKey(key);
    const { value, expiresAt } = await versionOf(this.#engine, own, seq);
    const writer = this.#engine.writable();
    await this.#attempt(() => {
      stage(this.#engine, { key: own, value, expiresAt: expiresAt > this.#now() ? expiresAt : 0 });
      writer.publish();
      return writer.reached(durability);
    });
  }

  /**
   * Rewrites everything that can be won back. Reading and writing go on meanwhile. Resolves once all writes before the
   * call are synced, also if there was nothing to win. Compaction also runs by itself, so that this is for those who
   * want the space now.
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
   * @throws {KvStoreError} `CORRUPT` if a record cannot be read (its segment stays), `CLOSED`, `READ_ONLY`, `FAILED`, `IO`
   */
  compact(options: WorkOptions = {}): Promise<void> {
    return this.#attempt(() => {
      checkNames("compact", options, ["onProgress", "signal"]);
      this.#engine.writable();
      options.signal?.throwIfAborted();
      return this.#maintenance.compact(options);
    });
  }

  /** Figures of the store: keys, bytes by kind, segments. Plain data, with units in the names. */
  stats(): Stats {
    this.#engine.check();
    this.#engine.expire();
    this.#engine.countExpired();
    return this.#maintenance.stats();
  }

  /**
   * Copies the store, as it is now, to a directory that is absent or empty, and checks every byte on the way. The copy
   * is a store of its own, closed cleanly; a copy that was cut off never opens.
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
   * @throws {KvStoreError} `CORRUPT` if the store is damaged, `CLOSED`, `IO` (also if there is something at `destination`)
   */
  async backup(destination: string | URL, options: WorkOptions = {}): Promise<void> {
    checkNames("backup", options, ["onProgress", "signal"]);
    await paced(() => backupStore(this.#engine, pathOf(destination), options));
  }

  /** Reads every byte of the store and compares the index with what the log says. */
  async verify(options: WorkOptions = {}): Promise<VerifyReport> {
    checkNames("verify", options, ["onProgress", "signal"]);
    this.#engine.check();
    return await paced(() => this.#maintenance.exclusively(() => verifyOpen(this.#engine, options)));
  }

  /**
   * For read-only stores: takes in what the writer has written since, and resolves to whether that was anything. A
   * writer sees it all anyway.
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
   * Ends iterators and background work, syncs everything, and gives lock and files back, whatever happens. Every call
   * returns the same promise. Rejects if something could not be written any more.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** Closes the store at the end of the block that declares it with `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The store's directory, keys, and bytes on disk: what `JSON.stringify` and consoles show. Also of a closed store. */
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
    // Asked for before anything is awaited: what is pending now is this call's to flush, and to report.
    const flushed = engine.writer?.close();
    flushed?.catch(() => {});
    try {
      await this.#maintenance.stop();
      await flushed;
      engine.views.closeAll();
      engine.sweep();
      if (engine.writer === undefined) return;
      // What has expired until now has done so for whoever opens the store next, too, whatever the clock says then.
      engine.expire();
      await this.#maintenance.writeImage();
      // A mark may have followed the last sync: the end that the manifest records is to be the end of the file.
      engine.log.syncActive();
      if (!engine.log.isClean) engine.log.reserve.lend(0, () => engine.log.replaceManifest({ clean: true }));
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

  #durability(options: WriteOptions | undefined, names: readonly string[] = WRITE_OPTIONS): Durability {
    if (options === undefined) return this.#settings.durability;
    checkNames("a write", options, names);
    return durabilityOf(options.durability, this.#settings.durability);
  }

  /** Makes a call that writes, apart from `set`, which is called so often that it does without. */
  #attempt<T>(write: () => Promise<T>): Promise<T> {
    try {
      return write();
    } catch (error) {
      return rejected(error);
    }
  }
}

/** Calls that return a promise never throw. A refused call settles in its turn, like others. */
function rejected(error: unknown): Promise<never> {
  return settled().then(() => {
    throw error;
  });
}
