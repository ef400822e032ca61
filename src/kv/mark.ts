/**
 * The mark of a store that holds such entries: one key, which no tuple has, as tuples begin with other bytes.
 *
 * @module
 */
import { type KvStore, KvStoreError } from "../../mod.ts";

/** The key of the mark. It sorts after all tuples. */
export const MARK_KEY: Uint8Array = new Uint8Array([0xff]);
/** Its value: the version of the encoding. */
export const MARK: Uint8Array = new Uint8Array([1]);

/** Marks a store that is empty. Throws `FORMAT` for a store of anything else, or of a later version. */
export async function mark(store: KvStore<Uint8Array>): Promise<void> {
  const found = store.get(MARK_KEY);
  if (found === undefined && store.size === 0) return await store.set(MARK_KEY, MARK);
  if (found?.length === 1 && found[0] === MARK[0]) return;
  const { directory } = store.toJSON();
  const reason = found === undefined ? "has keys that openKv has not written" : "was written by a later version";
  throw new KvStoreError("FORMAT", `the store in ${directory} ${reason}`);
}
