/**
 * The handle of a store with the calls of Deno KV.
 *
 * @module
 */
import { paced } from "../adapters/event_loop.ts";
import type { KvStore } from "../../mod.ts";
import { AtomicOperation, setOf } from "./atomic.ts";
import { commit, COMMIT_VERSIONSTAMP } from "./commit.ts";
import { Database } from "./database.ts";
import { decodeKey, encodeKey, type KvKey } from "./keys.ts";
import { checkRanges, checkReadKey, type Limits } from "./limits.ts";
import { checkConsistency, entryOf, KvListIterator } from "./list.ts";
import type {
  KvCommitResult,
  KvEntryMaybe,
  KvListOptions,
  KvListSelector,
  KvReadOptions,
  KvSetOptions,
} from "./types.ts";

/** Handles are made of what was made here. */
const MADE = new WeakSet<Database>();

/** An open store with the calls of Deno KV. `openKv` makes it. */
export class Kv {
  readonly #database: Database;
  readonly #release: () => Promise<void>;
  #released: Promise<void> | undefined;

  /** @internal */
  constructor(database: Database, release: () => Promise<void>) {
    if (!MADE.has(database)) throw new TypeError("a Kv is opened by `await openKv(path)`, not by `new`");
    this.#database = database;
    this.#release = release;
  }

  /** The entry of a key. Its value and versionstamp are `null` if there is none. */
  get<T = unknown>(key: KvKey, options: KvReadOptions = {}): Promise<KvEntryMaybe<T>> {
    return paced(() => this.#get<T>(key, options));
  }

  /** The entries of several keys, in the order of the keys, all from one state. At most 10. */
  getMany<T extends readonly unknown[]>(
    keys: readonly [...{ [K in keyof T]: KvKey }],
    options: KvReadOptions = {},
  ): Promise<{ [K in keyof T]: KvEntryMaybe<T[K]> }> {
    return paced(() => this.#getMany(keys, options)) as Promise<{ [K in keyof T]: KvEntryMaybe<T[K]> }>;
  }

  /** Sets a key. Resolves once that would survive a power cut. */
  set(key: KvKey, value: unknown, options?: KvSetOptions): Promise<KvCommitResult> {
    return paced(async () => {
      const mutations = [setOf(key, value, options)];
      return await commit(this.#database, { checks: [], mutations }) as KvCommitResult;
    });
  }

  /** Deletes a key. Resolves once that would survive a power cut. */
  delete(key: KvKey): Promise<void> {
    return paced(async () => void await commit(this.#database, { checks: [], mutations: [{ key, type: "delete" }] }));
  }

  /**
   * Lists the entries of a range, in the order of their keys, as of the first step.
   *
   * @throws {TypeError} for a selector that is none, {Error} for a limit or a batch size that is not above 0
   */
  list<T = unknown>(selector: KvListSelector, options: KvListOptions = {}): KvListIterator<T> {
    return new KvListIterator<T>(this.#database, selector, options);
  }

  /** Begins a commit of checks and mutations, which `commit()` makes. */
  atomic(): AtomicOperation {
    return new AtomicOperation(this.#database);
  }

  /** As the last part of a key that is set, it becomes the versionstamp of the commit. */
  commitVersionstamp(): symbol {
    return COMMIT_VERSIONSTAMP;
  }

  /**
   * Closes the handle. Later calls throw. What was called before takes its course. The last handle of a process on a
   * directory closes the store in the background.
   *
   * @throws {Error} named `BadResource` if it is closed
   */
  close(): void {
    void this.#database.store;
    this[Symbol.dispose]();
  }

  /** Closes the handle, if it is open, at the end of the block that declares it with `using`. */
  [Symbol.dispose](): void {
    // What fails there has rejected the calls that it is about.
    this[Symbol.asyncDispose]().catch(() => {});
  }

  /**
   * Closes the handle, if it is open, at the end of the block that declares it with `await using`. Resolves once the
   * store is closed, if this is its last handle. Deno KV has no such call.
   */
  [Symbol.asyncDispose](): Promise<void> {
    this.#database.isClosed = true;
    return this.#released ??= this.#release();
  }

  async #get<T>(key: KvKey, options: KvReadOptions): Promise<KvEntryMaybe<T>> {
    const encoded = this.#readKey(key, options);
    for (;;) {
      const stored = this.#database.store.get(encoded);
      if (this.#database.isLasting(stored) || await this.#database.lasts()) return entryMaybe<T>(encoded, stored);
    }
  }

  async #getMany(keys: readonly KvKey[], options: KvReadOptions): Promise<KvEntryMaybe<unknown>[]> {
    checkRanges(keys.length, this.#database.limits);
    const encoded = keys.map((key) => this.#readKey(key, options));
    for (;;) {
      const found = this.#database.store.getMany(encoded);
      const isLasting = found.every((stored) => this.#database.isLasting(stored));
      if (isLasting || await this.#database.lasts()) return found.map((stored, i) => entryMaybe(encoded[i]!, stored));
    }
  }

  #readKey(key: KvKey, options: KvReadOptions): Uint8Array {
    checkConsistency(options);
    const encoded = encodeKey(key);
    checkReadKey(encoded, this.#database.limits);
    return encoded;
  }
}

function entryMaybe<T>(key: Uint8Array, stored: Uint8Array | undefined): KvEntryMaybe<T> {
  return stored === undefined ? { key: decodeKey(key), value: null, versionstamp: null } : entryOf<T>(key, stored);
}

/** Makes a handle of an open store. `release` gives the store back. */
export function kvOn(store: KvStore<Uint8Array>, limits: Limits, release: () => Promise<void>): Kv {
  const database = new Database(store, limits);
  MADE.add(database);
  return new Kv(database, release);
}
