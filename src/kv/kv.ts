/**
 * The handle of a store with the calls of Deno KV.
 *
 * @module
 */
import { paced } from "../adapters/event_loop.ts";
import { AtomicOperation, setOf } from "./atomic.ts";
import { commit, COMMIT_VERSIONSTAMP } from "./commit.ts";
import { Database } from "./database.ts";
import { KvExtras } from "./extras.ts";
import { encodeKey, type KvKey } from "./keys.ts";
import { check } from "./limits.ts";
import { checkConsistency, KvListIterator } from "./list.ts";
import type { KvEnqueueOptions } from "./message.ts";
import { queueOf } from "./queue.ts";
import { entryMaybe } from "./stored.ts";
import type {
  KvCommitResult,
  KvEntryMaybe,
  KvListOptions,
  KvListSelector,
  KvReadOptions,
  KvSetOptions,
} from "./types.ts";
import { watch } from "./watch.ts";

/** An open store with the calls of Deno KV. `openKv` makes it. */
export class Kv {
  readonly #database: Database;

  /** @internal */
  constructor(database: Database) {
    if (!(database instanceof Database)) throw new TypeError("a Kv is opened by `await openKv(path)`, not by `new`");
    this.#database = database;
  }

  /** What Deno KV has not: keys alone, the number of entries, when one expires, the store below. */
  get extras(): KvExtras {
    return new KvExtras(this.#database);
  }

  /** The entry of a key. Its value and versionstamp are `null` if there is none. */
  get<T = unknown>(key: KvKey, options: KvReadOptions = {}): Promise<KvEntryMaybe<T>> {
    return paced(async () => {
      const [encoded] = this.#encoded([key], options) as [Uint8Array];
      for (;;) {
        const stored = this.#database.store.get(encoded);
        if (this.#database.isLasting(stored) || await this.#database.lasts()) return entryMaybe<T>(encoded, stored);
      }
    });
  }

  /** The entries of several keys, in the order of the keys, all from one state. At most 10. */
  getMany<T extends readonly unknown[]>(
    keys: readonly [...{ [K in keyof T]: KvKey }],
    options: KvReadOptions = {},
  ): Promise<{ [K in keyof T]: KvEntryMaybe<T[K]> }> {
    return paced(async () => {
      const encoded = this.#encoded(keys, options);
      const found = await this.#database.read(encoded);
      return found.map((stored, i) => entryMaybe(encoded[i]!, stored)) as { [K in keyof T]: KvEntryMaybe<T[K]> };
    });
  }

  /** Sets a key. Resolves once that would survive a power cut. */
  set(key: KvKey, value: unknown, options?: KvSetOptions): Promise<KvCommitResult> {
    return paced(async () => {
      const mutations = [setOf(key, value, options)];
      return await commit(this.#database, { checks: [], mutations }) as KvCommitResult;
    });
  }

  /** Deletes a key. Resolves once that would survive a power cut. */
  delete(key: KvKey): Promise<void> {
    return paced(async () => void await commit(this.#database, { checks: [], mutations: [{ key, type: "delete" }] }));
  }

  /**
   * Lists the entries of a range, in the order of their keys, as of the first step.
   *
   * @throws {TypeError} for a selector that is none, {Error} for a limit or a batch size that is not above 0
   */
  list<T = unknown>(selector: KvListSelector, options: KvListOptions = {}): KvListIterator<T> {
    return new KvListIterator<T>(this.#database, { ...options, selector, of: "entries" });
  }

  /**
   * A stream of the entries of several keys, at most 10: first as they are, then again whenever the versionstamp of one
   * has changed, also when one expires. A consumer that is slow gets the latest state, and nothing of what came before.
   * The stream ends when the handle is closed. While it waits for a change, it keeps the process running.
   *
   * @param options with `raw`, also after commits that change nothing, as when a key is deleted that is not there
   * @throws {TypeError} for what is no key, and for keys beyond the limits
   */
  watch<T extends readonly unknown[]>(
    keys: readonly [...{ [K in keyof T]: KvKey }],
    { raw = false }: { raw?: boolean | undefined } = {},
  ): ReadableStream<{ [K in keyof T]: KvEntryMaybe<T[K]> }> {
    return watch(this.#database, keys, raw) as ReadableStream<{ [K in keyof T]: KvEntryMaybe<T[K]> }>;
  }

  /** Begins a commit of checks and mutations, which `commit()` makes. */
  atomic(): AtomicOperation {
    return new AtomicOperation(this.#database);
  }

  /**
   * Enqueues a value for the handlers that listen. Resolves once that would survive a power cut.
   *
   * @throws {TypeError} for values, delays and keys beyond the limits
   */
  enqueue(value: unknown, options?: KvEnqueueOptions): Promise<KvCommitResult> {
    return paced(async () => await this.atomic().enqueue(value, options).commit() as KvCommitResult);
  }

  /**
   * Has a handler called with each value that was enqueued, as soon as it is due, at most 100 at a time. When the promise
   * of the handler resolves, the value is deleted. If it throws, the value is delivered again, as the `backoffSchedule` of
   * `enqueue` says. So it is after a crash, and if the handle is closed before the handler is done: a value may be
   * delivered more than once.
   *
   * Each value goes to one handler. Of several, in one handle or in all of the process, each gets some of the values. If
   * values are of several kinds, have one handler look at which it is.
   *
   * Resolves when the handle is closed, and rejects if the store fails. Keeps the process running until then.
   *
   * @throws {Error} if the handle is closed
   */
  // deno-lint-ignore no-explicit-any -- Deno's type: handlers that say of which type their messages are must compile
  async listenQueue(handler: (value: any) => Promise<void> | void): Promise<void> {
    if (this.#database.isClosed) throw new Error("Queue already closed");
    await queueOf(this.#database.store).listen(this.#database, handler);
  }

  /** As the last part of a key that is set, it becomes the versionstamp of the commit. */
  commitVersionstamp(): symbol {
    return COMMIT_VERSIONSTAMP;
  }

  /**
   * Closes the handle. Later calls throw. What was called before takes its course. The last handle of a process on a
   * directory closes the store in the background.
   *
   * @throws {Error} named `BadResource` if it is closed
   */
  close(): void {
    void this.#database.store;
    this[Symbol.dispose]();
  }

  /** Closes the handle, if it is open, at the end of the block that declares it with `using`. */
  [Symbol.dispose](): void {
    // What fails there has rejected the calls that it is about.
    this[Symbol.asyncDispose]().catch(() => {});
  }

  /**
   * Closes the handle, if it is open, at the end of the block that declares it with `await using`. Resolves once the
   * store is closed, if this is its last handle. Deno KV has no such call.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#database.close();
  }

  #encoded(keys: readonly KvKey[], options: KvReadOptions): Uint8Array[] {
    const { limits } = this.#database;
    check("Too many ranges", keys.length, limits.ranges);
    checkConsistency(options);
    const encoded = keys.map(encodeKey);
    // To Deno a key is a list that ends with a byte more.
    for (const { length } of encoded) check("Key too large for read", length + 1, limits.readKeyBytes, " bytes");
    return encoded;
  }
}
