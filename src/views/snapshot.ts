/**
 * Snapshots: a fixed state of a store, with the reading calls.
 *
 * @module
 */
import type { Key, Range, Value } from "../types.ts";
import type { OpenStore } from "../store/open_store.ts";
import { Reading, showAsJson } from "../store/reader.ts";

/**
 * The store as it was when `snapshot()` was called, pending writes included. Later writes, compactions and clears do
 * not change it. It keeps the segments that it needs on disk until it is closed or collected as garbage. On a read-only
 * store it keeps only those that are open (see the README on limits).
 */
export class Snapshot<V extends Value = Value, K extends Key = Key> {
  readonly #reading: Reading<V, K>;

  static {
    showAsJson(this.prototype);
  }

  /** Snapshots are made by `KvStore.snapshot()`. */
  constructor(store: OpenStore) {
    this.#reading = new Reading<V, K>(store, store.openView());
  }

  /** How many keys there were. */
  get size(): number {
    return this.#reading.size();
  }

  /**
   * The value that a key had, or `undefined`. The caller may change it.
   *
   * @throws {KvStoreError} `CORRUPT` if the record is damaged, `CLOSED`, `IO`, and on a read-only store `TRIMMED` if
   * the writer has removed the file
   */
  get(key: K): V | undefined {
    return this.#reading.get(key);
  }

  /** The values that several keys had, in the order of the keys. */
  getMany(keys: Iterable<K>): (V | undefined)[] {
    return this.#reading.getMany(keys);
  }

  /** Whether a key had a value. Reads no record. */
  has(key: K): boolean {
    return this.#reading.has(key);
  }

  /** How many keys a range, or all of it, had. Looks at each key of the range. */
  count(range?: Range): number {
    return this.#reading.count(range);
  }

  /** When a key was to expire, in milliseconds since 1970; `undefined` if never, or if there was no such key. */
  expiresAt(key: K): number | undefined {
    return this.#reading.expiresAt(key);
  }

  /** The keys of a range as bytes, sorted. */
  keys(range: Range & { keys: "bytes" }): IteratorObject<Uint8Array, undefined>;
  /** The keys of a range, sorted by their bytes. */
  keys(range?: Range): IteratorObject<K, undefined>;
  keys(range?: Range): IteratorObject<Key, undefined> {
    return this.#reading.keys(range);
  }

  /** The values of a range, in the order of their keys. */
  values(range?: Range): IteratorObject<V, undefined> {
    return this.#reading.values(range);
  }

  /** The keys of a range as bytes, with their values, sorted. */
  entries(range: Range & { keys: "bytes" }): IteratorObject<[Uint8Array, V], undefined>;
  /** The keys of a range with their values, sorted by the bytes of the keys. */
  entries(range?: Range): IteratorObject<[K, V], undefined>;
  entries(range?: Range): IteratorObject<[Key, V], undefined> {
    return this.#reading.entries(range);
  }

  /** All keys with their values, sorted by the bytes of the keys. */
  [Symbol.iterator](): IteratorObject<[K, V], undefined> {
    return this.#reading.entries();
  }

  /** The directory of the store and the number of keys, for `JSON.stringify` and consoles. */
  toJSON(): { directory: string; keys: number } {
    return this.#reading.toJSON();
  }

  /** Ends the snapshot and its iterators. Closing twice is harmless. */
  close(): void {
    this.#reading.close();
  }

  /** Closes the snapshot at the end of the block that declares it with `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** The reading calls that a store and its snapshots share. Use it as the type of a parameter that may be either. */
export type Reader<V extends Value = Value, K extends Key = Key> = Omit<
  Snapshot<V, K>,
  "close" | typeof Symbol.dispose
>;
