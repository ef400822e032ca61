/**
 * Snapshots.
 *
 * @module
 */
import type { Key, Range, Value } from "../types.ts";
import type { Core } from "./core.ts";
import { Reading } from "./reader.ts";

/**
 * The store as it was when `snapshot()` was called, pending writes included, whatever is written, compacted or cleared
 * since. It keeps the segments that it needs on the disk until it is closed, or collected as garbage.
 */
export class Snapshot<V extends Value = Value> {
  readonly #reading: Reading<V>;

  /** Made by `KvStore.snapshot()`. */
  constructor(core: Core) {
    this.#reading = new Reading<V>(core, core.openView());
  }

  /** How many keys there were. */
  get size(): number {
    return this.#reading.size();
  }

  /** The value that a key had, or `undefined`. Throws as `get` of the store does, and `CLOSED` for a closed snapshot. */
  get(key: Key): V | undefined {
    return this.#reading.get(key);
  }

  /** The values that several keys had, in the order of the keys. */
  getMany(keys: Iterable<Key>): (V | undefined)[] {
    return this.#reading.getMany(keys);
  }

  /** Whether a key had a value. Reads no record. */
  has(key: Key): boolean {
    return this.#reading.has(key);
  }

  /** When a key was to expire, in milliseconds since 1970; `undefined` if never, or if it was not there. */
  expiresAt(key: Key): number | undefined {
    return this.#reading.expiresAt(key);
  }

  /** The keys of a range, sorted by their bytes. */
  keys(range?: Range): IterableIterator<Key> {
    return this.#reading.keys(range);
  }

  /** The values of a range, in the order of their keys. */
  values(range?: Range): IterableIterator<V> {
    return this.#reading.values(range);
  }

  /** The keys of a range with their values, sorted by the bytes of the keys. */
  entries(range?: Range): IterableIterator<[Key, V]> {
    return this.#reading.entries(range);
  }

  /** All keys with their values, sorted by the bytes of the keys. */
  [Symbol.iterator](): IterableIterator<[Key, V]> {
    return this.#reading.entries();
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

/** The reading calls that a store and its snapshots share: for functions that take either. */
export type Reader<V extends Value = Value> = Omit<Snapshot<V>, "close" | typeof Symbol.dispose>;
