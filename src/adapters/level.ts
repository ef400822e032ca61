/**
 * The store as a Level database: everything that is built on `abstract-level` runs on it.
 *
 * It needs the package `abstract-level`, version 3, beside this one.
 *
 * @example
 * ```ts
 * import { KvLevel } from "@kvstore/kvstore/level";
 *
 * const db = new KvLevel<string, { name: string }>("./data", { valueEncoding: "json" });
 * await db.put("user:1", { name: "Ada" });
 * for await (const [key, user] of db.iterator({ gte: "user:", lt: "user;" })) console.log(key, user.name);
 * await db.close();
 * ```
 *
 * @module
 */
import {
  type AbstractBatchOperation,
  type AbstractBatchOptions,
  type AbstractChainedBatch,
  type AbstractDatabaseOptions,
  type AbstractDelOptions,
  AbstractLevel,
  type AbstractPutOptions,
} from "abstract-level";
import {
  type BatchOperation,
  destroyStore,
  KvStore,
  type OpenOptions,
  type RepairReport,
  repairStore,
} from "../../mod.ts";
import { KvLevelChainedBatch, type Operation } from "./level_chained_batch.ts";
import { type Data, inFormat, levelError, withLevelErrors, withLevelErrorsLater } from "./level_format.ts";
import {
  type IteratorOptions,
  KvLevelIterator,
  KvLevelSnapshot,
  type RangeOptions,
  readerOf,
  type ReadOptions,
} from "./level_iterator.ts";
import {
  checkedLocation,
  clear,
  durabilityOf,
  isNotFound,
  isThere,
  storeOptions,
  type SyncOption,
} from "./level_options.ts";
import { approximateSize, type KeyEncodingOption } from "./level_approximate_size.ts";
import { ownCopy, ownFields } from "./defensive_copy.ts";
import { nextTurn, paced } from "./event_loop.ts";

export type { Data, KeyEncodingOption, SyncOption };

/** Options of a database: those of Level, and those of `KvStore.open`. */
export interface KvLevelOptions<K = string, V = string>
  extends AbstractDatabaseOptions<K, V>, Omit<OpenOptions, "create"> {}

/** What the database can do, for `abstract-level` and its suite. Text is stored as text, and bytes are as bytes. */
const MANIFEST = {
  encodings: { utf8: true, buffer: true, view: true },
  additionalMethods: { approximateSize: true, compactRange: true },
  createIfMissing: true,
  errorIfExists: true,
  implicitSnapshots: true,
  explicitSnapshots: true,
  seek: true,
  has: true,
  getSync: true,
  permanence: true,
};

/**
 * A Level database in a directory, with snapshots, sublevels, `seek` and `getSync`.
 *
 * Writes are durable when they resolve, as everywhere in this store, unless `sync: false` is given, or
 * `durability: "write"` for all: LevelDB's own way, which a power cut may cost the last second.
 *
 * @typeParam K what the keys are, for the type checker alone
 * @typeParam V what the values are
 */
export class KvLevel<K = string, V = string> extends AbstractLevel<Data, K, V> {
  /** The directory. */
  readonly location: string;
  #store: KvStore<Data> | undefined;

  /**
   * Opens the store in a directory, in the background: calls wait for it.
   *
   * @param directory path of the store's directory
   * @param options those of Level (`keyEncoding`, `valueEncoding`, `createIfMissing`, `errorIfExists`) and of
   * `KvStore.open`
   */
  constructor(directory: string, options: KvLevelOptions<K, V> = {}) {
    super(MANIFEST, options);
    this.location = directory;
  }

