/**
 * Reading ahead: brings records that are not in memory into the operating system's cache, on other threads.
 *
 * @module
 */
import type { Key } from "../types.ts";
import { ownKey } from "./keys.ts";
import type { OpenStore } from "./open_store.ts";

/** So many reads of a store are under way at a time. Disks work best on many, and each takes memory and a thread. */
const MAX_READS = 64;

/**
 * Reads records of a store ahead, by the paths of their files. It keeps nothing: short records get into the block cache
 * when they are read, and long ones are not kept there. What cannot be read is passed over, as reading the key will
 * report it.
 */
export class Prefetcher {
  readonly #store: OpenStore;
  #reads = 0;
  readonly #waiting: (() => void)[] = [];

  /** Reads the records of a store ahead. */
  constructor(store: OpenStore) {
    this.#store = store;
  }

  /** Reads the records of keys ahead. Throws `CLOSED`. */
  async read(keys: Iterable<Key>): Promise<void> {
    const list = Array.from(keys, ownKey);
    this.#store.checkOpen();
    const left = list.values();
    const readOn = async () => {
      for (const key of left) await this.#readOne(key);
    };
    await Promise.all(Array.from({ length: Math.min(list.length, MAX_READS) }, readOn));
    this.#store.checkOpen();
  }

  async #readOne(key: Key): Promise<void> {
    const { log, key: encoded } = this.#store;
    if (this.#store.extentToRead(encoded.encode(key)) === undefined) return;
    if (this.#reads === MAX_READS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#reads++;
    try {
      // Another read may have brought it, or compaction moved it, meanwhile.
      const extent = this.#store.isClosed ? undefined : this.#store.extentToRead(encoded.encode(key));
      if (extent !== undefined) await log.platform.readAhead(extent);
    } catch {
      // The file is gone, or damaged.
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#reads--;
      else next();
    }
  }
}
