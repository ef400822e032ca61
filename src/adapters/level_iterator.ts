/**
 * Iterators for Level, which can seek.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { AbstractIterator } from "abstract-level";
import type { Key, KvStore, Range, Reader, Snapshot } from "../../mod.ts";
import { paced, turnIfDue } from "./event_loop.ts";
import { withLevelErrors } from "./level_errors.ts";
import { bytesOf, type Data, inFormat } from "./level_format.ts";
import { rangeOf, type RangeOptions, readerOf } from "./level_reads.ts";

/** Options of an iterator, as `abstract-level` passes them on. */
export interface IteratorOptions extends RangeOptions {
  /** Whether to read values. */
  values: boolean;
}

/** A key, and its value if values are read. */
type Entry = [key: Data, value: Data | undefined];

const NOTHING: [Key, undefined][] = [];

/**
 * An iterator over a snapshot: the one in its options, or its own, taken when the iterator is made. It needs a snapshot,
 * as `seek` begins a new iterator of the store, which must see the same state.
 */
export class KvLevelIterator<K, V> extends AbstractIterator<object, K, V> {
  readonly #options: IteratorOptions;
  readonly #reader: Reader<Data>;
  readonly #own: Snapshot<Data> | undefined;
  #entries: Iterator<[Key, Data | undefined], undefined> | undefined;

  /** Makes an iterator over a store. */
  constructor(database: object, options: IteratorOptions, store: KvStore<Data>) {
    super(database, options as object);
    this.#options = options;
    this.#own = readerOf(store, options) === store ? withLevelErrors(() => store.snapshot()) : undefined;
    this.#reader = this.#own ?? readerOf(store, options);
  }

  /** Returns the next entry; `undefined` at the end. Called by `abstract-level`. */
  // deno-lint-ignore require-await -- abstract-level wants a promise
  async _next(): Promise<Entry | undefined> {
    return paced(withLevelErrors(() => this.#step()));
  }

  /** Returns the next `size` entries, with one promise for all. Called by `abstract-level`. */
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
   * Continues at `target`, or at the first key after it in the iterator's direction. A target outside the bounds ends
   * the iterator until it seeks again. Called by `abstract-level`.
   */
  _seek(target: Data): void {
    this.#entries?.return?.();
    const range = rangeOf(this.#options);
    const isWithin = !isOutside(target, range);
    // A target within the bounds is the narrower bound.
    if (range.reverse) range.lte = target;
    else range.gte = target;
    this.#entries = isWithin ? withLevelErrors(() => this.#visit(range)) : NOTHING[Symbol.iterator]();
  }

  /** Closes the iterator's own snapshot. Called by `abstract-level`. */
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

  /** Reads values only if they are wanted, as each costs a read of the log. */
  #visit(range: Range): Iterator<[Key, Data | undefined], undefined> {
    return this.#options.values ? this.#reader.entries(range) : withoutValues(this.#reader.keys(range));
  }
}

function* withoutValues(keys: Iterable<Key>): Generator<[Key, undefined], undefined> {
  for (const key of keys) yield [key, undefined];
}

/** Whether a key is outside the bounds of a range. */
function isOutside(key: Data, { gt, gte, lt, lte }: Range): boolean {
  return (gte !== undefined && compare(key, gte) < 0) || (gt !== undefined && compare(key, gt) <= 0) ||
    (lte !== undefined && compare(key, lte) > 0) || (lt !== undefined && compare(key, lt) >= 0);
}

/** Compares keys by their bytes, as the store sorts them. */
function compare(a: Key, b: Key): number {
  return Buffer.compare(bytesOf(a), bytesOf(b));
}
