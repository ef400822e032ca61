/**
 * Ranges: the iterators that visit keys in the order of their bytes.
 *
 * @module
 */
import type { Order } from "./order.ts";
import type { KeyRef } from "../engine/partition.ts";
import { type Stretch, Walk } from "./walk.ts";

/** A range, checked, with its bounds as bytes. */
export interface Bounds extends Stretch {
  /** At most so many. */
  limit: number;
  /** Every key as bytes. */
  asBytes: boolean;
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
