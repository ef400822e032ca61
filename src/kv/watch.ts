/**
 * Watches: the entries of some keys, and again whenever one of them has changed. A watch keeps the versions that it has
 * shown, and nothing else. When its consumer wants more, it reads the keys, as any read does, and compares. If nothing
 * is new, it waits until a commit of one of the keys wakes it, until the next entry expires, and a second at most: so
 * it also sees what was written to the store beside its handles, and clocks that were set.
 *
 * @module
 */
// Not the global, which realms of test runners lack.
import { ReadableStream } from "node:stream/web";
import timers from "node:timers";
import { type Database, nameOf } from "./database.ts";
import { encodeKey, type KvKey } from "./keys.ts";
import { check } from "./limits.ts";
import { entryMaybe, sequenceOf } from "./stored.ts";
import type { KvEntryMaybe } from "./types.ts";

/** Taken at load, as test runners replace the globals with fakes. */
const { clearTimeout, setTimeout } = timers;
/** The longest time that a watch waits before it looks again. */
const LONGEST_MS = 1000;

/** Watches keys. Throws at once for what Deno refuses at once. */
export function watch(database: Database, keys: readonly KvKey[], isRaw: boolean): ReadableStream<unknown> {
  void database.store;
  const { limits } = database;
  check("Too many keys", keys.length, limits.ranges);
  const encoded = keys.map(encodeKey);
  for (const { length } of encoded) check("Key too large for read", length, limits.readKeyBytes, " bytes");
  const watcher = new Watcher(database, encoded, isRaw);
  return new ReadableStream({ pull: (stream) => watcher.pull(stream), cancel: watcher.end });
}

/** What feeds the stream of a watch. */
class Watcher {
  readonly #database: Database;
  readonly #keys: Uint8Array[];
  readonly #isRaw: boolean;
  /** What was shown last: for each key the number of the commit that set it, `null` if there was no value. */
  #shown: (number | null)[] = [];
  /** Whether a key may have been written since the keys were read. */
  #isWoken = true;
  #isOver = false;
  #resume = () => {};

  constructor(database: Database, keys: Uint8Array[], isRaw: boolean) {
    this.#database = database;
    this.#keys = keys;
    this.#isRaw = isRaw;
    const { onClose, onWrite } = database;
    onClose.add(this.end);
    for (const name of keys.map(nameOf)) onWrite.set(name, (onWrite.get(name) ?? new Set()).add(this.#wake));
  }

  /** Ends it, and gives back what it holds. */
  readonly end = (): void => {
    this.#isOver = true;
    const { onClose, onWrite } = this.#database;
    onClose.delete(this.end);
    for (const name of this.#keys.map(nameOf)) {
      onWrite.get(name)?.delete(this.#wake);
      if (onWrite.get(name)?.size === 0) onWrite.delete(name);
    }
    this.#resume();
  };

  readonly #wake = (): void => {
    this.#isWoken = true;
    this.#resume();
  };

  /** Gives the stream the entries once they are new. Closes it at its end. */
  async pull(stream: { enqueue(entries: KvEntryMaybe<unknown>[]): void; close(): void }): Promise<void> {
    try {
      while (!this.#isOver) {
        const isForced = this.#isRaw && this.#isWoken;
        this.#isWoken = false;
        const { store } = this.#database;
        // Before the entries are read: if one expires in between, the wait is over at once.
        const expiries = this.#keys.map((key) => store.expiresAt(key) ?? Infinity);
        const found = await this.#database.read(this.#keys);
        if (this.#isOver) break;
        const versions = found.map((stored) => stored === undefined ? null : sequenceOf(stored));
        if (isForced || versions.some((version, i) => version !== this.#shown[i])) {
          this.#shown = versions;
          return stream.enqueue(found.map((stored, i) => entryMaybe(this.#keys[i]!, stored)));
        }
        // As in Deno, that of no keys is over.
        if (versions.length === 0) break;
        if (!this.#isWoken) await this.#wait(Math.min(LONGEST_MS, ...expiries.map((time) => time - Date.now())));
      }
    } catch (error) {
      // What the end of the handle cuts off has not failed.
      if (!this.#isOver) {
        this.end();
        throw error;
      }
    }
    this.end();
    stream.close();
  }

  /** Waits for a time, or until it is woken. As in Deno, the process keeps running meanwhile. */
  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, ms));
      this.#resume = () => resolve(clearTimeout(timer));
    });
  }
}
