/**
 * The limits of Deno KV, with its messages. What the store itself allows is checked by the store.
 *
 * @module
 */
import { sizeOf, type StoredValue } from "./stored.ts";

/** What calls may be given. */
export interface Limits {
  /** Bytes of an encoded key that is written or checked. */
  writeKeyBytes: number;
  /** Bytes of an encoded key that bounds a list. */
  readKeyBytes: number;
  /** Bytes of an encoded value. */
  valueBytes: number;
  /** Keys of one `getMany`. */
  ranges: number;
  /** Entries of a batch of a list. */
  batchSize: number;
  /** Checks of a commit. */
  checks: number;
  /** Mutations of a commit. */
  mutations: number;
  /** Bytes of all keys of a commit that get values. */
  keysBytes: number;
  /** Bytes of a commit: of all keys that it names, and again of those that get values, with these. */
  commitBytes: number;
}

/** The limits of Deno KV. */
export const DENO_LIMITS: Limits = {
  writeKeyBytes: 2048,
  readKeyBytes: 2049,
  valueBytes: 65_536,
  ranges: 10,
  batchSize: 1000,
  checks: 100,
  mutations: 1000,
  keysBytes: 81_920,
  commitBytes: 819_200,
};

/** No limits beside those of the store. */
export const STORE_LIMITS: Limits = Object.fromEntries(
  Object.keys(DENO_LIMITS).map((name) => [name, Infinity]),
) as unknown as Limits;

/** Throws a `TypeError` if there is more of something than its limit. */
function check(what: string, amount: number, limit: number, unit: string = ""): void {
  if (amount > limit) throw new TypeError(`${what} (max ${limit}${unit})`);
}

/** Checks a key that bounds a list. */
export function checkBound(key: Uint8Array, limits: Limits): void {
  check("Key too large for read", key.length, limits.readKeyBytes, " bytes");
}

/** Checks a key that is read: to Deno it is the list that ends with a byte more. */
export function checkReadKey(key: Uint8Array, limits: Limits): void {
  check("Key too large for read", key.length + 1, limits.readKeyBytes, " bytes");
}

/** Checks how many keys are read together. */
export function checkRanges(count: number, limits: Limits): void {
  check("Too many ranges", count, limits.ranges);
}

/** Checks the batch size of a list. */
export function checkBatchSize(size: number, limits: Limits): void {
  check("Too many entries", size, limits.batchSize);
}

/** Adds up what a commit holds, and checks it. */
export class CommitSize {
  readonly #limits: Limits;
  #keysBytes = 0;
  #bytes = 0;

  /** Checks the numbers of checks and mutations. */
  constructor(counts: { checks: number; mutations: number }, limits: Limits) {
    this.#limits = limits;
    check("Too many checks", counts.checks, limits.checks);
    check("Too many mutations", counts.mutations, limits.mutations);
  }

  /** Counts the key of a check or a mutation. */
  addKey(key: Uint8Array): void {
    if (key.length === 0) throw new TypeError("key cannot be empty");
    check("Key too large for write", key.length, this.#limits.writeKeyBytes, " bytes");
    this.#bytes += key.length;
  }

  /** Counts a value, and its key once more. */
  addValue(key: Uint8Array, value: StoredValue): void {
    check("Value too large", sizeOf(value), this.#limits.valueBytes, " bytes");
    this.#keysBytes += key.length;
    this.#bytes += key.length + sizeOf(value);
  }

  /** Checks the sums. */
  finish(): void {
    check("Total mutation size too large", this.#bytes, this.#limits.commitBytes, " bytes");
    check("Total key size too large", this.#keysBytes, this.#limits.keysBytes, " bytes");
  }
}
