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
  /** Whether keys are wanted. */
  keys: boolean;
  /** Whether values are wanted. */
  values: boolean;
}

/** A key and its value, each if it is read. */
type Entry = [key: Data | undefined, value: Data | undefined];

const NOTHING: never[] = [];

/**
 * An iterator over a snapshot: the one in its options, or its own, taken when the iterator is made. It needs a snapshot,
 * as `seek` begins a new iterator of the store, which must see the same state.
 */
export class KvLevelIterator<K, V> extends AbstractIterator<object, K, V> {
  readonly #options: IteratorOptions;
  readonly #reader: Reader<Data>;
  readonly #own: Snapshot<Data> | undefined;
  /** What the store returns: entries; only keys or only values if only those are wanted. */
  #found: Iterator<[Key, Data] | Key | Data, undefined> | undefined;

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
    return paced(() => withLevelErrors(() => this.#step()));
  }

  /** Returns the next `size` entries, with one promise for all. Called by `abstract-level`. */
  async _nextv(size: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (;;) {
      const turn = withLevelErrors(() => this.#fill(entries, size));
      if (turn === undefined) return entries;
      await turn;
    }
  }

  /** Returns all other entries, with one promise for all. Called by `abstract-level`. */
  _all(): Promise<Entry[]> {
    return this._nextv(this.limit - this.count);
  }

  /**
   * Continues at `target`, or at the first key after it in the iterator's direction. A target outside the bounds ends
   * the iterator until it seeks again. Called by `abstract-level`.
   */
  _seek(target: Data): void {
    this.#found?.return?.();
    const range = rangeOf(this.#options);
    const isWithin = !isOutside(target, range);
    // A target within the bounds is the narrower bound.
    if (range.reverse) range.lte = target;
    else range.gte = target;
    this.#found = isWithin ? withLevelErrors(() => this.#visit(range)) : NOTHING[Symbol.iterator]();
  }

  /** Closes the iterator's own snapshot. Called by `abstract-level`. */
  async _close(): Promise<void> {
    this.#found?.return?.();
    this.#own?.close();
    await paced(() => {});
  }

  /** Appends entries until there are `size`, none is left, or a turn of the event loop is due, which it returns. */
  #fill(entries: Entry[], size: number): Promise<void> | undefined {
    while (entries.length < size) {
      // Before the step: one that finds nothing counts too.
      const turn = turnIfDue();
      if (turn !== undefined) return turn;
      const entry = this.#step();
      if (entry === undefined) return undefined;
      entries.push(entry);
    }
    return undefined;
  }

  #step(): Entry | undefined {
    const { keys, values, keyEncoding, valueEncoding } = this.#options;
    const { done, value: found } = (this.#found ??= this.#visit(rangeOf(this.#options))).next();
    if (done) return undefined;
    if (!values) return [inFormat(found as Key, keyEncoding), undefined];
    if (!keys) return [undefined, inFormat(found as Data, valueEncoding)];
    const [key, value] = found as [Key, Data];
    return [inFormat(key, keyEncoding), inFormat(value, valueEncoding)];
  }

  /** Reads only what is wanted: a value costs a read of the log, and a key as text costs decoding it. */
  #visit(range: Range): Iterator<[Key, Data] | Key | Data, undefined> {
    if (!this.#options.values) return this.#reader.keys(range);
    return this.#options.keys ? this.#reader.entries(range) : this.#reader.values(range);
  }
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
