/**
 * The reading calls, which a store and its snapshots share.
 *
 * @module
 */
import { isTrimmed, KvStoreError } from "../errors.ts";
import type { KeyBytes, Place, ReadIndex } from "../engine/index.ts";
import type { KeyRef } from "../engine/partition.ts";
import type { Key, Range, Value } from "../types.ts";
import type { OpenStore } from "./open_store.ts";
import { decodeKey, ownKey } from "./keys.ts";
import { RangeIterator } from "./range.ts";
import { boundsOf } from "./bounds.ts";
import { KEYS_AHEAD, lookAhead } from "../lookahead/keys.ts";
import { refreshReader } from "../follow/refresh.ts";
import type { View } from "../views/views.ts";

/** Closes the views of iterators and snapshots that were collected as garbage. */
const ABANDONED = new FinalizationRegistry<() => void>((release) => release());

/** Reads the present state of a store, or that of a view. */
export class Reading<V extends Value = Value, K extends Key = Key> {
  readonly #engine: OpenStore;
  /** The view to read; `undefined`: the present state. */
  readonly #view: View | undefined;
  /** Kept so that the compiler cannot remove what it is the sum of. */
  #aheadSum = 0;

  /** Reads `view`, and closes it when this is collected as garbage. Without a view it reads the present state. */
  constructor(engine: OpenStore, view: View | undefined) {
    this.#engine = engine;
    this.#view = view;
    if (view !== undefined) releaseWhenAbandoned(this, engine, view);
  }

  size(): number {
    this.#check();
    return this.#view === undefined ? this.#engine.index.size : this.#view.size;
  }

  get(key: K): V | undefined {
    this.#check();
    try {
      return this.#get(key);
    } catch (error) {
      return this.#retryIfTrimmed(error, () => this.#get(key));
    }
  }

  getMany(keys: Iterable<K>): (V | undefined)[] {
    const list: K[] = [];
    for (const key of keys) list.push(ownKey(key));
    this.#check();
    const read = () =>
      list.map((key, i) => {
        if (i % KEYS_AHEAD === 0) this.#aheadSum = lookAhead(this.#engine, list, i);
        return this.#get(key);
      });
    try {
      return read();
    } catch (error) {
      return this.#retryIfTrimmed(error, read);
    }
  }

  has(key: K): boolean {
    this.#check();
    return this.#find(this.#engine.key.encode(key)) !== undefined;
  }

  expiresAt(key: K): number | undefined {
    this.#check();
    const encoded = this.#engine.key.encode(key);
    return this.#engine.views.mayExpire(this.#view) ? this.#find(encoded)?.expiresAt || undefined : undefined;
  }

