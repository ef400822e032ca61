/**
 * How a store and its snapshots read.
 *
 * @module
 */
import { isTrimmed, KvStoreError } from "../errors.ts";
import type { Place, ReadIndex } from "../engine/index.ts";
import type { KeyRef } from "../engine/partition.ts";
import type { Key, Range, Value } from "../types.ts";
import type { OpenStore } from "./open_store.ts";
import { decodeKey, ownKey } from "./keys.ts";
import { RangeIterator } from "../order/range.ts";
import { boundsOf } from "./bounds.ts";
import { refreshReader } from "../follow/refresh.ts";
import type { View } from "../views/views.ts";

/** Gives back the views of iterators and snapshots that nobody holds any more. */
const ABANDONED = new FinalizationRegistry<() => void>((release) => release());

/** Reads a store, as it is or as it was. */
export class Reading<V extends Value = Value, K extends Key = Key> {
  readonly #engine: OpenStore;
  /** The moment that is read; `undefined`: always the present. */
  readonly #view: View | undefined;

  /** Reads what is there at the moment of `view`, which it gives back when it is collected as garbage. */
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
      return this.#again(error, () => this.#get(key));
    }
  }

  getMany(keys: Iterable<K>): (V | undefined)[] {
    const list: K[] = [];
    for (const key of keys) list.push(ownKey(key));
    this.#check();
    const read = () => list.map((key) => this.#get(key));
    try {
      return read();
    } catch (error) {
      return this.#again(error, read);
    }
  }

  has(key: K): boolean {
    this.#check();
    this.#engine.key.encode(key);
    return this.#find() !== undefined;
  }

  expiresAt(key: K): number | undefined {
    this.#check();
    this.#engine.key.encode(key);
    return this.#find()?.expiresAt || undefined;
  }

  keys(range: Range = {}): IteratorObject<K, undefined> {
    return this.#iterate(range, (key) => key as K);
  }

  values(range: Range = {}): IteratorObject<V, undefined> {
    return this.#iterate(range, (_, value) => value());
  }

  entries(range: Range = {}): IteratorObject<[K, V], undefined> {
    return this.#iterate(range, (key, value) => [key as K, value()]);
  }

  /** What `JSON.stringify` and consoles show: where the store is, and how many keys it has. Also of a closed one. */
  toJSON(): { directory: string; keys: number } {
    const { index, log } = this.#engine;
    return { directory: log.directory, keys: this.#view === undefined ? index.size : this.#view.size };
  }

  /** Gives the view back. */
  close(): void {
    releaseNow(this, this.#engine, this.#view!);
  }

  #iterate<T>(range: Range, item: (key: Key, value: () => V) => T): IteratorObject<T, undefined> {
    this.#check();
    const bounds = boundsOf(range);
    const engine = this.#engine;
    // Before a view is opened: it may have to read, and fail.
    const index = this.#view === undefined ? engine.index : engine.views.base(this.#view);
    const counts = (ref: KeyRef) =>
      this.#view === undefined ? index.lists(ref) : engine.views.look(this.#view, index, ref) !== undefined;
    const order = engine.ordering.of(index, { ...bounds, counts });
    const own = this.#view === undefined
      ? engine.views.open(engine.log.nextSequence, engine.log.clockFloor)
      : undefined;
    const view = this.#view ?? own!;
    const iterator = new RangeIterator({
      reader: this,
      order,
      item: itemOf(engine, view, { ...bounds, index }, item),
      isForgotten: (ref) => engine.views.isForgotten(index, ref),
      release: () => own !== undefined && releaseNow(iterator, engine, own),
    }, bounds);
    if (own !== undefined) releaseWhenAbandoned(iterator, engine, own);
    // Where the runtime has more calls of iterators, the base class has them.
    return iterator as unknown as IteratorObject<T, undefined>;
  }

  /** Where the record of the key is that is encoded now. */
  #find(): Place | undefined {
    return this.#view === undefined ? this.#engine.find() : this.#engine.findIn(this.#view);
  }

  #get(key: K): V | undefined {
    const engine = this.#engine;
    const encoded = engine.key.encode(key);
    if (this.#view === undefined) return engine.get() as V | undefined;
    const place = engine.findIn(this.#view);
    return place === undefined ? undefined : engine.read(place, encoded) as V;
  }

  /**
   * What the present was read from may be gone: the writer, another process, has compacted it away, and we had no
   * descriptor of it. Then a newer present is read. A snapshot stays what it is.
   */
  #again<T>(error: unknown, read: () => T): T {
    if (this.#view !== undefined || !isTrimmed(error)) throw error;
    refreshReader(this.#engine);
    return read();
  }

  /** Before every call that reads: what has expired by now is gone, but for a snapshot, which stays as it was. */
  #check(): void {
    this.#engine.check();
    if (this.#view === undefined) return this.#engine.expire();
    if (!this.#engine.views.has(this.#view)) {
      throw new KvStoreError("CLOSED", "the snapshot is closed");
    }
  }
}

/** Has consoles show the instances of a class as their JSON, under the class's name: `KvStore { keys: 3 }`. */
export function showAsJson(prototype: { toJSON(): object }): void {
  Object.defineProperty(prototype, Symbol.for("nodejs.util.inspect.custom"), { value: inspected });
}

function inspected(
  this: { toJSON(): object },
  _depth: number,
  options: object,
  inspect?: (thing: object, options: object) => string,
): unknown {
  const shown = this.toJSON();
  return inspect === undefined ? shown : `${this.constructor.name} ${inspect(shown, options)}`;
}

function itemOf<V, T>(
  engine: OpenStore,
  view: View,
  { index, asBytes }: { index: ReadIndex; asBytes: boolean },
  item: (key: Key, value: () => V) => T,
) {
  return (ref: KeyRef): T | undefined => {
    engine.check();
    if (!engine.views.has(view)) throw new KvStoreError("CLOSED", "the snapshot of this iterator is closed");
    const place = engine.views.look(view, index, ref);
    if (place === undefined) return undefined;
    const key = index.keyOf(ref);
    return item(decodeKey(key.bytes, place.isString && !asBytes, key), () => engine.read(place, key) as V);
  };
}

/** Gives a view back when its holder is collected as garbage. */
function releaseWhenAbandoned(holder: object, engine: OpenStore, view: View): void {
  ABANDONED.register(holder, () => engine.release(view), holder);
}

/** Gives a view back. */
function releaseNow(holder: object, engine: OpenStore, view: View): void {
  ABANDONED.unregister(holder);
  engine.release(view);
}
