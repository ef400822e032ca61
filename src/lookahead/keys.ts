/**
 * Looking ahead in keys that are read at once.
 *
 * The slot, the entry and the record of a key are found one by the other, and in a large store each of them waits for
 * memory. Those of different keys do not depend on each other: the processor can wait for many at the same time.
 *
 * @module
 */
import { ENTRY_FIELDS, refOf } from "../engine/partition.ts";
import { hashKey } from "../hash.ts";
import type { Key } from "../types.ts";
import type { OpenStore } from "../store/open_store.ts";
import { MIN_TABLE_KEYS } from "./records.ts";

/** How many keys are looked up at a time. */
export const KEYS_AHEAD = 16;
const hashes = new Uint32Array(KEYS_AHEAD);
const refs = new Uint32Array(KEYS_AHEAD);

/**
 * Brings what reading `KEYS_AHEAD` keys from `from` on will need into the processor's cache, as far as it is in memory.
 * Each loop does little else, so that the processor gets ahead in it. Returns a sum of what it reads, so that the
 * compiler cannot remove the reads. Throws as `EncodedKey.encode` does.
 */
export function lookAhead(engine: OpenStore, keys: readonly Key[], from: number): number {
  const { index } = engine;
  const count = Math.min(KEYS_AHEAD, keys.length - from);
  for (let i = 0; i < count; i++) {
    const { bytes, start, length } = engine.key.encode(keys[from + i]!);
    hashes[i] = hashKey(bytes, start, length, index.seed);
    // In a small store, to look up twice what is in the cache costs a tenth of a `getMany`.
    if (i === 0 && (index.loaded(hashes[0]! >>> 24)?.count ?? 0) < MIN_TABLE_KEYS) return 0;
  }
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const slots = index.loaded(hashes[i]! >>> 24)?.slots;
    if (slots !== undefined) sum += slots[hashes[i]! & (slots.length - 1)]!;
  }
  let found = 0;
  for (let i = 0; i < count; i++) {
    const number = hashes[i]! >>> 24;
    const partition = index.loaded(number);
    const id = partition?.guess(hashes[i]!) ?? -1;
    if (id < 0) continue;
    sum += partition!.entries[id * ENTRY_FIELDS]!;
    refs[found++] = refOf(number, id);
  }
  return sum + engine.prefetch(index, refs, { from: 0, to: found, isWhole: false });
}
