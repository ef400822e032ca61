/**
 * Opening a store as Level opens a database.
 *
 * @module
 */
import { KvStore, KvStoreError, type OpenOptions } from "../../mod.ts";
import { levelError } from "./level_errors.ts";
import type { Data } from "./level_format.ts";
import { openOptionsIn } from "./open_options.ts";

/** Options of opening, as `abstract-level` passes them on. */
export interface LevelOpenOptions extends OpenOptions {
  /** Whether to create a store where there is none. */
  createIfMissing: boolean;
  /** Whether to fail where there is one. */
  errorIfExists: boolean;
}

/** Opens the store at a location. Fails with Level's code if `createIfMissing` or `errorIfExists` forbids it. */
export async function openLevelStore(location: string, options: LevelOpenOptions): Promise<KvStore<Data>> {
  if (options.errorIfExists && await exists(location)) {
    throw levelError("LEVEL_DATABASE_NOT_OPEN", `a store exists in ${location}, and errorIfExists is true`);
  }
  const create = options.createIfMissing;
  return await KvStore.open<Data>(location, { ...openOptionsIn(options), create }).catch((error) => {
    if (!isNotFound(error)) throw error;
    const reason = "does not exist, and createIfMissing is false";
    throw levelError("LEVEL_DATABASE_NOT_OPEN", `the store in ${location} ${reason}`, error);
  });
}

/** Whether a directory holds a store. Changes nothing and needs no lock. */
async function exists(directory: string): Promise<boolean> {
  try {
    await (await KvStore.open(directory, { readOnly: true })).close();
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

function isNotFound(error: unknown): boolean {
  return KvStoreError.is(error) && error.code === "NOT_FOUND";
}
