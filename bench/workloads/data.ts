/**
 * Keys, values and orders: the same for every engine, from numbers alone, so that nothing has to be kept.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { EngineKind, Payload } from "../engine.ts";

/** Characters of a key. */
export const KEY_BYTES = 16;
/** Different values that there are of each size. */
const VALUES = 4096;
/** The block that small values are views of is not larger than this. */
const MOST_POOL_BYTES = 8 * 1024 * 1024;

/** The next key. What a buffer is decoded to is flat, as keys from a file or a request are. */
const digits = Buffer.alloc(KEY_BYTES);

/** The key of a number: sixteen digits, so that a hundred neighbours share all but two. */
export function keyOf(number: number): string {
  let rest = number;
  for (let i = KEY_BYTES - 1; i >= 0; i--) {
    digits[i] = 0x30 + rest % 10;
    rest = Math.floor(rest / 10);
  }
  return digits.toString("latin1");
}

/** A key that is never set, among the ten neighbours of a number's. */
export function missingKeyOf(number: number): string {
  keyOf(number);
  digits[KEY_BYTES - 1] = "x".charCodeAt(0);
  return digits.toString("latin1");
}

/** The number of a key. */
export function numberOf(key: string): number {
  return Number(key);
}

/** 32 bits that look random. */
export function mix(number: number): number {
  let bits = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** Numbers of keys in a sequence. */
export interface Numbers {
  /** How many. */
  readonly count: number;
  /** The number in a place. */
  at(place: number): number;
}

/** The same numbers in another sequence. */
export function shuffled(numbers: Numbers, seed: number): Numbers {
  const order = new Order(numbers.count, seed);
  return { count: numbers.count, at: (place) => numbers.at(order.at(place)) };
}

/** The numbers below `count`, each once, in an order that looks random. */
export class Order implements Numbers {
  /** How many. */
  readonly count: number;
  readonly #halfBits: number;
  readonly #seed: number;

  /** Another seed, another order. */
  constructor(count: number, seed: number) {
    this.count = count;
    this.#seed = mix(seed + 1);
    this.#halfBits = Math.max(1, Math.ceil(Math.log2(Math.max(2, count)) / 2));
  }

  /** The number in a place. */
  at(place: number): number {
    // a Feistel network permutes the next power of four; what falls behind the end is permuted again
    let number = place;
    do number = this.#permute(number); while (number >= this.count);
    return number;
  }

  #permute(number: number): number {
    const mask = (1 << this.#halfBits) - 1;
    let left = number >>> this.#halfBits;
    let right = number & mask;
    for (let round = 0; round < 4; round++) {
      const next = left ^ (mix(right + this.#seed + round * 0x9e3779b9) & mask);
      left = right;
      right = next;
    }
    return left * (mask + 1) + right;
  }
}

/** The values of all keys. They are random, so that compressing them wins nothing. */
export class Values {
  /** Bytes of each. */
  readonly bytes: number;
  readonly #pool: Payload[];

  /** Values as the engine takes them. */
  constructor(bytes: number, payload: "bytes" | "string", kind: EngineKind) {
    this.bytes = bytes;
    const count = Math.max(8, Math.min(VALUES, Math.floor(MOST_POOL_BYTES / bytes)));
    this.#pool = Array.from({ length: count }, (_, i) => {
      if (payload === "string" || kind.payload === "string") return textOf(bytes, i);
      const value = bytesOf(bytes, i);
      return kind.buffers === true ? Buffer.from(value.buffer, value.byteOffset, bytes) : value;
    });
  }

  /** The value of a key in a version. */
  of(number: number, version: number): Payload {
    return this.#pool[mix(number * 4 + version) % this.#pool.length]!;
  }

  /** Whether a key's value is what it should be. */
  isRight(number: number, version: number, found: Payload | undefined | null): boolean {
    const wanted = this.of(number, version);
    if (found === undefined || found === null || found.length !== wanted.length) return false;
    if (typeof wanted === "string" || typeof found === "string") return wanted === found;
    return wanted.every((byte, i) => byte === found[i]);
  }
}

function bytesOf(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4)).map((_, i) => mix(i + Math.imul(seed + 1, 0x9e3779b9)));
  return new Uint8Array(words.buffer, 0, length);
}

function textOf(length: number, seed: number): string {
  const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  const pieces = Array.from(bytesOf(length, seed), (byte) => letters[byte & 63]!);
  // what `join` returns is flat, as text from a request or a file is
  return pieces.join("");
}
