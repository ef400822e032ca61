/**
 * The reading calls, the same for a store and for its snapshots.
 *
 * @module
 */
import { KvStoreError } from "../errors.ts";
import type { Key, Range, Value } from "../types.ts";
import type { Core } from "./core.ts";
import { decodeKey } from "./keys.ts";
import { type Bounds, boundsOf, RangeIterator } from "./range.ts";
import type { View } from "./views.ts";

/** Gives back the views of iterators and snapshots that nobody holds any more. */
const ABANDONED = new FinalizationRegistry<() => void>((release) => release());

/** Reads a store, as it is or as it was. */
export abstract class Reader<V extends Value = Value> {
  /** @internal Log, index and views. */
  protected readonly core: Core;
  /** @internal The moment that is read; `undefined`: always the present. */
  protected readonly view: View | undefined;

  /** Readers are made by `KvStore.open` and `snapshot()`. */
  constructor(core: Core, view: View | undefined) {
    this.core = core;
    this.view = view;
  }

  /** How many keys there are. */
  get size(): number {
    this.#check();
    return this.view === undefined ? this.core.index.size : this.view.size;
  }

  /**
   * The value of a key, or `undefined`. It is the caller's to change; the `buffer` of short bytes may be shared with
   * other values, so copy them before transferring it.
   *
   * @throws {KvStoreError} `CORRUPT` if the record is damaged, `CLOSED`, `IO`
   */
  get(key: Key): V | undefined {
    this.#check();
    return this.#get(key);
  }

  /** The values of several keys, in their order, all as of this call. */
  getMany(keys: Iterable<Key>): (V | undefined)[] {
    const list = [...keys];
    this.#check();
    return list.map((key) => this.#get(key));
  }

  /** Whether a key has a value. Reads no record. */
  has(key: Key): boolean {
    this.#check();
    this.core.key.encode(key);
    return this.core.find(this.view) !== undefined;
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
  expiresAt(key: Key): number | undefined {
    this.#check();
    this.core.key.encode(key);
    return this.core.find(this.view)?.expiresAt || undefined;
  }

  /** The keys of a range, sorted by their bytes, as of this call. */
  keys(range: Range = {}): IterableIterator<Key> {
    return this.#iterate(range, (key) => key);
  }

  /** The values of a range, in the order of their keys, as of this call. */
  values(range: Range = {}): IterableIterator<V> {
    return this.#iterate(range, (_, value) => value());
  }

  /** The keys of a range with their values, as of this call. */
  entries(range: Range = {}): IterableIterator<[Key, V]> {
    return this.#iterate(range, (key, value) => [key, value()]);
  }

  /** All keys with their values. */
  [Symbol.iterator](): IterableIterator<[Key, V]> {
    return this.entries();
  }

  #iterate<T>(range: Range, item: (key: Key, value: () => V) => T): IterableIterator<T> {
    this.#check();
    const bounds = boundsOf(range);
    const { core } = this;
    // Before a view is opened: it may have to read, and fail.
    const { sorted } = this.view === undefined ? core.views.current : core.views.base(this.view);
    const list = sorted.list();
    const own = this.view === undefined ? core.views.open(core.log.nextSequence, core.log.clockFloor) : undefined;
    const view = this.view ?? own!;
    const iterator = new RangeIterator({
      reader: this,
      list,
      item: itemOf(core, view, bounds, item),
      release: () => own !== undefined && releaseNow(iterator, core, own),
    }, bounds);
    if (own !== undefined) releaseWhenAbandoned(iterator, core, own);
    return iterator;
  }

  #get(key: Key): V | undefined {
    const { core } = this;
    const encoded = core.key.encode(key);
    if (this.view === undefined) return core.get() as V | undefined;
    const place = core.find(this.view);
    return place === undefined ? undefined : core.read(place, encoded) as V;
  }

  /** Before every call that reads: what has expired by now is gone, but for a snapshot, which stays as it was. */
  #check(): void {
    this.core.check();
    if (this.view === undefined) return this.core.expire();
    if (!this.core.views.has(this.view)) {
      throw new KvStoreError("CLOSED", "the snapshot is closed");
    }
  }
}

function itemOf<V, T>(core: Core, view: View, bounds: Bounds, item: (key: Key, value: () => V) => T) {
  return (bytes: Uint8Array): T | undefined => {
    core.check();
    if (!core.views.has(view)) throw new KvStoreError("CLOSED", "the snapshot of this iterator is closed");
    const key = { bytes, start: 0, length: bytes.length };
    const place = core.views.find(view, key);
    if (place === undefined) return undefined;
    return item(decodeKey(bytes, place.isString && !bounds.asBytes), () => core.read(place, key) as V);
  };
}

/** Gives a view back when its holder is collected as garbage. */
export function releaseWhenAbandoned(holder: object, core: Core, view: View): void {
  ABANDONED.register(holder, () => core.release(view), holder);
}

/** Gives a view back. */
export function releaseNow(holder: object, core: Core, view: View): void {
  ABANDONED.unregister(holder);
  core.release(view);
}
