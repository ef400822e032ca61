/**
 * Where and what a read of Level is about: its snapshot and its range.
 *
 * @module
 */
import { AbstractSnapshot } from "abstract-level";
import type { KvStore, Range, Reader, Snapshot } from "../../mod.ts";
import { deleteKeys } from "./delete_keys.ts";
import { paced } from "./event_loop.ts";
import { withLevelErrors } from "./level_errors.ts";
import type { Data, Format } from "./level_format.ts";

/** Options of a read, as `abstract-level` passes them on. */
export interface ReadOptions {
  /** The snapshot to read. Default: the present state. */
  snapshot?: KvLevelSnapshot;
  /** The format of keys, given and returned. */
  keyEncoding: Format;
  /** The format of returned values. */
  valueEncoding: Format;
}

/** Options of a read of a range of keys. */
export interface RangeOptions extends ReadOptions {
  /** Only keys greater than this one. Ignored if `gte` is given. */
  gt?: Data;
  /** Only keys greater than or equal to this one. */
  gte?: Data;
  /** Only keys less than this one. Ignored if `lte` is given. */
  lt?: Data;
  /** Only keys less than or equal to this one. */
  lte?: Data;
  /** Whether to read from the last key to the first. */
  reverse: boolean;
  /** The most entries to read; -1 for all. */
  limit: number;
}

/** Converts bounds, direction and limit to a range of the store. */
export function rangeOf({ gt, gte, lt, lte, reverse, limit, keyEncoding }: RangeOptions): Range {
  return {
    ...(gte !== undefined ? { gte } : gt !== undefined ? { gt } : {}),
    ...(lte !== undefined ? { lte } : lt !== undefined ? { lt } : {}),
    ...(keyEncoding !== "utf8" ? { keys: "bytes" } : {}),
    ...(limit === -1 ? {} : { limit }),
    reverse,
  };
}

/** Returns what to read from: the given snapshot, or the store. */
export function readerOf(store: KvStore<Data>, { snapshot }: ReadOptions): Reader<Data> {
  return snapshot === undefined || snapshot === null ? store : snapshot.snapshot;
}

/** Deletes the keys of a range. Everything is deleted with one record. */
export async function clear(store: KvStore<Data>, options: RangeOptions): Promise<void> {
  const range = rangeOf(options);
  const reader = readerOf(store, options);
  const isEverything = [range.gt, range.gte, range.lt, range.lte].every((bound) => bound === undefined);
  if (isEverything && range.limit === undefined && reader === store) return await store.clear();
  await deleteKeys(store, reader.keys(range));
}

/** A snapshot of the store, which Level passes to reads and closes. */
export class KvLevelSnapshot extends AbstractSnapshot {
  /** The store's own snapshot. */
  readonly snapshot: Snapshot<Data>;

  /** Takes a snapshot for a database. Level closes it when it closes the database. */
  constructor(store: KvStore<Data>, options: { owner: object }) {
    // The declarations do not know the constructor's parameter.
    super(...([options] as unknown as []));
    this.snapshot = withLevelErrors(() => store.snapshot());
  }

  /** Closes the store's snapshot. Called by `abstract-level` when the last read of it has ended. */
  async _close(): Promise<void> {
    this.snapshot.close();
    await paced(() => {});
  }
}
