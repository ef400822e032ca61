/**
 * Decides which order of keys a range walks over. The order of all keys is made in the background, while a pass over
 * all keys answers each of the first ranges.
 *
 * @module
 */
import type { ReadIndex } from "../engine/index.ts";
import { Order, orderIn, orderOf } from "./order.ts";
import { select, type Selection } from "./select.ts";
import type { Platform, Timer } from "../platform/types.ts";

/** Sorting this many keys takes about 10 ms, so it is done at once. */
const FEW_KEYS = 16_384;
/** This many passes take as long as sorting all keys. The next range does not wait for the background. */
const MAX_PASSES = 8;
/** Entries examined in a step, which takes some 3 ms. */
const STEP_KEYS = 1000;
const PAUSE_MS = 1;

/** Makes the orders of the keys of one store. */
export class Ordering {
  readonly #platform: Platform;
  #passes = 0;
  #pause: Timer | undefined;

  /** Makes no order before the first range. */
  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** The order for a range: that of all keys of the index, or one of the selected keys. */
  of(index: ReadIndex, selection: Selection): Order {
    const { low, high, limit } = selection;
    const isOfAll = low === undefined && high === undefined && limit > index.size / 2;
    if (orderIn(index)?.isWhole || isOfAll || index.size <= FEW_KEYS || this.#passes === MAX_PASSES) {
      this.#passes = 0;
      return orderOf(index);
    }
    this.#passes++;
    const order = select(index, selection);
    if (order.length > index.size / 2) return orderOf(index);
    if (index.order === undefined) this.#grow(new Order(index, new Uint32Array(0)).attach(false));
    return order;
  }

  /** Ends work in the background. */
  stop(): void {
    this.#pause?.stop();
  }

  #grow(order: Order): void {
    this.#pause?.stop();
    this.#pause = this.#platform.startTimer(PAUSE_MS, () => {
      // It may have been replaced by an order that was made at once.
      if (order.index.order !== order) return;
      order.grow(STEP_KEYS);
      if (!order.isWhole) this.#grow(order);
    });
  }
}
