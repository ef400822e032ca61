/**
 * Ranges: the iterators that visit keys in the order of their bytes.
 *
 * @module
 */
import type { Order } from "../order/order.ts";
import type { KeyRef } from "../engine/partition.ts";
import { type Prefetch, type Stretch, Walk } from "../order/walk.ts";

/** A checked range, with its bounds as bytes. */
export interface Bounds extends Stretch {
  /** The largest number of items. */
  limit: number;
  /** Whether every key is returned as bytes. */
  asBytes: boolean;
}

/** Supplies the items of an iterator. */
export interface Source<T> {
  /** The owner of the view: a snapshot must not be collected, and so closed, before its iterators. */
  reader: object;
  /** The order to walk over. It may have keys that the iterator's view does not list. */
  order: Order;
  /** Brings what `item` will read into the processor's cache. */
  prefetch?: Prefetch;
  /** The item for an entry; `undefined` if the view does not list its key. Throws on damage, or on a closed view. */
  item(ref: KeyRef): T | undefined;
  /** Whether no view and not even the present state lists the key of an entry. */
  isForgotten(ref: KeyRef): boolean;
  /** Called once, when the iterator no longer needs its view. */
  release(): void;
}

/** The runtime's base class of iterators, with `map`, `take` and so on; an empty class on Node 20, which has none. */
const RuntimeIterator: new () => object = (globalThis as unknown as { Iterator?: new () => object }).Iterator ??
  class {};

/** Visits a range in order. If an item cannot be read, `next` throws, and the call after it returns the next item. */
export class RangeIterator<T> extends RuntimeIterator implements IterableIterator<T, undefined> {
  readonly #source: Source<T>;
  readonly #walk: Walk;
  #remaining: number;
  #isDone = false;

  /** An iterator over the items of `source` within `bounds`. */
  constructor(source: Source<T>, bounds: Bounds) {
    super();
    this.#source = source;
    this.#walk = new Walk(source.order, bounds, source.prefetch);
    this.#remaining = bounds.limit;
  }

  /** The next item. */
  next(): IteratorResult<T, undefined> {
    while (!this.#isDone && this.#remaining > 0) {
      const ref = this.#walk.next();
      if (ref === undefined) break;
      const value = this.#source.item(ref);
      if (value !== undefined) {
        // Callers that want one item often call `next` once. They would leave the view open until it is collected.
        if (--this.#remaining === 0) this.return();
        return { done: false, value };
      }
      if (this.#source.isForgotten(ref)) this.#walk.remove();
    }
    return this.return();
  }

  /** Ends the iterator and releases its view. */
  return(): IteratorResult<T, undefined> {
    if (!this.#isDone) this.#source.release();
    this.#isDone = true;
    return { done: true, value: undefined };
  }

  /** Returns the iterator itself. */
  [Symbol.iterator](): this {
    return this;
  }

  /** Ends the iterator, for `using`. */
  [Symbol.dispose](): void {
    this.return();
  }
}
