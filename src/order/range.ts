/**
 * Ranges: which keys to visit, in byte order, and the iterators that visit them.
 *
 * @module
 */
import type { Edge, Order } from "./order.ts";
import type { KeyRef } from "../engine/partition.ts";
import { type Stretch, Walk } from "./walk.ts";
import type { Range } from "../types.ts";
import { compareBytes } from "../bytes.ts";
import { EncodedKey } from "../engine/keys.ts";
import { checkInteger, checkNames } from "../store/options.ts";

/** Used by one call at a time. */
const ENCODED = new EncodedKey();
const NAMES = ["prefix", "gt", "gte", "lt", "lte", "reverse", "limit", "keys"];

/** A range, checked, with its bounds as bytes. */
export interface Bounds extends Stretch {
  /** At most so many. */
  limit: number;
  /** Every key as bytes. */
  asBytes: boolean;
}

/** Checks a range. Throws a `TypeError` or `RangeError` that names what is wrong. */
export function boundsOf(range: Range): Bounds {
  checkNames("a range", range, NAMES);
  const { reverse = false, limit = Infinity } = range;
  if (typeof reverse !== "boolean") throw new TypeError(`reverse is true or false, not ${String(reverse)}`);
  if (limit !== Infinity) checkInteger("limit", limit, 0, Number.MAX_SAFE_INTEGER);
  if (range.keys !== undefined && range.keys !== "bytes") {
    throw new TypeError(`the option keys is "bytes" or absent, not ${JSON.stringify(range.keys)}`);
  }
  const [prefix, gt, gte, lt, lte] = [range.prefix, range.gt, range.gte, range.lt, range.lte].map((key) =>
    key === undefined ? undefined : ENCODED.encode(key).copy()
  );
  const behind = prefix === undefined ? undefined : behindPrefix(prefix);
  const [low] = edges([prefix, false], [gte, false], [gt, true]).reverse();
  const [high] = edges([behind, false], [lt, false], [lte, true]);
  return { low, high, reverse, limit, asBytes: range.keys === "bytes" };
}

/** The edges that are given, in order. */
function edges(...given: [key: Uint8Array | undefined, isBehind: boolean][]): Edge[] {
  return given
    .flatMap(([key, isBehind]) => key === undefined ? [] : [{ bytes: key, start: 0, length: key.length, isBehind }])
    .sort((a, b) => compareBytes(a.bytes, b.bytes) || Number(a.isBehind) - Number(b.isBehind));
}

/** The least key that is greater than all with this prefix; `undefined` if there is none. */
function behindPrefix(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return undefined;
  const behind = prefix.slice(0, length);
  behind[length - 1]!++;
  return behind;
}

/** Where an iterator gets its items from. */
export interface Source<T> {
  /** Whose view is read: a snapshot must not be collected as garbage, and so closed, before its iterators. */
  reader: object;
  /** Keys in order; some may have no value in the iterator's view. */
  order: Order;
  /** The item for an entry's key; `undefined` if the view has none. Throws if the view is closed or the record damaged. */
  item(ref: KeyRef): T | undefined;
  /** Whether nobody can list an entry's key any more. */
  isForgotten(ref: KeyRef): boolean;
  /** Called once, when the iterator is done with its view. */
  release(): void;
}

/** What the runtime's iterators inherit from: `map`, `take` and so on; less on Node 20, which has no `Iterator`. */
const RuntimeIterator: new () => object = (globalThis as unknown as { Iterator?: new () => object }).Iterator ??
  class {};

/** Visits a range. If an item cannot be read, `next` throws, and the call after it goes on with the next one. */
export class RangeIterator<T> extends RuntimeIterator implements IterableIterator<T, undefined> {
  readonly #source: Source<T>;
  readonly #walk: Walk;
  #left: number;
  #isDone = false;

  /** An iterator over what of `source` lies within `bounds`. */
  constructor(source: Source<T>, bounds: Bounds) {
    super();
    this.#source = source;
    this.#walk = new Walk(source.order, bounds);
    this.#left = bounds.limit;
  }

  /** The next item. */
  next(): IteratorResult<T, undefined> {
    while (!this.#isDone && this.#left > 0) {
      const ref = this.#walk.next();
      if (ref === undefined) break;
      const value = this.#source.item(ref);
      if (value !== undefined) {
        this.#left--;
        return { done: false, value };
      }
      if (this.#source.isForgotten(ref)) this.#walk.remove();
    }
    return this.return();
  }

  /** Ends the iterator and gives its view back. */
  return(): IteratorResult<T, undefined> {
    if (!this.#isDone) this.#source.release();
    this.#isDone = true;
    return { done: true, value: undefined };
  }

  /** Itself. */
  [Symbol.iterator](): this {
    return this;
  }

  /** Ends the iterator, for `using`. */
  [Symbol.dispose](): void {
    this.return();
  }
}
