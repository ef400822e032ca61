/**
 * The store as a Level database. Software built on `abstract-level` runs on it.
 *
 * Install `abstract-level` 3 beside this package.
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
  type AbstractGetManyOptions,
  type AbstractHasManyOptions,
  AbstractLevel,
  type AbstractPutOptions,
} from "abstract-level";
import {
  type BatchOperation,
  destroyStore,
  type KvStore,
  type OpenOptions,
  pathOf,
  type RepairReport,
  repairStore,
  type WriteOptions,
} from "../../mod.ts";
import { copyBytes, copyFields } from "./copies.ts";
import { nextTurn, paced } from "./event_loop.ts";
import { approximateSize, type KeyEncodingOption } from "./level_approximate_size.ts";
import { KvLevelChainedBatch, type Operation } from "./level_chained_batch.ts";
import { levelError, withLevelErrors, withLevelErrorsLater } from "./level_errors.ts";
import { type Data, inFormat } from "./level_format.ts";
import { type IteratorOptions, KvLevelIterator } from "./level_iterator.ts";
import { type LevelOpenOptions, openLevelStore } from "./level_open.ts";
import { clear, KvLevelSnapshot, type RangeOptions, readerOf, type ReadOptions } from "./level_reads.ts";

/** LevelDB's option for every write. */
export interface SyncOption {
  /** `true`: the write survives a power cut; `false`: the death of the process. Default: the database's `durability`. */
  sync?: boolean | undefined;
}

export type { Data, KeyEncodingOption };

/** Options of a database: Level's, and those of `KvStore.open`. */
export interface KvLevelOptions<K = string, V = string>
  extends AbstractDatabaseOptions<K, V>, Omit<OpenOptions, "create"> {}

/** What the database supports, as `abstract-level` and its suite ask. Text is stored as text, bytes as bytes. */
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
 * A write survives a power cut once its promise resolves. With `sync: false` for one write, or `durability: "write"` for
 * all, it is faster, as in LevelDB, and a power cut may lose the last second.
 *
 * @typeParam K type of the keys; nothing checks it at run time
 * @typeParam V type of the values
 */
export class KvLevel<K = string, V = string> extends AbstractLevel<Data, K, V> {
  /** Path of the store's directory, as given or from the URL. */
  readonly location: string;
  #store: KvStore<Data> | undefined;

  /**
   * Makes a database and opens its store in the background. Calls wait until it is open.
   *
   * @param directory path or `file:` URL of the store's directory
   * @param options options of Level (`keyEncoding`, `valueEncoding`, `createIfMissing`, `errorIfExists`) and of
   * `KvStore.open`
   */
  constructor(directory: string | URL, options: KvLevelOptions<K, V> = {}) {
    const location = pathOf(directory);
    super(MANIFEST, options);
    this.location = location;
  }

