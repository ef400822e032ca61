/**
 * The store as a driver for unstorage, with times to live and watching.
 *
 * It imports nothing of unstorage: unstorage takes any object that has the methods.
 *
 * @example
 * ```ts
 * import kvstoreDriver from "@kvstore/kvstore/unstorage";
 * import { createStorage } from "unstorage";
 *
 * const storage = createStorage({ driver: kvstoreDriver({ base: "./data" }) });
 * await storage.watch((event, key) => console.log(event, key));
 * await storage.setItem("users:ada", { name: "Ada" }, { ttl: 3600 }); // seconds
 * await storage.getItem("users:ada"); // { name: "Ada" }
 * await storage.dispose();
 * ```
 *
 * @module
 */
import {
  type BatchOperation,
  type Change,
  type KvStore,
  KvStoreError,
  type OpenOptions,
  type Value,
} from "../../mod.ts";
import { deleteKeys } from "./delete_keys.ts";
import { openOptionsIn } from "./open_options.ts";
import { StoreShare } from "./store_share.ts";
import { textOf } from "./text.ts";
import { expiryOf } from "./ttl.ts";

/** Options of the driver, and those of `KvStore.open`. Unknown options are ignored, as by other drivers. */
export interface KvDriverOptions extends OpenOptions {
  /** Path or `file:` URL of the store's directory. Drivers on one directory share one open store. */
  base?: string | URL | undefined;
  /** An open store to use instead of `base`. The caller closes it. */
  store?: KvStore | undefined;
  /** Time to live of items that are set without one, in seconds. */
  ttl?: number | undefined;
}

/** Options of a call. */
export interface KvDriverCallOptions {
  /** Time to live of the item, in seconds; 0 for no expiry. */
  ttl?: number | undefined;
  /** For `getKeys`: the most colons in a key. */
  maxDepth?: number | undefined;
  /** Other options are ignored. */
  [name: string]: unknown;
}

/** An item of `setItems`. */
export interface KvDriverItem {
  /** The key. */
  key: string;
  /** The value, as unstorage has encoded it. */
  value: string;
  /** Options of this item, with the common ones merged in. */
  options?: KvDriverCallOptions;
}

/** Called with each change. */
export type KvDriverListener = (event: "update" | "remove", key: string) => void;

/** The driver, with the methods that unstorage calls. */
export interface KvDriver {
  /** Always `"kvstore"`. */
  name: string;
  /** What unstorage leaves to the driver. */
  flags: { maxDepth: boolean; ttl: boolean };
  /** The options that the driver was made with. */
  options: KvDriverOptions;
  /** Returns the open store. */
  getInstance(): Promise<KvStore>;
  /** Resolves to whether an item is there. */
  hasItem(key: string): Promise<boolean>;
  /** Returns an item as text, or `null` if it is not there. */
  getItem(key: string): Promise<string | null>;
  /** Returns several items as text, in their order. */
  getItems(items: { key: string }[]): Promise<{ key: string; value: string | null }[]>;
  /** Returns an item as it was set: bytes, text or JSON. */
  getItemRaw(key: string): Promise<unknown>;
  /** Sets an item. */
  setItem(key: string, value: string, options?: KvDriverCallOptions): Promise<void>;
  /** Sets several items, all or none. */
  setItems(items: KvDriverItem[], options?: KvDriverCallOptions): Promise<void>;
  /** Sets an item to bytes, or to any other value that the store takes. */
  setItemRaw(key: string, value: unknown, options?: KvDriverCallOptions): Promise<void>;
  /** Removes an item. */
  removeItem(key: string): Promise<void>;
  /** Returns the remaining time to live in seconds, if the item expires; `null` if it is not there. */
  getMeta(key: string): Promise<{ ttl?: number } | null>;
  /** Returns the keys below `base`, sorted by their bytes. */
  getKeys(base?: string, options?: KvDriverCallOptions): Promise<string[]>;
  /** Removes the items below `base`, or all items. Listeners are called for each. */
  clear(base?: string): Promise<void>;
  /** Stops watching and disconnects from the store. The last driver on a directory closes it. */
  dispose(): Promise<void>;
  /**
   * Calls a listener for each durable change, by this process or another. Resolves to a function that stops that. An
   * exception in the listener is uncaught, as in an event listener, and does not stop the watch.
   */
  watch(listener: KvDriverListener): Promise<() => Promise<void>>;
}

/**
 * Makes a driver. The first call opens the store.
 *
 * @param options where the store is, and how to open it
 * @throws {TypeError} if there is neither `base` nor `store`, or if `base` is no path and no `file:` URL
 */
