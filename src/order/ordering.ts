/**
 * Which order of keys a range walks over, and the making of that of all keys: in the background where a pass over them
 * answers the first ranges.
 *
 * @module
 */
import type { ReadIndex } from "../engine/index.ts";
import { Order, orderIn, orderOf } from "./order.ts";
import { select, type Selection } from "./select.ts";
import type { Platform, Timer } from "../platform/types.ts";

/** So many keys are sorted in 10 ms or little more: there is no need to do it in steps. */
const FEW_KEYS = 16_384;
/** So many passes take no longer than sorting all keys: who asks more often does not wait for the background. */
const MAX_PASSES = 8;
/** Keys that are taken in at once: some 3 ms. */
const STEP_KEYS = 1000;
const PAUSE_MS = 1;

/** Makes the orders of one store's keys. */
export class Ordering {
  readonly #platform: Platform;
  #passes = 0;
  #pause: Timer | undefined;

  /** Nothing is made before somebody asks. */
  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** The order for a range: of all keys of an index, or of what the range comes to. */
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

  /** Ends what goes on in the background. */
  stop(): void {
    this.#pause?.stop();
  }

  #grow(order: Order): void {
    this.#pause?.stop();
    this.#pause = this.#platform.startTimer(PAUSE_MS, () => {
      // Another one may stand in its place, made at once.
      if (order.index.order !== order) return;
      order.grow(STEP_KEYS);
      if (!order.isWhole) this.#grow(order);
    });
  }
}
