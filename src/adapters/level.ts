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
import { type BatchOperation, KvStore, KvStoreError, type OpenOptions, type WriteOptions } from "../../mod.ts";
import { deleteKeys } from "./delete_keys.ts";
import { type Data, inFormat, levelError, withLevelErrors, withLevelErrorsLater } from "./level_data.ts";
import {
  type IteratorOptions,
  KvLevelIterator,
  KvLevelSnapshot,
  rangeOf,
  type RangeOptions,
  readerOf,
  type ReadOptions,
} from "./level_reading.ts";

export type { Data };

/** Options of a database: those of Level, and those of `KvStore.open`. */
export interface KvLevelOptions<K = string, V = string>
  extends AbstractDatabaseOptions<K, V>, Omit<OpenOptions, "create"> {}

/** An option that LevelDB has for every write. */
export interface SyncOption {
  /** `true`: done once it would survive a power cut; `false`: the death of the process. Default: as the database. */
  sync?: boolean;
}

/** An operation as `abstract-level` hands it on, encoded. */
type Operation = { type: "put"; key: Data; value: Data } | { type: "del"; key: Data };

/** What the database can do, for `abstract-level` and its suite. Both forms of data are stored as they are. */
const MANIFEST = {
  encodings: { utf8: true, view: true },
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
  override put(...args: unknown[]): Promise<void> {
    return super.put(...args as [K, V]);
  }

  /** Deletes a key. */
  override del(key: K): Promise<void>;
  /** Deletes a key, with LevelDB's option `sync` beside those of Level. */
  override del<K1 = K>(key: K1, options: AbstractDelOptions<K1> & SyncOption): Promise<void>;
  override del(...args: unknown[]): Promise<void> {
    return super.del(...args as [K]);
  }

  /** Does all of the operations or none, also across a crash. */
  override batch(operations: Array<AbstractBatchOperation<this, K, V>>): Promise<void>;
  /** The same with LevelDB's option `sync` beside those of Level. */
  override batch<K1 = K, V1 = V>(
    operations: Array<AbstractBatchOperation<this, K1, V1>>,
    options: AbstractBatchOptions<K1, V1> & SyncOption,
  ): Promise<void>;
  /** Begins a batch that is put together call by call, and done with `write`. */
  override batch(): AbstractChainedBatch<this, K, V>;
  override batch(...args: unknown[]): Promise<void> | AbstractChainedBatch<this, K, V> {
    return super.batch(...args as []);
  }

  // What follows is called by abstract-level, by these names, once keys and values are encoded and the database is open.
  // It is nobody else's, and its declarations do not know it either: hence `private`.

  /** @internal */
  private async _open(options: OpenOptions & { createIfMissing: boolean; errorIfExists: boolean }): Promise<void> {
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
    return this._getSync(key, options);
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
    return keys.map((key) => this._getSync(key, options));
  }

  /** @internal */
  // deno-lint-ignore require-await -- abstract-level wants a promise
  private async _has(key: Data, options: ReadOptions): Promise<boolean> {
    return withLevelErrors(() => readerOf(this.store, options).has(key));
  }

  /** @internal */
  // deno-lint-ignore require-await -- abstract-level wants a promise
  private async _hasMany(keys: Data[], options: ReadOptions): Promise<boolean[]> {
    return withLevelErrors(() => {
      const reader = readerOf(this.store, options);
      return keys.map((key) => reader.has(key));
    });
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

/** Deletes the keys of a range, with one record if it is everything. */
async function clear(store: KvStore<Data>, options: RangeOptions): Promise<void> {
  const { limit } = options;
  const range = rangeOf(options);
  const reader = readerOf(store, options);
  const isEverything = [range.gt, range.gte, range.lt, range.lte].every((bound) => bound === undefined);
  if (isEverything && limit === -1 && reader === store) return await store.clear();
  await deleteKeys(store, reader.keys(limit === -1 ? range : { ...range, limit }));
}

/** Whether there is a store; looking does not change it, nor needs its lock. */
async function isThere(directory: string): Promise<boolean> {
  try {
    await (await KvStore.open(directory, { readOnly: true })).close();
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof KvStoreError && error.code === "NOT_FOUND";
}

/** What of the options is the store's: Level's own are known to it, and other people's are none of its business. */
function storeOptions(options: OpenOptions & { createIfMissing: boolean }): OpenOptions {
  const names = ["readOnly", "durability", "segmentBytes", "cacheBytes", "compaction", "recovery", "onError"] as const;
  const given = names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]);
  return { ...Object.fromEntries(given), create: options.createIfMissing };
}

function durabilityOf({ sync }: SyncOption): WriteOptions {
  return sync === undefined ? {} : { durability: sync ? "sync" : "write" };
}
