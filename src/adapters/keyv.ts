/**
 * The store beneath keyv 5 and 6.
 *
 * Nothing of keyv is imported: an adapter is what has the methods.
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
import type { BatchOperation, KvStore, OpenOptions, Value } from "../../mod.ts";
import { deleteKeys } from "./delete_keys.ts";
import { paced, turnIfDue } from "./event_loop.ts";
import { StoreShare } from "./store_share.ts";
import { expiryOf } from "./ttl.ts";

/** An entry to be set. */
export interface KvKeyvEntry {
  /** The key. */
  key: string;
  /** What keyv made of the value. */
  value: unknown;
  /** Time to live in milliseconds. */
  ttl?: number | undefined;
}

/**
 * A storage adapter for keyv. Adapters on one directory share one open store, which is closed when the last of them is
 * disconnected; make one for each `Keyv`, as keyv tells an adapter whose namespace it serves.
 *
 * It has the interface of keyv 5: keys come with their namespace, times to live are relative. keyv 6 puts its own bridge
 * before such adapters, which gives keys their namespace (`users::ada`, where keyv 5 has `users:ada`). That holds only
 * for adapters that have no property `namespace`, so this class declares none: it is keyv 5 that sets it. With one, keyv
 * 6 would leave namespaces to the adapter, and those who share a store would share their keys.
 */
export class KvKeyv extends EventEmitter {
  /** Set by keyv 5: what `clear` is about. */
  declare namespace?: string | undefined;
  /**
   * For keyv 5: it offers iterators only over kinds of databases that it knows, and this is the one of them that is
   * embedded, too.
   */
  readonly opts: Record<string, unknown> = { dialect: "sqlite" };
  readonly #share: StoreShare;
  /** Whether several namespaces of keyv 5 have been set. */
  #isShared = false;

  /**
   * An adapter on a store, which is opened with the first call.
   *
   * @param store path of the store's directory; or an open store, which stays its owner's to close
   * @param options options of `KvStore.open`. A cache can do with `{ durability: "write" }`
   * @throws {TypeError} if `store` is neither
   */
  constructor(store: string | KvStore, options: OpenOptions = {}) {
    super();
    if (!store || !["string", "object"].includes(typeof store)) {
      throw new TypeError("KvKeyv needs the path of the store's directory, or an open KvStore");
    }
    this.#share = new StoreShare(store, options);
  }

  /** The value of a key, or `undefined`. Rejects as `KvStore.get` throws, and also emits that: keyv 5 hides it. */
  async get<T>(key: string): Promise<T | undefined> {
    try {
      return await this.#share.run((store) => paced(store.get(key) as T | undefined));
    } catch (error) {
      if (this.listenerCount("error") > 0) this.emit("error", error);
      throw error;
    }
  }

  /** The values of several keys, in their order. */
  async getMany<T>(keys: string[]): Promise<(T | undefined)[]> {
    const own = [...keys];
    return await this.#share.run((store) => paced(store.getMany(own) as (T | undefined)[]));
  }

  /** Sets a key, for so many milliseconds if a time is given. */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    const own = this.#share.keep(value) as Value;
    await this.#share.run((store) => store.set(key, own, expiryOf(ttl)));
    return true;
  }

  /** Sets several keys at once: all or none; resolves to `true` for each. (keyv 5 asks for that, and declares `void`.) */
  // deno-lint-ignore no-explicit-any
  async setMany(entries: KvKeyvEntry[]): Promise<any> {
    const operations = entries.map(({ key, value, ttl }): BatchOperation => (
      { type: "set", key, value: this.#share.keep(value) as Value, ...expiryOf(ttl) }
    ));
    await this.#share.run((store) => store.batch(operations));
    return operations.map(() => true);
  }

  /** Deletes a key; resolves to whether it was there. */
  async delete(key: string): Promise<boolean> {
    return await this.#share.run((store) => store.delete(key));
  }

  /** Deletes several keys at once; resolves to whether any of them was there, which keyv 6 then says of each. */
  async deleteMany(keys: string[]): Promise<boolean> {
    const own = [...keys];
    return await this.#share.run(async (store) => {
      const wasThere = own.some((key) => store.has(key));
      await store.batch(own.map((key) => ({ type: "delete", key })));
      return wasThere;
    });
  }

  /**
   * Deletes the keys of the namespace, or all if there is none. They are those that begin with it and a colon: those of a
   * namespace `a:b` are within `a`, and without keyv's prefix (`useKeyPrefix: false`, which is for adapters with a way of
   * their own) there are none.
   *
   * @throws {TypeError} if `Keyv` of keyv 5 with different namespaces share the adapter: it is not told which of them calls
   */
  async clear(): Promise<void> {
    if (this.#isShared) {
      const reason = "a KvKeyv that several Keyv with namespaces of their own share cannot tell whose keys to clear";
      throw new TypeError(`${reason}: make a KvKeyv for each`);
    }
    const { namespace } = this;
    await this.#share.run((store) =>
      namespace ? deleteKeys(store, store.keys({ prefix: `${namespace}:` })) : store.clear()
    );
  }

  /** Whether a key is there. */
  async has(key: string): Promise<boolean> {
    return await this.#share.run((store) => paced(store.has(key)));
  }

  /** Whether each of several keys is there. */
  async hasMany(keys: string[]): Promise<boolean[]> {
    const own = [...keys];
    return await this.#share.run((store) => paced(own.map((key) => store.has(key))));
  }

  /** The entries whose keys begin with a namespace and a colon, as of the first step; all without a namespace. */
  async *iterator<T>(namespace?: string): AsyncGenerator<[string, T], void> {
    const store = await this.#share.store();
    for (const [key, value] of store.entries(namespace ? { prefix: `${namespace}:` } : {})) {
      const turn = turnIfDue();
      if (turn !== undefined) await turn;
      // Keys of keyv are strings; others are somebody else's.
      if (typeof key === "string") yield [key, value as T];
    }
  }

  /**
   * Adds a listener. keyv does that when it takes an adapter for its own, and keyv 5 then sets the namespace at once: the
   * only sign that a second `Keyv` has come.
   */
  override on(event: string | symbol, listener: (...args: unknown[]) => void): this {
    if (event === "error" && Object.hasOwn(this, "namespace")) this.#watchNamespace();
    return super.on(event, listener);
  }

  /** Notes it if the namespace becomes another one before the code that runs now has ended. */
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
    // Later, a `Keyv` may change its own.
    Promise.resolve().then(() =>
      Object.defineProperty(this, "namespace", { ...field, value: namespace, writable: true })
    );
  }

  /** Gives the store back; it is closed with the last adapter on its directory. A later call opens it again. */
  async disconnect(): Promise<void> {
    await this.#share.release();
  }
}