  /** The open store, for calls that Level lacks: `compact`, `backup`, `stats`, `verify`. */
  get store(): KvStore<Data> {
    if (this.#store === undefined) throw levelError("LEVEL_DATABASE_NOT_OPEN", "Database is not open");
    return this.#store;
  }

  /** Sets a key. */
  override put(key: K, value: V): Promise<void>;
  /** Sets a key. Takes LevelDB's option `sync` besides those of Level. */
  override put<K1 = K, V1 = V>(key: K1, value: V1, options: AbstractPutOptions<K1, V1> & SyncOption): Promise<void>;
  override put(key: unknown, value: unknown, ...options: unknown[]): Promise<void> {
    return super.put(...[this.#copyUntilOpen(key), this.#copyUntilOpen(value), ...options] as unknown as [K, V]);
  }

  /** Deletes a key. */
  override del(key: K): Promise<void>;
  /** Deletes a key. Takes LevelDB's option `sync` besides those of Level. */
  override del<K1 = K>(key: K1, options: AbstractDelOptions<K1> & SyncOption): Promise<void>;
  override del(key: unknown, ...options: unknown[]): Promise<void> {
    return super.del(...[this.#copyUntilOpen(key), ...options] as unknown as [K]);
  }

  /** Applies all operations or none, also across a crash. */
  override batch(operations: Array<AbstractBatchOperation<this, K, V>>): Promise<void>;
  /** Applies all operations or none. Takes LevelDB's option `sync` besides those of Level. */
  override batch<K1 = K, V1 = V>(
    operations: Array<AbstractBatchOperation<this, K1, V1>>,
    options: AbstractBatchOptions<K1, V1> & SyncOption,
  ): Promise<void>;
  /** Begins a batch that is filled call by call and applied by its `write`. */
  override batch(): AbstractChainedBatch<this, K, V>;
  override batch(...args: unknown[]): Promise<void> | AbstractChainedBatch<this, K, V> {
    const [operations, ...options] = args;
    if (!Array.isArray(operations)) return super.batch(...args as []);
    const own = this.status === "opening" ? operations.map(copyFields) : operations;
    return paced(() => super.batch(...[own, ...options] as unknown as [[]]));
  }

  /** Returns the values of several keys, in their order. */
  override getMany(keys: K[]): Promise<(V | undefined)[]>;
  /** Returns the values of several keys, from a snapshot or with other encodings. */
  override getMany<K1 = K, V1 = V>(keys: K1[], options: AbstractGetManyOptions<K1, V1>): Promise<(V1 | undefined)[]>;
  override getMany(...args: unknown[]): Promise<(V | undefined)[]> {
    return paced(() => super.getMany(...args as [K[]]));
  }

  /** Returns whether each of several keys is there. */
  override hasMany(keys: K[]): Promise<boolean[]>;
  /** Returns whether each of several keys is there, in a snapshot or with another encoding. */
  override hasMany<K1 = K>(keys: K1[], options: AbstractHasManyOptions<K1>): Promise<boolean[]>;
  override hasMany(...args: unknown[]): Promise<boolean[]> {
    return paced(() => super.hasMany(...args as [K[]]));
  }

  /** While the database opens, data is encoded later than the call, and the caller may change its buffers before. */
  #copyUntilOpen(data: unknown): unknown {
    return this.status === "opening" ? copyBytes(data) : data;
  }

  /**
   * Estimates the bytes of the log that the live entries from `start` to before `end` take. Exact for up to 256 entries;
   * beyond, estimated from that many samples. Visits every key of the range.
   */
  approximateSize(start: K, end: K): Promise<number>;
  /** Estimates the size of a range, with another encoding of `start` and `end`. */
  approximateSize<K1 = K>(start: K1, end: K1, options: KeyEncodingOption): Promise<number>;
  approximateSize(start: unknown, end: unknown, options: KeyEncodingOption = {}): Promise<number> {
    return this.#onRange("approximateSize", [start, end], options, (range) => approximateSize(this.store, range));
  }

  /** Reclaims the space of stale entries, whatever the range: the log is not in the order of the keys. */
  compactRange(start: K, end: K): Promise<void>;
  /** Reclaims the space of stale entries, with another encoding of `start` and `end`. */
  compactRange<K1 = K>(start: K1, end: K1, options: KeyEncodingOption): Promise<void>;
  compactRange(start: unknown, end: unknown, options: KeyEncodingOption = {}): Promise<void> {
    return this.#onRange("compactRange", [start, end], options, () => this.store.compact());
  }

  /** Runs `action` with the encoded range once the database is open. */
  async #onRange<T>(
    name: string,
    [start, end]: [unknown, unknown],
    options: KeyEncodingOption,
    action: (range: { gte: Data; lt: Data }) => Promise<T>,
  ): Promise<T> {
    if (start === undefined || end === undefined) {
      throw new TypeError(`${name} needs the keys at which the range starts and ends`);
    }
    if (this.status === "opening") {
      return await this.deferAsync(() => this.#onRange(name, [start, end], options, action));
    }
    const encoding = this.keyEncoding(options?.keyEncoding) as unknown as { encode(key: unknown): Data };
    const range = { gte: encoding.encode(start), lt: encoding.encode(end) };
    return await paced(() => withLevelErrorsLater(() => action(range)));
  }

  /**
   * Deletes the database in a directory, intact or damaged, and the directory too if it is empty then. Close the database
   * first. Does nothing if the directory holds no database.
   */
  static async destroy(location: string | URL): Promise<void> {
    await withLevelErrorsLater(() => destroyStore(location));
  }

  /** Repairs the database in a directory and reports what was found and lost. It must not be open anywhere. */
  static async repair(location: string | URL): Promise<RepairReport> {
    return await withLevelErrorsLater(() => repairStore(location));
  }

  // abstract-level calls the methods below by name, once keys and values are encoded and the database is open. Its
  // declarations do not have them, and nothing else may call them: hence `private`.

  /** @internal */
  private async _open(options: LevelOpenOptions): Promise<void> {
    // Lets the caller add listeners to the database, and to what is built on it, before anything happens.
    await nextTurn();
    await withLevelErrorsLater(async () => {
      this.#store = await openLevelStore(this.location, options);
    });
  }

  /** @internal */
  private async _close(): Promise<void> {
    const { store } = this;
    // It is closed even if this fails: an error is about the last writes.
    this.#store = undefined;
    await withLevelErrorsLater(() => store.close());
  }

  /** @internal */
  // deno-lint-ignore require-await -- abstract-level wants a promise
  private async _get(key: Data, options: ReadOptions): Promise<Data | undefined> {
    return paced(() => this._getSync(key, options));
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
    return withLevelErrors(() =>
      readerOf(this.store, options).getMany(keys).map((value) =>
        value === undefined ? undefined : inFormat(value, options.valueEncoding)
      )
    );
  }

  /** @internal */
  // deno-lint-ignore require-await -- abstract-level wants a promise
  private async _has(key: Data, options: ReadOptions): Promise<boolean> {
    return paced(() => withLevelErrors(() => readerOf(this.store, options).has(key)));
  }

  /** @internal */
  // deno-lint-ignore require-await -- abstract-level wants a promise
  private async _hasMany(keys: Data[], options: ReadOptions): Promise<boolean[]> {
    const reader = readerOf(this.store, options);
    return withLevelErrors(() => keys.map((key) => reader.has(key)));
  }

  /** @internal */
  private _put(key: Data, value: Data, options: SyncOption): Promise<void> {
    return withLevelErrorsLater(() => this.store.set(key, value, durabilityOf(options)));
  }

  /** @internal */
  private _del(key: Data, options: SyncOption): Promise<boolean> {
    return withLevelErrorsLater(() => this.store.delete(key, durabilityOf(options)));
  }

  /** @internal */
  private _batch(operations: Operation[], options: SyncOption): Promise<void> {
    const list = operations.map((one): BatchOperation<Data> =>
      one.type === "put" ? { type: "set", key: one.key, value: one.value } : { type: "delete", key: one.key }
    );
    return withLevelErrorsLater(() => this.store.batch(list, durabilityOf(options)));
  }

  /** @internal */
  private _chainedBatch(): KvLevelChainedBatch<this, K, V> {
    return new KvLevelChainedBatch<this, K, V>(this);
  }

  /** @internal */
  private async _clear(options: RangeOptions): Promise<void> {
    await paced(() => withLevelErrorsLater(() => clear(this.store, options)));
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

/** The durability that a write asks for. */
function durabilityOf({ sync }: SyncOption): WriteOptions {
  return sync === undefined ? {} : { durability: sync ? "sync" : "write" };
}
