/**
 * The store as a storage adapter for keyv 5 and 6.
 *
 * It imports nothing of keyv: keyv takes any object that has the methods.
 *
 * @example
 * ```ts
 * import { KvKeyv } from "@kvstore/kvstore/keyv";
 * import { Keyv } from "keyv";
 *
 * const sessions = new Keyv({ store: new KvKeyv("./data"), namespace: "sessions", ttl: 3_600_000 });
 * sessions.on("error", console.error);
 * await sessions.set("ada", { cart: [7] });
 * await sessions.get("ada"); // { cart: [7] }
 * await sessions.disconnect();
 * ```
 *
 * @module
 */
import { EventEmitter } from "node:events";
import type { BatchOperation, KvStore, OpenOptions, Range, Value } from "../../mod.ts";
import { deleteKeys } from "./delete_keys.ts";
import { paced, turnIfDue } from "./event_loop.ts";
import { StoreShare } from "./store_share.ts";
import { expiryOf } from "./ttl.ts";

/** An entry to set. */
export interface KvKeyvEntry {
  /** The key. */
  key: string;
  /** The value, as keyv has encoded it. */
  value: unknown;
  /** Time to live in milliseconds. */
  ttl?: number | undefined;
}

/**
 * A storage adapter for keyv. Adapters on one directory share one open store; the last one to disconnect closes it. Make
 * one adapter for each `Keyv`, as keyv sets the namespace on the adapter.
 *
 * The adapter has the interface of keyv 5: keys come with their namespace, and times to live are relative. keyv 6 wraps
 * such an adapter in a bridge, which adds the namespace (`users::ada`, where keyv 5 has `users:ada`). It does so only if
 * the adapter has no property `namespace`. So this class does not define one; keyv 5 sets it on the object. With it,
 * keyv 6 would leave namespaces to the adapter, and all namespaces would share their keys.
 */
export class KvKeyv extends EventEmitter {
  /** The namespace that `clear` deletes. Set by keyv 5. */
  declare namespace?: string | undefined;
  /**
   * Makes keyv 5 offer iterators, which it does only for databases that it knows. SQLite is the embedded one of them.
   */
  readonly opts: Record<string, unknown> = { dialect: "sqlite" };
  readonly #share: StoreShare;
  /** Whether keyv 5 has set several namespaces. */
  #isShared = false;

  /**
   * Makes an adapter. The first call opens the store.
   *
   * @param store path or `file:` URL of the store's directory, or an open store, which the caller closes
   * @param options options of `KvStore.open`. `{ durability: "write" }` suits a cache
   * @throws {TypeError} if `store` is none of these
   */
  constructor(store: string | URL | KvStore, options: OpenOptions = {}) {
    super();
    this.#share = new StoreShare(store, options);
  }

  /** Returns the value of a key, or `undefined`. Emits an error as well as rejecting with it: keyv 5 hides rejections. */
  async get<T>(key: string): Promise<T | undefined> {
    try {
      return await this.#share.run((store) => store.get(key) as T | undefined);
    } catch (error) {
      if (this.listenerCount("error") > 0) this.emit("error", error);
      throw error;
    }
  }

  /** Returns the values of several keys, in their order. */
  async getMany<T>(keys: string[]): Promise<(T | undefined)[]> {
    const own = [...keys];
    return await this.#share.run((store) => store.getMany(own) as (T | undefined)[]);
  }

