/**
 * A walk over keys in order between two edges. Keys may be added and removed meanwhile.
 *
 * @module
 */
import { bisect, type Edge, isBefore } from "../search/keys.ts";
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

/**
 * A walk takes this many references at a time. Only then it looks whether they are before the end of the stretch, and
 * has their entries and keys brought into the processor's cache.
 */
const TAKEN = 16;

/**
 * Brings what will soon be read at references, `from` up to `to`, into the processor's cache. Returns a sum of what it
 * reads, so that the compiler cannot remove the reads.
 */
export type Prefetch = (refs: Uint32Array, from: number, to: number) => number;

/** A walk under way. */
export class Walk {
  readonly #order: Order;
  readonly #stretch: Stretch;
  /** The version of the order for which the positions below are valid. */
  #version = -1;
  #last: KeyRef | undefined;
  #chunk = 0;
  readonly #prefetch: Prefetch | undefined;
  /** Never read. Storing it keeps the compiler from removing the reads of `prefetch`. */
  #prefetchSum = 0;
  /** The references that it has taken from the present chunk and that are still to come lie between these two. */
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
    while (this.#from === this.#to) if (!this.#takeMore()) return undefined;
    const { refs } = chunks[this.#chunk]!;
    return this.#last = refs[this.#stretch.reverse ? --this.#to : this.#from++]!;
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
    this.#take(number, edge !== undefined ? chunk.find(edge) : reverse ? chunk.length : 0);
  }

  /** Takes more references: the next ones of the chunk, or of the next chunk. False if there are none. */
  #takeMore(): boolean {
    const { chunks } = this.#order;
    const { reverse } = this.#stretch;
    const length = chunks[this.#chunk]?.length ?? 0;
    if (reverse ? this.#from > 0 : this.#to < length) return this.#take(this.#chunk, reverse ? this.#from : this.#to);
    const next = this.#chunk + (reverse ? -1 : 1);
    if (next < 0 || next >= chunks.length) return false;
    return this.#take(next, reverse ? chunks[next]!.length : 0);
  }

  /** Takes references of a chunk from `at` on. False if none of them is within the stretch, and so none after them. */
  #take(number: number, at: number): boolean {
    const chunk = this.#order.chunks[number]!;
    const { low, high, reverse } = this.#stretch;
    let from = reverse ? Math.max(0, at - TAKEN) : at;
    let to = reverse ? at : Math.min(chunk.length, at + TAKEN);
    if (from < to) {
      if (reverse && low !== undefined && isBefore(chunk, from, low)) from = bisect(chunk, low, from, to);
      if (!reverse && high !== undefined && !isBefore(chunk, to - 1, high)) to = bisect(chunk, high, from, to);
    }
    this.#chunk = number;
    this.#from = from;
    this.#to = to;
    if (from < to && this.#prefetch !== undefined) this.#prefetchSum = this.#prefetch(chunk.refs, from, to);
    return from < to;
  }
}
