/**
 * What Level's calls and options mean for the store.
 *
 * @module
 */
import { KvStore, KvStoreError, type OpenOptions, type WriteOptions } from "../../mod.ts";
import { deleteKeys } from "./delete_keys.ts";
import type { Data } from "./level_format.ts";
import { rangeOf, type RangeOptions, readerOf } from "./level_iterator.ts";

/** An option that LevelDB has for every write. */
export interface SyncOption {
  /** `true`: done once it would survive a power cut; `false`: the death of the process. Default: as the database. */
  sync?: boolean | undefined;
}

/** Deletes the keys of a range, with one record if it is everything. */
export async function clear(store: KvStore<Data>, options: RangeOptions): Promise<void> {
  const { limit } = options;
  const range = rangeOf(options);
  const reader = readerOf(store, options);
  const isEverything = [range.gt, range.gte, range.lt, range.lte].every((bound) => bound === undefined);
  if (isEverything && limit === -1 && reader === store) return await store.clear();
  await deleteKeys(store, reader.keys(limit === -1 ? range : { ...range, limit }));
}

/** A path, or a `TypeError`. */
export function checkedLocation(location: unknown): string {
  if (typeof location === "string" && location !== "") return location;
  throw new TypeError("a location is the path of a directory");
}

/** Whether there is a store; looking does not change it, nor needs its lock. */
export async function isThere(directory: string): Promise<boolean> {
  try {
    await (await KvStore.open(directory, { readOnly: true })).close();
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Whether an error says that there is no store. */
export function isNotFound(error: unknown): boolean {
  return KvStoreError.is(error) && error.code === "NOT_FOUND";
}

/** What of the options is the store's: Level's own are known to it, and other people's are none of its business. */
export function storeOptions(options: OpenOptions & { createIfMissing: boolean }): OpenOptions {
  const names = ["readOnly", "durability", "segmentBytes", "cacheBytes", "compaction", "recovery", "onError"] as const;
  const given = names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]);
  return { ...Object.fromEntries(given), create: options.createIfMissing };
}

/** The durability that a write asks for. */
export function durabilityOf({ sync }: SyncOption): WriteOptions {
  return sync === undefined ? {} : { durability: sync ? "sync" : "write" };
}
