/**
 * Decides which order of keys a range walks over. The order of all keys is loaded or made in the background. Meanwhile
 * each range gets an order of its own: an excerpt of the saved order, or the result of a pass over all keys.
 *
 * @module
 */
import type { ReadIndex } from "../engine/index.ts";
import { ImageIndex } from "../lazy_index/image_index.ts";
import { Order, orderIn } from "../order/order.ts";
import { orderOf } from "../sorting/sort.ts";
import { select, type Selection } from "../sorting/select.ts";
import { finishNow } from "../platform/turn.ts";
import type { Platform, Timer } from "../platform/types.ts";
import { excerpt } from "../saved_order/excerpt.ts";
import { loadOrder } from "../saved_order/load.ts";
import { mergeOrder } from "./merge.ts";

/** Sorting this many keys takes about 10 ms, so it is done at once. */
const FEW_KEYS = 16_384;
/** This many passes take as long as sorting all keys. The next range does not wait for the background. */
const MAX_PASSES = 8;
/** What an excerpt of the saved order counts as: loading the order takes as long as some sixty of them. */
const EXCERPT_PASSES = 1 / 8;
/** Entries examined in a step. At a million keys, the longest pause of the event loop was 10 to 22 ms (Deno). */
const STEP_KEYS = 1024;
/** Keys added one by one in a step. */
const ADDED_KEYS = 200;
const PAUSE_MS = 1;

/** Makes the orders of the keys of one store. */
export class Ordering {
  /** Whether the image on disk has the order of the keys. */
  isSaved: boolean;
  readonly #platform: Platform;
  #passes = 0;
  #pause: Timer | undefined;
  /** The index whose order is being made in the background. */
  #making: ReadIndex | undefined;

  /** Makes no order before the first range. */
  constructor(platform: Platform, index: ReadIndex) {
    this.#platform = platform;
    this.isSaved = index instanceof ImageIndex && index.saved !== undefined;
  }

  /** Whether an image is due because it would save sorting. */
  isDue(index: ReadIndex): boolean {
    return !this.isSaved && index.size > FEW_KEYS && orderIn(index)?.isWhole === true;
  }

  /** Whether a new image would lose the order that the one on the disk has, as it is not in memory. */
  wouldBeLost(index: ReadIndex): boolean {
    return this.isSaved && orderIn(index)?.isWhole !== true;
  }

  /** The order for a range: that of all keys of the index, or one of the selected keys. */
  of(index: ReadIndex, selection: Selection): Order {
    const { low, high, limit } = selection;
    const isOfAll = low === undefined && high === undefined && limit > index.size / 2;
    if (orderIn(index)?.isWhole || isOfAll || this.#passes >= MAX_PASSES) return this.#now(index);
    const short = this.#excerpt(index, selection);
    if (short === undefined && index.size <= FEW_KEYS) return this.#now(index);
    this.#passes += short === undefined ? 1 : EXCERPT_PASSES;
    const order = short ?? select(index, selection);
    if (order.length > index.size / 2) return this.#now(index);
    this.#begin(index);
    return order;
  }

  /** Ends work in the background. */
  stop(): void {
    this.#pause?.stop();
  }

  /** The order of all keys, loaded or made at once if there is no whole one. */
  #now(index: ReadIndex): Order {
    this.#passes = 0;
    if (orderIn(index) === undefined) finishNow(this.#load(index));
    const order = orderIn(index);
    if (order?.isLoaded) order.grow(Infinity);
    return orderOf(index);
  }

  #excerpt(index: ReadIndex, selection: Selection): Order | undefined {
    if (!(index instanceof ImageIndex)) return undefined;
    try {
      return excerpt(index, selection);
    } catch {
      return this.#refuse(index);
    }
  }

  /** Gives up a saved order, whatever is wrong with it: it can be made anew, and the image with it. */
  #refuse(index: ImageIndex): undefined {
    this.isSaved = false;
    index.giveUpSaved();
  }

  /** Loads the saved order of an index, if it has one that is right. `Order.grow` has to complete it. */
  *#load(index: ReadIndex): Generator<number, void> {
    if (!(index instanceof ImageIndex) || index.saved === undefined) return;
    const { saved } = index;
    try {
      const { order, known } = yield* loadOrder(index, saved);
      if (index.order === undefined) order.attach(known);
      index.giveUpSaved();
    } catch {
      // Where the saved order was given up meanwhile, nothing is wrong with it.
      if (index.saved === saved) this.#refuse(index);
    }
  }

  /** Loads or makes the order of an index. Yields how many keys each step has examined. */
  *#make(index: ReadIndex): Generator<number, void> {
    yield* this.#load(index);
    if (index.order === undefined) {
      const made = yield* mergeOrder(index);
      // Adding key by key always ends, whatever else is written meanwhile.
      if (made === undefined) new Order(index, new Uint32Array(0)).attach([]);
      else made.order.attach(made.known);
    }
    for (let order = orderIn(index); order?.isWhole === false; order = orderIn(index)) {
      order.grow(ADDED_KEYS);
      yield STEP_KEYS;
    }
  }

  /** Makes the order of an index in the background, in place of that of another one. */
  #begin(index: ReadIndex): void {
    if (this.#making === index) return;
    this.#making = index;
    this.#continue(index, this.#make(index));
  }

  #continue(index: ReadIndex, work: Generator<number, void>): void {
    this.#pause?.stop();
    this.#pause = this.#platform.startTimer(PAUSE_MS, () => {
      if (this.#step(index, work)) this.#continue(index, work);
      else this.#making = undefined;
    });
  }

  /** Takes a step in the background. False if it was the last one. */
  #step(index: ReadIndex, work: Generator<number, void>): boolean {
    try {
      for (let keys = 0; keys < STEP_KEYS;) {
        // It may have got an order that was made at once.
        if (orderIn(index)?.isWhole) return false;
        const step = work.next();
        if (step.done) return false;
        keys += step.value;
      }
      return true;
    } catch {
      // A table can be read neither from the image nor from the log. Ranges will say so.
      return false;
    }
  }
}
