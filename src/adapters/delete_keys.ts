/**
 * Deleting many keys.
 *
 * @module
 */
import type { Key, KvStore, Value } from "../../mod.ts";

/** So many keys go into a batch: of the greatest length, no more would fit. */
const KEYS_AT_ONCE = 1000;

/**
 * Deletes keys. All of them are handed to the store within this call, so that a write that comes after it is not deleted;
 * but it may be several batches, of which a crash keeps the first ones.
 */
export async function deleteKeys<V extends Value>(store: KvStore<V>, keys: Iterable<Key>): Promise<void> {
  const list = [...keys];
  const batches: Promise<void>[] = [];
  for (let start = 0; start < list.length; start += KEYS_AT_ONCE) {
    const part = list.slice(start, start + KEYS_AT_ONCE);
    batches.push(store.batch(part.map((key) => ({ type: "delete", key }))));
  }
  await Promise.all(batches);
}
