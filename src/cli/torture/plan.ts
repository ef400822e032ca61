/**
 * The writes of `torture`. They follow from a seed, so the writing process and the checking one know them both.
 *
 * @module
 */

import type { BatchOperation, Durability, Key, KvStore, OpenOptions, Value } from "../../../mod.ts";
import { keyForm, valueForm } from "../text/notation.ts";

/** A write: it changes the contents of a store. */
export type Write =
  | BatchOperation
  | { type: "batch"; operations: BatchOperation[] }
  | { type: "clear" };

/** A step of the writing process: a write, and what it does around it. */
export interface Step {
  write: Write;
  durability: Durability;
  /** Whether to begin a compaction first, if none runs. */
  compacts: boolean;
  /** Whether to wait for the acknowledgement. */
  waits: boolean;
  /** How long to pause after it. */
  pauseMs: number;
}

/** Contents of a store: keys and values, both as JSON text. */
export type Contents = Map<string, string>;

/** A pseudo-random generator with a seed of 32 bits (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Returns a number from 0 to below 1. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns a whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  /** Returns an element of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** The steps that follow from a seed. */
export class Plan {
  readonly #dice: Dice;
  readonly #keys: number;
  readonly #longest: number;
  readonly #clears: boolean;
  readonly #durabilities: readonly Durability[];
  #count = 0;

  constructor(seed: number) {
    this.#dice = new Dice(seed);
    this.#keys = this.#dice.pick([10, 60, 400, 3000]);
    this.#durabilities = this.#dice.pick<readonly Durability[]>([["sync"], ["write"], ["sync", "write"]]);
    this.#clears = this.#dice.below(4) === 0;
    this.#longest = this.#dice.pick([40, 400, 2000]);
  }

  next(): Step {
    const dice = this.#dice;
    this.#count++;
    return {
      write: this.#write(),
      durability: dice.pick(this.#durabilities),
      compacts: dice.below(40) === 0,
      waits: dice.below(3) === 0,
      pauseMs: dice.below(30) === 0 ? dice.below(4) : 0,
    };
  }

  #write(): Write {
    const kind = this.#dice.below(1000);
    if (kind < 5 && this.#clears) return { type: "clear" };
    if (kind < 200) {
      const length = this.#dice.below(20) === 0 ? 150 : 1 + this.#dice.below(12);
      return { type: "batch", operations: Array.from({ length }, () => this.#operation()) };
    }
    return this.#operation();
  }

  #operation(): BatchOperation {
    const key = this.#key();
    return this.#dice.below(4) === 0 ? { type: "delete", key } : { type: "set", key, value: this.#value() };
  }

  #key(): Key {
    const number = this.#dice.below(this.#keys);
    return number % 5 === 4 ? new Uint8Array([255, number & 255, number >> 8]) : `key ${number}`;
  }

  /** Makes a value of any kind that no other step has. A few are longer than a segment. */
  #value(): Value {
    const dice = this.#dice;
    const kind = dice.below(3);
    const length = dice.below(dice.below(100) === 0 ? 20_000 : this.#longest);
    if (kind === 0) return `${this.#count}:${"text ".repeat(length / 5)}`;
    if (kind === 1) return { count: this.#count, list: [length, null, "x".repeat(length)] };
    return Uint8Array.from({ length: length + 4 }, (_, i) => (this.#count >> (i % 4 * 8)) ^ i);
  }
}

/**
 * Returns the options with which the writing process opens the store. Small segments make it rotate and compact often.
 */
export function openOptionsOf(seed: number): OpenOptions {
  const dice = new Dice(~seed);
  const segmentBytes = dice.pick([4096, 8192, 32_768]);
  return { segmentBytes, compaction: { auto: dice.below(4) > 0, staleRatio: 0.3, minStaleBytes: segmentBytes } };
}

/** Applies a write to a store. */
export async function applyTo(store: KvStore, write: Write, durability: Durability): Promise<void> {
  if (write.type === "set") await store.set(write.key, write.value, { durability });
  else if (write.type === "delete") await store.delete(write.key, { durability });
  else if (write.type === "batch") await store.batch(write.operations, { durability });
  else await store.clear();
}

/** Returns the contents of a store. This reads, and so checks, every record. */
export function contentsOf(store: KvStore): Contents {
  const contents: Contents = new Map();
  for (const [key, value] of store.entries()) {
    contents.set(JSON.stringify(keyForm(key)), JSON.stringify(valueForm(value)));
  }
  return contents;
}

/** Applies a write to contents. Returns the keys that it affects. */
export function applyToContents(contents: Contents, write: Write): string[] {
  if (write.type === "clear") {
    const keys = [...contents.keys()];
    contents.clear();
    return keys;
  }
  const operations = write.type === "batch" ? write.operations : [write];
  return operations.map((operation) => {
    const key = JSON.stringify(keyForm(operation.key));
    if (operation.type === "delete") contents.delete(key);
    else contents.set(key, JSON.stringify(valueForm(operation.value)));
    return key;
  });
}