  /** Sets a key. `ttl` is its time to live in milliseconds. */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    const own = this.#share.copyUnlessOpen(value) as Value;
    await this.#share.run((store) => store.set(key, own, expiryOf(ttl)));
    return true;
  }

  /** Sets several keys, all or none. Resolves to `true` for each key: keyv 5 needs that, though it declares `void`. */
  // deno-lint-ignore no-explicit-any
  async setMany(entries: KvKeyvEntry[]): Promise<any> {
    const operations = entries.map(({ key, value, ttl }): BatchOperation => (
      { type: "set", key, value: this.#share.copyUnlessOpen(value) as Value, ...expiryOf(ttl) }
    ));
    await this.#share.run((store) => store.batch(operations));
    return operations.map(() => true);
  }

  /** Deletes a key. Resolves to whether it was there. */
  async delete(key: string): Promise<boolean> {
    return await this.#share.run((store) => store.delete(key));
  }

  /** Deletes several keys. Resolves to whether any of them was there; keyv 6 reports that for each key. */
  async deleteMany(keys: string[]): Promise<boolean> {
    const own = [...keys];
    return await this.#share.run(async (store) => {
      const wasThere = own.some((key) => store.has(key));
      await store.batch(own.map((key) => ({ type: "delete", key })));
      return wasThere;
    });
  }

  /**
   * Deletes the keys of the namespace. They begin with its name and a colon, so clearing `a` clears `a:b` too. With keyv's
   * `useKeyPrefix: false` keys have no namespace, and none match.
   *
   * Without a namespace, deletes the keys that are in none: those without a colon under keyv 5, without two under keyv 6
   * or if the adapter is used by itself. Other keys may be of namespaces that share the directory. Keys that are bytes
   * stay, too, as keyv has not set them. `clear` of the store itself deletes all.
   *
   * @throws {TypeError} if several `Keyv` of keyv 5 with different namespaces share the adapter: keyv 5 does not tell which
   * one calls
   */
  async clear(): Promise<void> {
    await paced(() => {
      if (this.#isShared) {
        const reason = "a KvKeyv that Keyv instances with different namespaces share cannot tell whose keys to clear";
        throw new TypeError(`${reason}: make a KvKeyv for each of them`);
      }
      const { namespace } = this;
      const separator = Object.hasOwn(this, "namespace") ? ":" : "::";
      return this.#share.run(async (store) => {
        if (namespace) await store.deleteRange(rangeOf(namespace));
        else await clearWithout(separator, store);
      });
    });
  }

  /** Resolves to whether a key is there. */
  async has(key: string): Promise<boolean> {
    return await this.#share.run((store) => store.has(key));
  }

  /** Resolves to whether each of several keys is there. */
  async hasMany(keys: string[]): Promise<boolean[]> {
    const own = [...keys];
    return await this.#share.run((store) => own.map((key) => store.has(key)));
  }

  /**
   * Iterates over the entries of a namespace, or over all, as they were at the first step. If several `Keyv` of keyv 5
   * share the adapter, the namespace is that of the last one, whichever iterates: keyv 5 passes that.
   */
  async *iterator<T>(namespace?: string): AsyncGenerator<[string, T], void> {
    const store = await this.#share.store();
    for (const [key, value] of store.entries(rangeOf(namespace))) {
      const turn = turnIfDue();
      if (turn !== undefined) await turn;
      // keyv's keys are strings. Another user of the store has set the others.
      if (typeof key === "string") yield [key, value as T];
    }
  }

  /**
   * Adds a listener. A `Keyv` listens for errors when it takes the adapter, and keyv 5 sets the namespace right after. That
   * is the only sign of a second `Keyv`.
   */
  override on(event: string | symbol, listener: (...args: unknown[]) => void): this {
    if (event === "error" && Object.hasOwn(this, "namespace")) this.#watchNamespace();
    return super.on(event, listener);
  }

  /** Notices a change of the namespace until the current code has run to its end. */
  #watchNamespace(): void {
    let { namespace } = this;
    const field = { configurable: true, enumerable: true };
    Object.defineProperty(this, "namespace", {
      ...field,
      get: () => namespace,
      set: (next: string | undefined) => {
        this.#isShared ||= next !== namespace;
        namespace = next;
      },
    });
    // Later changes are those of the `Keyv` that has the adapter.
    Promise.resolve().then(() =>
      Object.defineProperty(this, "namespace", { ...field, value: namespace, writable: true })
    );
  }

  /** Disconnects from the store. The last adapter on a directory closes it. A later call opens it again. */
  async disconnect(): Promise<void> {
    await this.#share.release();
  }
}

/** The keys of a namespace, or all keys. */
function rangeOf(namespace: string | undefined): Range {
  return namespace ? { prefix: `${namespace}:` } : {};
}

/** Deletes the keys that are strings without a separator: those that are in no namespace. */
function clearWithout(separator: string, store: KvStore): Promise<void> {
  const keys = [...store.keys()].filter((key) => typeof key === "string" && !key.includes(separator));
  // If there are no others, one record is enough, and all are deleted at once.
  return keys.length === store.size ? store.clear() : deleteKeys(store, keys);
}
