/**
 * The store of a shell, which stays open from one line to the next.
 *
 * @module
 */

import { type KvStore, KvStoreError } from "../../../mod.ts";
import type { Context } from "./definition.ts";
import { type Access, openStore } from "./open_store.ts";

/**
 * Opens the store when a line needs it, and with what that line needs. So a shell in which one only reads never locks
 * an application out; from the first line that writes on it has the lock.
 */
export class Session {
  #store: KvStore | undefined;
  #isWritable = false;

  /** Runs `action` on the store. After a failure of the store the next line opens it anew. */
  async use<T>(context: Context, access: Access, action: (store: KvStore) => Promise<T> | T): Promise<T> {
    const store = await this.#open(context, access);
    try {
      return await action(store);
    } catch (error) {
      // The error of the line is the one to report.
      if (error instanceof KvStoreError) await this.release().catch(() => {});
      throw error;
    }
  }

  /** Closes the store. */
  async release(): Promise<void> {
    const store = this.#store;
    this.#store = undefined;
    await store?.close();
  }

  async #open(context: Context, access: Access): Promise<KvStore> {
    const present = this.#store;
    if (present !== undefined && (this.#isWritable || (access === "read" && await isUpToDate(present)))) {
      return present;
    }
    await this.release();
    this.#isWritable = access !== "read";
    return this.#store = await openStore(context, access);
  }
}

/** Brings a reader up to date. False if it cannot be: another store may be in its place. */
async function isUpToDate(reader: KvStore): Promise<boolean> {
  try {
    await reader.refresh();
    return true;
  } catch {
    return false;
  }
}