export default function kvstoreDriver(options: KvDriverOptions = {}): KvDriver {
  const { base, store } = options;
  const source = store ?? base;
  if (source === undefined || source === "") {
    throw new TypeError("the kvstore driver of unstorage needs the option base, the path of the store's directory");
  }
  const share = new StoreShare(source, openOptionsIn(options));
  const watches = new Set<() => Promise<void>>();
  const expiry = (call: KvDriverCallOptions | undefined) => expiryOf(milliseconds(call?.ttl ?? options.ttl));
  const setItemRaw = async (key: string, value: unknown, call?: KvDriverCallOptions) => {
    const own = share.copyUnlessOpen(valueOf(value));
    await share.run((opened) => opened.set(key, own, expiry(call)));
  };
  // Not methods: unstorage calls these functions without their object.
  return {
    name: "kvstore",
    flags: { maxDepth: true, ttl: true },
    options,
    getInstance: () => share.store(),
    hasItem: (key) => share.run((opened) => opened.has(key)),
    getItem: (key) => share.run((opened) => textOrNull(opened.get(key))),
    getItems: (items) => {
      const keys = items.map(({ key }) => key);
      return share.run((opened) => keys.map((key) => ({ key, value: textOrNull(opened.get(key)) })));
    },
    getItemRaw: (key) => share.run((opened) => opened.get(key) ?? null),
    setItem: setItemRaw,
    setItems: async (items, common) => {
      const operations = items.map(({ key, value, options: own }): BatchOperation => (
        { type: "set", key, value, ...expiry(own ?? common) }
      ));
      await share.run((opened) => opened.batch(operations));
    },
    setItemRaw,
    removeItem: async (key) => {
      await share.run((opened) => opened.delete(key));
    },
    getMeta: (key) => share.run((opened) => metaOf(opened, key)),
    getKeys: (below = "", { maxDepth = Infinity } = {}) =>
      share.run((opened) => keysBelow(opened, below).filter((key) => key.split(":").length - 1 <= maxDepth)),
    clear: (below = "") => share.run((opened) => deleteKeys(opened, keysBelow(opened, below))),
    dispose: async () => {
      try {
        await Promise.all([...watches].map((end) => end()));
      } finally {
        await share.release();
      }
    },
    watch: async (listener) => {
      const end = watch(await share.store(), listener);
      const unwatch = async () => {
        watches.delete(unwatch);
        await end();
      };
      watches.add(unwatch);
      return unwatch;
    },
  };
}

/** Calls a listener with each change. Returns a function that stops that. */
function watch(store: KvStore, listener: KvDriverListener): () => Promise<void> {
  let changes = store.watch();
  let isEnded = false;
  const ended = (async () => {
    while (!isEnded) {
      try {
        const { done, value } = await changes.next();
        if (done) break;
        callListener(listener, value);
      } catch (error) {
        // A listener has no way to learn of a gap. It misses a damaged record, or those that compaction has dropped, and
        // the watch goes on. Any other error ends the watch, and the function that stops it rejects with the error.
        const code = KvStoreError.is(error) ? error.code : undefined;
        if (code === "TRIMMED") changes = store.watch();
        else if (code !== "CORRUPT") throw error;
      }
    }
  })();
  ended.catch(() => {});
  return async () => {
    isEnded = true;
    await changes.return();
    await ended;
  };
}

function callListener(listener: KvDriverListener, change: Change): void {
  // The driver clears by removing items one by one. A clear comes from another user of the store.
  const key = change.type === "clear" ? "" : change.key;
  if (typeof key !== "string") return;
  try {
    listener(change.type === "set" ? "update" : "remove", key);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

function keysBelow(store: KvStore, below: string): string[] {
  return [...store.keys({ prefix: below })].filter((key) => typeof key === "string");
}

function metaOf(store: KvStore, key: string): { ttl?: number } | null {
  if (!store.has(key)) return null;
  const expiresAt = store.expiresAt(key);
  return expiresAt === undefined ? {} : { ttl: Math.max(0, Math.ceil((expiresAt - Date.now()) / 1000)) };
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

function textOrNull(value: Value | undefined): string | null {
  return value === undefined ? null : textOf(value);
}

/** Converts other kinds of bytes to those that the store takes. */
function valueOf(raw: unknown): Value {
  if (Object.prototype.toString.call(raw) === "[object ArrayBuffer]") return new Uint8Array(raw as ArrayBuffer);
  if (ArrayBuffer.isView(raw)) return new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
  return raw as Value;
}
