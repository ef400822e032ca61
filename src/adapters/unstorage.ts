/**
 * The store as a driver of unstorage, with times to live and watching.
 *
 * Nothing of unstorage is imported: a driver is what has the methods.
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
import { paced } from "./event_loop.ts";
import { StoreShare } from "./store_share.ts";
import { expiryOf } from "./ttl.ts";

/** Options of the driver: its own, and those of `KvStore.open`. Unknown ones are ignored, as by other drivers. */
export interface KvDriverOptions extends OpenOptions {
  /** Path of the store's directory. Drivers on one directory share one open store. */
  base?: string | undefined;
  /** An open store to use instead; it stays its owner's to close. */
  store?: KvStore | undefined;
  /** How long items live that are set without a time of their own, in seconds, as with other drivers. */
  ttl?: number | undefined;
}

/** Options of a call. */
export interface KvDriverCallOptions {
  /** How long the item is to live, in seconds; 0: without end. */
  ttl?: number | undefined;
  /** Of `getKeys`: only keys with at most so many colons. */
  maxDepth?: number | undefined;
  /** Others are of no concern here. */
  [name: string]: unknown;
}

/** An item of `setItems`. */
export interface KvDriverItem {
  /** The key. */
  key: string;
  /** What unstorage made of the value. */
  value: string;
  /** Its own options, those common to all included. */
  options?: KvDriverCallOptions;
}

/** Hears of changes. */
export type KvDriverListener = (event: "update" | "remove", key: string) => void;

/** The driver, as unstorage calls it. */
export interface KvDriver {
  /** `"kvstore"`. */
  name: string;
  /** What the driver does by itself. */
  flags: { maxDepth: boolean; ttl: boolean };
  /** The options it was made with. */
  options: KvDriverOptions;
  /** The open store. */
  getInstance(): Promise<KvStore>;
  /** Whether an item is there. */
  hasItem(key: string): Promise<boolean>;
  /** An item as text; `null` if it is not there. */
  getItem(key: string): Promise<string | null>;
  /** Several items as text, in their order. */
  getItems(items: { key: string }[]): Promise<{ key: string; value: string | null }[]>;
  /** An item as it was set: bytes, text or JSON. */
  getItemRaw(key: string): Promise<unknown>;
  /** Sets an item. */
  setItem(key: string, value: string, options?: KvDriverCallOptions): Promise<void>;
  /** Sets several items at once: all or none. */
  setItems(items: KvDriverItem[], options?: KvDriverCallOptions): Promise<void>;
  /** Sets an item to bytes, or to whatever else the store takes. */
  setItemRaw(key: string, value: unknown, options?: KvDriverCallOptions): Promise<void>;
  /** Removes an item. */
  removeItem(key: string): Promise<void>;
  /** How long the item still lives, in seconds, if it does not live without end; `null` if it is not there. */
  getMeta(key: string): Promise<{ ttl?: number } | null>;
  /** The keys below `base`, sorted by their bytes. */
  getKeys(base?: string, options?: KvDriverCallOptions): Promise<string[]>;
  /** Removes the items below `base`, or all; listeners hear of each. */
  clear(base?: string): Promise<void>;
  /** Ends watching, and gives the store back; it is closed with the last driver on its directory. */
  dispose(): Promise<void>;
  /**
   * Calls a listener for each durable change, whoever makes it, until what this resolves to is called. What a listener
   * throws is an uncaught exception, as from any listener of an event, and does not keep it from hearing of the rest.
   */
  watch(listener: KvDriverListener): Promise<() => Promise<void>>;
}

const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Makes a driver.
 *
 * @param options where the store is, and how it is to be opened
 * @throws {TypeError} if there is neither `base` nor `store`
 */
export default function kvstoreDriver(options: KvDriverOptions = {}): KvDriver {
  const { base, store } = options;
  if (store === undefined && (typeof base !== "string" || base === "")) {
    throw new TypeError("the kvstore driver of unstorage needs the option base, the path of the store's directory");
  }
  const share = new StoreShare(store ?? base!, openOptions(options));
  const watches = new Set<() => Promise<void>>();
  const expiry = (call: KvDriverCallOptions | undefined) => expiryOf(milliseconds(call?.ttl ?? options.ttl));
  const text = (key: string) => share.run((opened) => paced(textOf(opened.get(key))));
  const setItemRaw = async (key: string, value: unknown, call?: KvDriverCallOptions) => {
    const own = share.keep(valueOf(value));
    await share.run((opened) => opened.set(key, own, expiry(call)));
  };
  // Functions, not methods: unstorage calls them without their object.
  return {
    name: "kvstore",
    flags: { maxDepth: true, ttl: true },
    options,
    getInstance: () => share.store(),
    hasItem: (key) => share.run((opened) => paced(opened.has(key))),
    getItem: text,
    getItems: (items) => Promise.all(items.map(async ({ key }) => ({ key, value: await text(key) }))),
    getItemRaw: (key) => share.run((opened) => paced(opened.get(key) ?? null)),
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
    getMeta: (key) => share.run((opened) => paced(metaOf(opened, key))),
    getKeys: (below = "", { maxDepth = Infinity } = {}) =>
      share.run((opened) => paced(keysBelow(opened, below).filter((key) => key.split(":").length - 1 <= maxDepth))),
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

/** Tells a listener of changes; returns what ends that. */
function watch(store: KvStore, listener: KvDriverListener): () => Promise<void> {
  let changes = store.watch();
  let isEnded = false;
  const ended = (async () => {
    while (!isEnded) {
      try {
        const { done, value } = await changes.next();
        if (done) break;
        tell(listener, value);
      } catch (error) {
        // A listener cannot be told that something is missing. It misses a damaged record, or those that compaction
        // has dropped; then the watch goes on. Any other error is about the store, and is told to who ends the watch.
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

function tell(listener: KvDriverListener, change: Change): void {
  // The driver removes items one by one; it is another user of the store who clears it as a whole.
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

function textOf(value: Value | undefined): string | null {
  if (value === undefined) return null;
  if (typeof value === "string") return value;
  return ArrayBuffer.isView(value) ? DECODER.decode(value) : JSON.stringify(value);
}

/** Other kinds of bytes than the store takes are turned into those. */
function valueOf(raw: unknown): Value {
  if (Object.prototype.toString.call(raw) === "[object ArrayBuffer]") return new Uint8Array(raw as ArrayBuffer);
  if (ArrayBuffer.isView(raw)) return new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
  return raw as Value;
}

/** What of the options is the store's. */
function openOptions(options: KvDriverOptions): OpenOptions {
  const names = ["create", "readOnly", "durability", "segmentBytes", "cacheBytes", "compaction", "recovery", "onError"];
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
}