  count(range: Range = {}): number {
    const { low, high, limit } = boundsOf(range);
    if (low === undefined && high === undefined) return Math.min(this.size(), limit);
    let count = 0;
    for (const _ of this.#iterate(range, () => true, false)) count++;
    return count;
  }

  keys(range: Range = {}): IteratorObject<K, undefined> {
    return this.#iterate(range, keyOf<K>, false);
  }

  values(range: Range = {}): IteratorObject<V, undefined> {
    return this.#iterate(range, (place, key) => this.#engine.read(place, key) as V);
  }

  entries(range: Range = {}): IteratorObject<[K, V], undefined> {
    return this.#iterate(
      range,
      (place, key, asBytes) => [keyOf<K>(place, key, asBytes), this.#engine.read(place, key) as V],
    );
  }

  /** The directory and the number of keys, for `JSON.stringify` and consoles. Works on a closed store as well. */
  toJSON(): { directory: string; keys: number } {
    const { index, log } = this.#engine;
    return { directory: log.directory, keys: this.#view === undefined ? index.size : this.#view.size };
  }

  /** Closes the view. */
  close(): void {
    releaseNow(this, this.#engine, this.#view!);
  }

  #iterate<T>(range: Range, item: Item<T>, readsValues = true): IteratorObject<T, undefined> {
    this.#check();
    const bounds = boundsOf(range);
    const engine = this.#engine;
    // Get the index before a view is opened: it may have to be read, which can fail.
    const index = this.#view === undefined ? engine.index : engine.views.base(this.#view);
    const isListed = (ref: KeyRef) =>
      this.#view === undefined ? index.lists(ref) : engine.views.findRef(this.#view, index, ref) !== undefined;
    const isWhole = bounds.low === undefined && bounds.high === undefined && bounds.limit === Infinity;
    const now = this.#view?.now ?? engine.log.clockFloor;
    const order = engine.ordering.of(index, { ...bounds, now, isListed });
    const own = this.#view === undefined
      ? engine.views.open(engine.log.nextSequence, engine.log.clockFloor)
      : undefined;
    const view = this.#view ?? own!;
    const iterator = new RangeIterator({
      reader: this,
      order,
      item: itemOf(engine, view, { ...bounds, index: order.index }, item),
      prefetch: (refs, from, to) =>
        order.prefetch(refs, from, to) + (readsValues ? engine.prefetch(order.index, refs, { from, to, isWhole }) : 0),
      isForgotten: (ref) => engine.views.isForgotten(order.index, ref),
      release: () => own !== undefined && releaseNow(iterator, engine, own),
    }, bounds);
    if (own !== undefined) releaseWhenAbandoned(iterator, engine, own);
    // The base class has whatever other methods iterators have on this runtime.
    return iterator as unknown as IteratorObject<T, undefined>;
  }

  #find(key: KeyBytes): Place | undefined {
    return this.#view === undefined ? this.#engine.find(key) : this.#engine.views.find(this.#view, key);
  }

  #get(key: K): V | undefined {
    const engine = this.#engine;
    const encoded = engine.key.encode(key);
    if (this.#view === undefined) return engine.get(encoded) as V | undefined;
    const place = engine.views.find(this.#view, encoded);
    return place === undefined ? undefined : engine.read(place, encoded) as V;
  }

  /**
   * Reads the present state again after a read failed because the writer has compacted a file away that we did not have
   * open. The store is refreshed first. A snapshot cannot be refreshed, so its error is thrown.
   */
  #retryIfTrimmed<T>(error: unknown, read: () => T): T {
    if (this.#view !== undefined || !isTrimmed(error)) throw error;
    refreshReader(this.#engine);
    return read();
  }

  /** Checks that reading is possible, and expires keys whose time has come. A snapshot keeps its time. */
  #check(): void {
    this.#engine.checkOpen();
    if (this.#view === undefined) return this.#engine.expire();
    if (!this.#engine.views.has(this.#view)) {
      throw new KvStoreError("CLOSED", "the snapshot is closed");
    }
  }
}

/** Makes consoles show instances of a class as their JSON under the name of the class: `KvStore { keys: 3 }`. */
export function showAsJson(prototype: { toJSON(): object }): void {
  Object.defineProperty(prototype, Symbol.for("nodejs.util.inspect.custom"), { value: inspectAsJson });
}

function inspectAsJson(
  this: { toJSON(): object },
  _depth: number,
  options: object,
  inspect?: (thing: object, options: object) => string,
): unknown {
  const shown = this.toJSON();
  return inspect === undefined ? shown : `${this.constructor.name} ${inspect(shown, options)}`;
}

/** Makes the item of an iterator from a key and its place. The place is valid only during the call. */
type Item<T> = (place: Place, key: KeyBytes, asBytes: boolean) => T;

function keyOf<K>({ isString }: Place, key: KeyBytes, asBytes: boolean): K {
  return decodeKey(key.bytes, isString && !asBytes, key) as K;
}

function itemOf<T>(
  engine: OpenStore,
  view: View,
  { index, asBytes }: { index: ReadIndex; asBytes: boolean },
  item: Item<T>,
) {
  return (ref: KeyRef): T | undefined => {
    engine.checkOpen();
    if (!engine.views.has(view)) throw new KvStoreError("CLOSED", "the snapshot of this iterator is closed");
    const place = engine.views.findRef(view, index, ref);
    if (place === undefined) return undefined;
    return item(place, index.keyOf(ref), asBytes);
  };
}

/** Closes a view when its holder is collected as garbage. */
function releaseWhenAbandoned(holder: object, engine: OpenStore, view: View): void {
  ABANDONED.register(holder, () => engine.release(view), holder);
}

/** Closes a view. */
function releaseNow(holder: object, engine: OpenStore, view: View): void {
  ABANDONED.unregister(holder);
  engine.release(view);
}