  /** The open store beneath, for what Level has no call for: `compact`, `backup`, `stats`, `verify`. */
  get store(): KvStore<Data> {
    if (this.#store === undefined) throw levelError("LEVEL_DATABASE_NOT_OPEN", "Database is not open");
    return this.#store;
  }

  /** Sets a key. */
  override put(key: K, value: V): Promise<void>;
  /** Sets a key, with LevelDB's option `sync` beside those of Level. */
  override put<K1 = K, V1 = V>(key: K1, value: V1, options: AbstractPutOptions<K1, V1> & SyncOption): Promise<void>;
  override put(key: unknown, value: unknown, ...options: unknown[]): Promise<void> {
    return super.put(...[this.#kept(key), this.#kept(value), ...options] as unknown as [K, V]);
  }

  /** Deletes a key. */
  override del(key: K): Promise<void>;
  /** Deletes a key, with LevelDB's option `sync` beside those of Level. */
  override del<K1 = K>(key: K1, options: AbstractDelOptions<K1> & SyncOption): Promise<void>;
  override del(key: unknown, ...options: unknown[]): Promise<void> {
    return super.del(...[this.#kept(key), ...options] as unknown as [K]);
  }

  /** Does all of the operations or none, also across a crash. */
  override batch(operations: Array<AbstractBatchOperation<this, K, V>>): Promise<void>;
  /** Does all of the operations or none, with LevelDB's option `sync` beside those of Level. */
  override batch<K1 = K, V1 = V>(
    operations: Array<AbstractBatchOperation<this, K1, V1>>,
    options: AbstractBatchOptions<K1, V1> & SyncOption,
  ): Promise<void>;
  /** Begins a batch that is put together call by call, and done with `write`. */
  override batch(): AbstractChainedBatch<this, K, V>;
  override batch(...args: unknown[]): Promise<void> | AbstractChainedBatch<this, K, V> {
    const [operations, ...options] = args;
    if (this.status !== "opening" || !Array.isArray(operations)) return super.batch(...args as []);
    return super.batch(...[operations.map(ownFields), ...options] as unknown as []);
  }

  /** What is put while the database opens is encoded later: buffers are the caller's to use again before that. */
  #kept(data: unknown): unknown {
    return this.status === "opening" ? ownCopy(data) : data;
  }

  /**
   * About how many bytes of the log the entries from `start` to before `end` take; stale ones do not count. Exact up to
   * 256 entries, and by as many samples beyond; goes through the keys of the range.
   */
  approximateSize(start: K, end: K): Promise<number>;
  /** About how many bytes of the log the entries from `start` to before `end` take, with another encoding of keys. */
  approximateSize<K1 = K>(start: K1, end: K1, options: KeyEncodingOption): Promise<number>;
  approximateSize(start: unknown, end: unknown, options: KeyEncodingOption = {}): Promise<number> {
    return this.#onRange("approximateSize", [start, end], options, (range) => approximateSize(this.store, range));
  }

  /** Gives the space of overwritten and deleted entries back: of all, as the log does not lie in the order of keys. */
  compactRange(start: K, end: K): Promise<void>;
  /** Gives the space of overwritten and deleted entries back, with another encoding of `start` and `end`. */
  compactRange<K1 = K>(start: K1, end: K1, options: KeyEncodingOption): Promise<void>;
  compactRange(start: unknown, end: unknown, options: KeyEncodingOption = {}): Promise<void> {
    return this.#onRange("compactRange", [start, end], options, () => this.store.compact());
  }

  /** Does something with an encoded range, once the database is open. */
  async #onRange<T>(
    name: string,
    [start, end]: [unknown, unknown],
    options: KeyEncodingOption,
    action: (range: { gte: Data; lt: Data }) => Promise<T>,
  ): Promise<T> {
    if (start === undefined || end === undefined) {
      throw new TypeError(`${name} needs the keys where the range starts and ends`);
    }
    if (this.status === "opening") {
      return await this.deferAsync(() => this.#onRange(name, [start, end], options, action));
    }
    const encoding = this.keyEncoding(options?.keyEncoding) as unknown as { encode(key: unknown): Data };
    const range = { gte: encoding.encode(start), lt: encoding.encode(end) };
    return await withLevelErrorsLater(() => action(range));
  }

  /**
   * Deletes the database in a directory, intact or damaged, and the directory if nothing else is in it. Close it first.
   * Where there is none, nothing is touched.
   */
  static async destroy(location: string): Promise<void> {
    await withLevelErrorsLater(() => destroyStore(checkedLocation(location)));
  }

  /** Repairs the database in a directory, which nobody may have open, and says what was found and lost. */
  static async repair(location: string): Promise<RepairReport> {
    return await withLevelErrorsLater(() => repairStore(checkedLocation(location)));
  }

  // What follows is called by abstract-level, by these names, once keys and values are encoded and the database is open.
  // It is nobody else's, and its declarations do not know it either: hence `private`.

  /** @internal */
  private async _open(options: OpenOptions & { createIfMissing: boolean; errorIfExists: boolean }): Promise<void> {
    // Whoever makes a database may listen to its events, and to those of what is built on it, before anything happens.
    await nextTurn();
    await withLevelErrorsLater(async () => {
      const { location } = this;
      if (options.errorIfExists && await isThere(location)) {
        throw levelError("LEVEL_DATABASE_NOT_OPEN", `a store exists in ${location}, and errorIfExists is true`);
      }
      this.#store = await KvStore.open<Data>(location, storeOptions(options)).catch((error) => {
        if (!isNotFound(error)) throw error;
        const reason = "does not exist, and createIfMissing is false";
        throw levelError("LEVEL_DATABASE_NOT_OPEN", `the store in ${location} ${reason}`, error);
      });
    });
  }

  /** @internal */
  private async _close(): Promise<void> {
    const { store } = this;
    // Closed whatever happens: an error is about what was written last.
    this.#store = undefined;
    await withLevelErrorsLater(() => store.close());
  }

  /** @internal */
  // deno-lint-ignore require-await -- abstract-level wants a promise
  private async _get(key: Data, options: ReadOptions): Promise<Data | undefined> {
    return paced(this._getSync(key, options));
  }

  /** @internal */
  private _getSync(key: Data, options: ReadOptions): Data | undefined {
    return withLevelErrors(() => {
      const value = readerOf(this.store, options).get(key);
      return value === undefined ? undefined : inFormat(value, options.valueEncoding);
    });
  }

  /** @internal */
  // deno-lint-ignore require-await -- abstract-level wants a promise
  private async _getMany(keys: Data[], options: ReadOptions): Promise<(Data | undefined)[]> {
    return paced(keys.map((key) => this._getSync(key, options)));
  }

  /** @internal */
  // deno-lint-ignore require-await -- abstract-level wants a promise
  private async _has(key: Data, options: ReadOptions): Promise<boolean> {
    return paced(withLevelErrors(() => readerOf(this.store, options).has(key)));
  }

  /** @internal */
  // deno-lint-ignore require-await -- abstract-level wants a promise
  private async _hasMany(keys: Data[], options: ReadOptions): Promise<boolean[]> {
    const reader = readerOf(this.store, options);
    return paced(withLevelErrors(() => keys.map((key) => reader.has(key))));
  }

  /** @internal */
  private async _put(key: Data, value: Data, options: SyncOption): Promise<void> {
    await withLevelErrorsLater(() => this.store.set(key, value, durabilityOf(options)));
  }

  /** @internal */
  private async _del(key: Data, options: SyncOption): Promise<void> {
    await withLevelErrorsLater(() => this.store.delete(key, durabilityOf(options)));
  }

  /** @internal */
  private async _batch(operations: Operation[], options: SyncOption): Promise<void> {
    const list = operations.map((one): BatchOperation<Data> =>
      one.type === "put" ? { type: "set", key: one.key, value: one.value } : { type: "delete", key: one.key }
    );
    await withLevelErrorsLater(() => this.store.batch(list, durabilityOf(options)));
  }

  /** @internal */
  private _chainedBatch(): KvLevelChainedBatch<this, K, V> {
    return new KvLevelChainedBatch<this, K, V>(this);
  }

  /** @internal */
  private async _clear(options: RangeOptions): Promise<void> {
    await withLevelErrorsLater(() => clear(this.store, options));
  }

  /** @internal */
  private _iterator(options: IteratorOptions): KvLevelIterator<K, V> {
    return new KvLevelIterator<K, V>(this, options, this.store);
  }

  /** @internal */
  private _snapshot(options: { owner: object }): KvLevelSnapshot {
    return new KvLevelSnapshot(this.store, options);
  }
}
