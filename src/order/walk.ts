/**
 * A walk over keys in order between two edges. Keys may be added and removed meanwhile.
 *
 * @module
 */
import { type Edge, isBefore } from "../search/keys.ts";
import type { Order } from "./order.ts";
import type { KeyRef } from "../engine/partition.ts";

/** The keys to walk over, and the direction. */
export interface Stretch {
  /** Where the keys begin; `undefined`: at the first key. */
  low: Edge | undefined;
  /** Where the keys end; `undefined`: behind the last key. */
  high: Edge | undefined;
  /** Whether to walk from the last key to the first. */
  reverse: boolean;
}

/** This many references at a time have their entries and keys brought into the processor's cache. */
const PREFETCHED = 16;

/**
 * Brings what will soon be read at references, `from` up to `to`, into the processor's cache. Returns a sum of what it
 * reads, so that the compiler cannot remove the reads.
 */
export type Prefetch = (refs: Uint32Array, from: number, to: number) => number;

/** A walk under way. Within a chunk it only counts; between chunks it checks whether it is at the end. */
export class Walk {
  readonly #order: Order;
  readonly #stretch: Stretch;
  /** The version of the order for which the positions below are valid. */
  #version = -1;
  #last: KeyRef | undefined;
  #chunk = 0;
  /** How many of the next references are in the cache. */
  #prefetched = 0;
  readonly #prefetch: Prefetch | undefined;
  /** Never read. Storing it keeps the compiler from removing the reads of `prefetch`. */
  #prefetchSum = 0;
  /** The references of the present chunk that are still to come lie between these two. */
  #from = 0;
  #to = 0;

  /** A walk that has not started. Without `prefetch`, nothing is brought into the cache. */
  constructor(order: Order, stretch: Stretch, prefetch?: Prefetch) {
    this.#order = order;
    this.#stretch = stretch;
    this.#prefetch = prefetch;
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
    if (this.#prefetched-- === 0) {
      const from = reverse ? Math.max(this.#from, this.#to - PREFETCHED) : this.#from;
      this.#prefetchSum = this.#prefetch!(refs, from, Math.min(this.#to, from + PREFETCHED));
      this.#prefetched = PREFETCHED - 1;
    }
    return this.#last = refs[reverse ? --this.#to : this.#from++]!;
  }

  /** Removes the reference that `next` returned last from the order. */
  remove(): void {
    const order = this.#order;
    if (this.#version !== order.version) return;
    if (!order.remove(this.#chunk, this.#stretch.reverse ? this.#to : this.#from - 1)) return;
    this.#version = order.version;
    if (this.#stretch.reverse) return;
    this.#from--;
    this.#to--;
  }

  /** Finds the position behind the last reference, or the start. */
  #seek(): void {
    const order = this.#order;
    const { low, high, reverse } = this.#stretch;
    const last = this.#last === undefined ? undefined : order.index.keyOf(this.#last);
    const edge = last === undefined ? (reverse ? high : low) : { ...last, isBehind: !reverse };
    this.#version = order.version;
    this.#chunk = this.#from = this.#to = 0;
    if (order.chunks.length === 0) return;
    const number = edge !== undefined ? order.chunkOf(edge) : reverse ? order.chunks.length - 1 : 0;
    const chunk = order.chunks[number]!;
    this.#enter(number, edge !== undefined ? chunk.find(edge) : reverse ? chunk.length : 0);
  }

  /** Enters a chunk at `at`. Returns false if the stretch has nothing more in it, and so nothing in later ones. */
  #enter(number: number, at: number): boolean {
    const order = this.#order;
    const { low, high, reverse } = this.#stretch;
    const chunk = order.chunks[number]!;
    const { length } = chunk;
    this.#chunk = number;
    this.#prefetched = this.#prefetch === undefined ? Infinity : 0;
    if (reverse) {
      this.#to = at;
      this.#from = low === undefined || !isBefore(chunk, 0, low) ? 0 : Math.min(at, chunk.find(low));
    } else {
      this.#from = at;
      this.#to = high === undefined || isBefore(chunk, length - 1, high) ? length : Math.max(at, chunk.find(high));
    }
    return this.#from < this.#to;
  }
}
