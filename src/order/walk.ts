/**
 * A walk over keys in order, from edge to edge, whatever comes and goes meanwhile.
 *
 * @module
 */
import type { Edge, Order } from "./order.ts";
import type { KeyRef } from "../engine/partition.ts";

/** Which keys to walk over, and in which direction. */
export interface Stretch {
  /** They begin here; absent: at the first key. */
  low: Edge | undefined;
  /** They end here; absent: behind the last key. */
  high: Edge | undefined;
  /** From the last to the first. */
  reverse: boolean;
}

/** Of so many keys at a time the entries and bytes are brought into the processor's cache. */
const AHEAD = 16;

/** A walk under way: within a chunk it counts up or down, and between chunks it looks whether it is at the end. */
export class Walk {
  readonly #order: Order;
  readonly #stretch: Stretch;
  /** The version of the order that the other fields are right for. */
  #version = -1;
  #last: KeyRef | undefined;
  #chunk = 0;
  /** So many keys have been brought into the cache and not been walked over. */
  #left = 0;
  /** Nobody needs it; without it, what computes it could be left out. */
  #touched = 0;
  /** In the present chunk, between these two are the references that are left. */
  #from = 0;
  #to = 0;

  /** A walk that has not begun. */
  constructor(order: Order, stretch: Stretch) {
    this.#order = order;
    this.#stretch = stretch;
  }

  /** The next reference; `undefined` at the end. */
  next(): KeyRef | undefined {
    const { chunks, version } = this.#order;
    if (this.#version !== version) this.#seek();
    while (this.#from === this.#to) {
      const next = this.#chunk + (this.#stretch.reverse ? -1 : 1);
      if (next < 0 || next >= chunks.length) return undefined;
      if (!this.#enter(next, this.#stretch.reverse ? chunks[next]!.length : 0)) return undefined;
    }
    const { refs } = chunks[this.#chunk]!;
    const { reverse } = this.#stretch;
    if (this.#left-- === 0) {
      const from = reverse ? Math.max(this.#from, this.#to - AHEAD) : this.#from;
      this.#touched = this.#order.touch(refs, from, Math.min(this.#to, from + AHEAD));
      this.#left = AHEAD - 1;
    }
    return this.#last = refs[reverse ? --this.#to : this.#from++]!;
  }

  /** Takes the last reference out of the order. */
  remove(): void {
    const order = this.#order;
    if (this.#version !== order.version) return;
    if (!order.remove(this.#chunk, this.#stretch.reverse ? this.#to : this.#from - 1)) return;
    this.#version = order.version;
    if (this.#stretch.reverse) return;
    this.#from--;
    this.#to--;
  }

  /** Finds the place behind the last reference, or the beginning. */
  #seek(): void {
    const order = this.#order;
    const { low, high, reverse } = this.#stretch;
    const last = this.#last === undefined ? undefined : order.index.keyOf(this.#last);
    const edge = last === undefined ? (reverse ? high : low) : { ...last, isBehind: !reverse };
    const end = order.chunks.length - 1;
    this.#version = order.version;
    const [chunk, at] = edge !== undefined
      ? order.find(edge)
      : reverse && end >= 0
      ? [end, order.chunks[end]!.length]
      : [0, 0];
    if (end < 0) this.#chunk = this.#from = this.#to = 0;
    else this.#enter(chunk, at);
  }

  /** Goes on in a chunk, from `at` as far as the stretch goes. False if nothing of it can be there, or further on. */
  #enter(number: number, at: number): boolean {
    const order = this.#order;
    const { low, high, reverse } = this.#stretch;
    const { refs, length } = order.chunks[number]!;
    this.#chunk = number;
    this.#left = 0;
    if (reverse) {
      this.#to = at;
      this.#from = low === undefined || !order.isBefore(refs[0]!, low) ? 0 : Math.min(at, order.findIn(number, low));
    } else {
      this.#from = at;
      this.#to = high === undefined || order.isBefore(refs[length - 1]!, high)
        ? length
        : Math.max(at, order.findIn(number, high));
    }
    return this.#from < this.#to;
  }
}
