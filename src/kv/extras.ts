/**
 * What Deno KV has not: a program that uses it does not run there.
 *
 * @module
 */
import { paced, turnIfDue } from "../adapters/event_loop.ts";
import type { KvStore } from "../../mod.ts";
import type { Database } from "./database.ts";
import { encodeKey, type KvKey } from "./keys.ts";
import { checkSelector, KvListIterator, openList } from "./list.ts";
import type { KvListOptions, KvListSelector } from "./types.ts";

/** Extras of this implementation, which Deno KV does not have: `Kv.extras`. */
export class KvExtras {
  readonly #database: Database;

  /** @internal Made by `Kv.extras`. */
  constructor(database: Database) {
    this.#database = database;
  }

  /** Lists the keys of a range, as `Kv.list` lists entries, and reads no values. Throws as that does. */
  keys(selector: KvListSelector, options: KvListOptions = {}): KvListIterator<unknown, KvKey> {
    return new KvListIterator(this.#database, { ...options, selector, of: "keys" });
  }

  /** The number of entries that `Kv.list` would list. Looks at each of their keys, and reads no values. */
  count(selector: KvListSelector): Promise<number> {
    return paced(async () => {
      checkSelector(selector);
      let count = 0;
      for (const _ of await openList(this.#database, { selector, of: "keys" })) {
        count++;
        await turnIfDue();
        void this.#database.store;
      }
      return count;
    });
  }

  /** When an entry expires, in milliseconds since 1970. `undefined` if it never does, and if it is not there. */
  expiresAt(key: KvKey): Promise<number | undefined> {
    return paced(async () => {
      const encoded = encodeKey(key);
      for (;;) {
        const expiresAt = this.store.expiresAt(encoded);
        if (this.#database.isLasting(undefined) || await this.#database.lasts()) return expiresAt;
      }
    });
  }

  /**
   * The store below, for `backup`, `stats`, `verify` and `compact`, and for `clear`, which deletes all entries and
   * messages. Do not set keys in it, as they and their values have a form of their own, and do not close it: other
   * handles may use it, and the last one closes it. Its reads show what is not durable yet. Watches see what is written
   * with it within a second.
   *
   * @throws {Error} named `BadResource` if the handle is closed
   */
  get store(): KvStore<Uint8Array> {
    return this.#database.store;
  }
}
