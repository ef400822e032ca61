/**
 * Deleting many keys at once.
 *
 * @module
 */
import type { Key, KvStore, Value } from "../../mod.ts";

/** Keys in one batch. Even keys of the greatest length fit. */
const KEYS_AT_ONCE = 1000;

/**
 * Deletes keys. The store has all deletes when this call returns its promise, so a later write of a key stays. They may
 * take several batches; a crash may keep the first ones only.
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
