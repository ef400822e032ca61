/**
 * Numbers that look random and follow from a seed, so that a test that failed can be run again.
 *
 * @module
 */

/** A generator (sfc32 by Chris Doty-Humphrey): small, fast, and good enough to shuffle tests. */
export class Random {
  #a = 0;
  #b = 0;
  #c: number;
  #counter = 1;

  /** The same numbers for the same seed. */
  constructor(seed: number) {
    this.#c = seed | 0;
    this.#a = Math.floor(seed / 2 ** 32) | 0;
    for (let i = 0; i < 12; i++) this.#next();
  }

  /** A number from 0 on, below 1. */
  fraction(): number {
    return this.#next() / 2 ** 32;
  }

  /** A whole number from 0 on, below `limit`. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  /** A whole number, both bounds included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with that probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** Bytes. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i += 4) {
      let word = this.#next();
      for (let j = i; j < Math.min(i + 4, length); j++, word >>>= 8) bytes[j] = word & 0xff;
    }
    return bytes;
  }

  #next(): number {
    const result = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + result | 0;
    return result >>> 0;
  }
}
