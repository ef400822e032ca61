/**
 * Reading for Level: snapshots that can be handed around, and iterators that can jump.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { AbstractIterator, AbstractSnapshot } from "abstract-level";
import type { Key, KvStore, Range, Reader, Snapshot } from "../../mod.ts";
import { type Data, type Format, inFormat, withLevelErrors } from "./level_format.ts";
import { paced, turnIfDue } from "./event_loop.ts";

/** Options of a read, as `abstract-level` hands them on. */
export interface ReadOptions {
  /** Where to read, if not in the present. */
  snapshot?: KvLevelSnapshot;
  /** The form that keys have and are to have. */
  keyEncoding: Format;
  /** The form that values are to have. */
  valueEncoding: Format;
}

/** Which keys a read is about. */
export interface RangeOptions extends ReadOptions {
  /** Only keys greater than this one; without effect beside `gte`. */
  gt?: Data;
  /** Only keys greater than or equal to this one. */
  gte?: Data;
  /** Only keys less than this one; without effect beside `lte`. */
  lt?: Data;
  /** Only keys less than or equal to this one. */
  lte?: Data;
  /** From the last key to the first. */
  reverse: boolean;
  /** At most so many; -1: all. */
  limit: number;
}

/** What an iterator is to bring. */
export interface IteratorOptions extends RangeOptions {
  /** Whether values are wanted. */
  values: boolean;
}

/** A key and, where it is wanted, its value. */
type Entry = [key: Data, value: Data | undefined];

const NOTHING: [Key, undefined][] = [];

/** The bounds and the direction as the store has them. */
export function rangeOf({ gt, gte, lt, lte, reverse, keyEncoding }: RangeOptions): Range {
  return {
    ...(gte !== undefined ? { gte } : gt !== undefined ? { gt } : {}),
    ...(lte !== undefined ? { lte } : lt !== undefined ? { lt } : {}),
    ...(keyEncoding !== "utf8" ? { keys: "bytes" } : {}),
    reverse,
  };
}

/** Where a read is to look: in its snapshot, or in the store as it is. */
export function readerOf(store: KvStore<Data>, { snapshot }: ReadOptions): Reader<Data> {
  return snapshot === undefined || snapshot === null ? store : snapshot.snapshot;
}

/** A snapshot of the store that Level refers to and closes. */
export class KvLevelSnapshot extends AbstractSnapshot {
  /** The snapshot itself. */
  readonly snapshot: Snapshot<Data>;

  /** Fixes the state of a store for a database, which closes the snapshot with itself. */
  constructor(store: KvStore<Data>, options: { owner: object }) {
    // The declarations know neither that there is a constructor nor what it takes.
    super(...([options] as unknown as []));
    this.snapshot = withLevelErrors(() => store.snapshot());
  }

  /** Called by `abstract-level` when the last read has ended. */
  // deno-lint-ignore require-await -- abstract-level awaits it
  async _close(): Promise<void> {
    this.snapshot.close();
  }
}

/**
 * An iterator over a snapshot: one that was given, or one of its own, taken when it was made. It has to be a snapshot
 * and not an iterator of the store, as `seek` begins a new one, which is to see the same.
 */
export class KvLevelIterator<K, V> extends AbstractIterator<object, K, V> {
  readonly #options: IteratorOptions;
  readonly #reader: Reader<Data>;
  readonly #own: Snapshot<Data> | undefined;
  #entries: Iterator<[Key, Data | undefined], undefined> | undefined;

  /** An iterator over a store. */
  constructor(database: object, options: IteratorOptions, store: KvStore<Data>) {
    super(database, options as object);
    this.#options = options;
    this.#own = readerOf(store, options) === store ? withLevelErrors(() => store.snapshot()) : undefined;
    this.#reader = this.#own ?? readerOf(store, options);
  }

  /** Called by `abstract-level` for an entry; `undefined` is the end. */
  // deno-lint-ignore require-await -- abstract-level wants a promise
  async _next(): Promise<Entry | undefined> {
    return paced(withLevelErrors(() => this.#step()));
  }

  /** Called by `abstract-level` for several entries: one promise for all instead of one for each. */
  async _nextv(size: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    while (entries.length < size) {
      const entry = withLevelErrors(() => this.#step());
      if (entry === undefined) break;
      entries.push(entry);
      const turn = turnIfDue();
      if (turn !== undefined) await turn;
    }
    return entries;
  }

  /**
   * Goes on at the first key that is not before `target`, in the direction of the iterator; a target outside its bounds
   * ends it, until it seeks again.
   */
  _seek(target: Data): void {
    this.#entries?.return?.();
    const range = rangeOf(this.#options);
    const isWithin = !isOutside(target, range);
    // Within, the target is the narrower bound.
    if (range.reverse) range.lte = target;
    else range.gte = target;
    this.#entries = isWithin ? withLevelErrors(() => this.#visit(range)) : NOTHING[Symbol.iterator]();
  }

  /** Gives the snapshot back. */
  // deno-lint-ignore require-await -- abstract-level awaits it
  async _close(): Promise<void> {
    this.#entries?.return?.();
    this.#own?.close();
  }

  #step(): Entry | undefined {
    this.#entries ??= this.#visit(rangeOf(this.#options));
    const { done, value } = this.#entries.next();
    if (done) return undefined;
    const [key, data] = value;
    const { keyEncoding, valueEncoding } = this.#options;
    return [inFormat(key, keyEncoding), data === undefined ? undefined : inFormat(data, valueEncoding)];
  }

  /** Values cost a look at the log each, and are left out where they are not wanted. */
  #visit(range: Range): Iterator<[Key, Data | undefined], undefined> {
    return this.#options.values ? this.#reader.entries(range) : withoutValues(this.#reader.keys(range));
  }
}

function* withoutValues(keys: Iterable<Key>): Generator<[Key, undefined], undefined> {
  for (const key of keys) yield [key, undefined];
}

/** Whether a key is not within the bounds of a range. */
function isOutside(key: Data, { gt, gte, lt, lte }: Range): boolean {
  return (gte !== undefined && compare(key, gte) < 0) || (gt !== undefined && compare(key, gt) <= 0) ||
    (lte !== undefined && compare(key, lte) > 0) || (lt !== undefined && compare(key, lt) >= 0);
}

/** Negative, zero or positive, by bytes, as the store sorts. */
function compare(a: Key, b: Key): number {
  return Buffer.compare(inFormat(a, "view") as Uint8Array, inFormat(b, "view") as Uint8Array);
}
