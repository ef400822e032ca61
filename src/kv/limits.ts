/**
 * The limits of Deno KV. What the store itself allows is checked by the store.
 *
 * @module
 */

/** What calls may be given; without limit where there is none. */
export type Limits = Partial<typeof DENO_LIMITS>;

/** The limits of Deno KV. */
export const DENO_LIMITS = {
  /** Bytes of an encoded key that is written or checked. */
  writeKeyBytes: 2048,
  /** Bytes of an encoded key that bounds a list. */
  readKeyBytes: 2049,
  /** Bytes of an encoded value. */
  valueBytes: 65_536,
  /** Keys of one `getMany`, and of one `watch`. */
  ranges: 10,
  /** Entries of a batch of a list. */
  batchSize: 1000,
  /** Checks of a commit. */
  checks: 100,
  /** Mutations of a commit. */
  mutations: 1000,
  /** Bytes of all keys of a commit that get values. */
  keysBytes: 81_920,
  /** Bytes of a commit: of all keys that it names, and again of those that get values, with these. */
  commitBytes: 819_200,
};

/** Throws the `TypeError` of Deno if there is more of something than its limit. */
export function check(what: string, amount: number, limit: number = Infinity, unit: string = ""): void {
  if (amount > limit) throw new TypeError(`${what} (max ${limit}${unit})`);
}
