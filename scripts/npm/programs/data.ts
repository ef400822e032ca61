/**
 * What the processes of the packaging tests write: operations that follow from a seed, what a store must hold after
 * them, and one line of text that stands for all of a store's contents.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { BatchOperation, Key, Value } from "../../../mod.ts";
import { Random } from "../../../tests/support/random.ts";

const KEYS = 150;

/**
 * Texts that are easy to get wrong: byte order marks, halves of surrogate pairs, order beyond U+FFFF, control
 * characters.
 */
const TEXTS = ["", "\uFEFFtext", "lone \uD800", "\u{10000}", "\uFFFF", "\0\n\x1b", "Zürich 東京", "x".repeat(700)];

/** Operations on a few keys, so that many are overwritten and deleted; the same for the same seed. */
export function operations(seed: number, count: number): BatchOperation[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const key = keyOf(random.below(KEYS));
    if (random.chance(0.2)) return { type: "delete", key };
    return { type: "set", key, value: valueOf(random) };
  });
}

/** One key in three is bytes that are no UTF-8. */
function keyOf(number: number): Key {
  if (number % 3 === 0) return Uint8Array.of(0xff, number, 0, 0xc0);
  return number % 3 === 1 ? `key ${number}` : `\u{10000}${number}\uFFFF`;
}

function valueOf(random: Random): Value {
  switch (random.below(4)) {
    case 0:
      return random.bytes(random.below(300));
    case 1:
      return random.pick(TEXTS);
    case 2:
      return { a: [random.below(1000), null, true, -0.5], "\uFEFF": random.pick(TEXTS) };
    default:
      return random.below(2 ** 32) / 7;
  }
}

/** What a store must hold. */
export class Model {
  readonly #entries = new Map<string, [Key, Value]>();

  /** Takes operations in, in their order. */
  apply(list: BatchOperation[]): void {
    for (const operation of list) {
      const name = bytesOf(operation.key).toString("hex");
      if (operation.type === "delete") this.#entries.delete(name);
      else this.#entries.set(name, [operation.key, operation.value]);
    }
  }

  /** Deletes everything. */
  clear(): void {
    this.#entries.clear();
  }

  /** What `digest` says of a store with these contents. */
  digest(): string {
    const names = [...this.#entries.keys()].sort();
    return digest(names.map((name) => this.#entries.get(name)!));
  }
}

/** Number of entries and a hash over all keys and values, their forms, and their order. */
export function digest(entries: Iterable<[Key, Value]>): string {
  const hash = createHash("sha256");
  let count = 0;
  for (const [key, value] of entries) {
    hash.update(`${text(key)}\t${text(value)}\n`);
    count++;
  }
  return `${count} ${hash.digest("hex")}`;
}

function text(of: Value): string {
  return of instanceof Uint8Array ? `bytes ${bytesOf(of).toString("base64")}` : JSON.stringify(of);
}

function bytesOf(key: Key): Buffer {
  return typeof key === "string" ? Buffer.from(key) : Buffer.from(key.buffer, key.byteOffset, key.byteLength);
}
