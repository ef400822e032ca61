/**
 * The interface of Deno KV on this store, on Deno, Node and Bun.
 *
 * **Entries.** The key in the store is the tuple in the encoding of FoundationDB, so the ranges of the store are those
 * of `list`. In front of each value stands the number of its commit (stored.ts). One key that no tuple has marks the
 * store (mark.ts).
 *
 * **Versionstamps** come from the sequence numbers of the store, which only grow, also when it is opened again and
 * after a crash, and of which rejected writes give none back. A commit takes the next number before it writes. Its
 * records have this number or higher ones, and there is at least one: a commit without effect writes the mark anew. So
 * the next commit has a higher number, whatever happens in between.
 *
 * **Commits** check, compute and write to the log in one synchronous step, as one batch, and then wait until it is
 * durable (commit.ts).
 *
 * **Reads** take what the store shows at once, which may be pending. If they cannot tell from the number in the value
 * that it is durable, they wait for the group that is under way, and read again if it was rolled back (database.ts). A
 * list takes one state for all of its entries, so it costs one such wait (list.ts). A watch reads its keys again when a
 * commit has named one of them, and when an entry expires (watch.ts).
 *
 * **Messages** of queues are entries, too, whose keys sort by the time at which they are due (message.ts), so enqueueing
 * is a part of a commit. Whether a message may be delivered is told as for reads (queue.ts).
 *
 * @example
 * ```ts
 * import { openKv } from "@kvstore/kvstore/kv";
 *
 * using kv = await openKv("./kv-data");
 * await kv.set(["users", "ada"], { name: "Ada", born: new Date("1815-12-10") });
 * const ada = await kv.get(["users", "ada"]);
 * const { ok } = await kv.atomic().check(ada).set(["users", "ada"], { name: "Ada Lovelace" }).commit();
 * for await (const { key, value } of kv.list({ prefix: ["users"] })) console.log(ok, key, value);
 * ```
 *
 * @module
 */
import { StoreShare } from "../adapters/store_share.ts";
import { KvStore } from "../../mod.ts";
import { Database } from "./database.ts";
import { Kv } from "./kv.ts";
import { DENO_LIMITS, type Limits } from "./limits.ts";
import { mark } from "./mark.ts";
import type { OpenKvOptions } from "./types.ts";

export type { AtomicOperation } from "./atomic.ts";
export type { KvExtras } from "./extras.ts";
export type { KvKey, KvKeyPart } from "./keys.ts";
export type { Kv } from "./kv.ts";
export type { KvListIterator } from "./list.ts";
export type { KvEnqueueOptions } from "./message.ts";
export * from "./types.ts";
export { KvU64 } from "./u64.ts";

/** The directory of the command line. */
const DEFAULT_DIRECTORY = "./kvstore-data";

/**
 * Opens the store in a directory, and creates it if necessary. Handles of one process on one directory share it; other
 * processes cannot open it meanwhile. `":memory:"` is a store that ends with its handle.
 *
 * @param path the directory: a path, or a `file:` URL (default: `./kvstore-data`)
 * @throws {TypeError} for what is no path, and for options that do not exist
 * @throws {KvStoreError} as `KvStore.open` does, and `FORMAT` for a store that holds anything else
 */
export async function openKv(path: string | URL = DEFAULT_DIRECTORY, options: OpenKvOptions = {}): Promise<Kv> {
  const limits = limitsOf(options);
  if (path === "") throw new TypeError("Filename cannot be empty");
  if (path !== ":memory:" && typeof path === "string" && path.startsWith(":")) {
    throw new TypeError("Filename cannot start with ':' unless prefixed with './'");
  }
  if (/^https?:/.test(`${path}`)) throw new TypeError("openKv opens a directory: what has a URL is for Deno.openKv");
  const share = path === ":memory:" ? undefined : new StoreShare(path, {});
  const store = await (share?.store() ?? KvStore.open(path));
  const database = new Database(store as KvStore<Uint8Array>, limits, () => (share?.release() ?? store.close()));
  try {
    await mark(database.store);
    return new Kv(database);
  } catch (error) {
    await database.close();
    throw error;
  }
}

function limitsOf({ limits = "deno", ...others }: OpenKvOptions): Limits {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new TypeError(`openKv has no option ${unknown}, only limits`);
  if (limits !== "deno" && limits !== "store") throw new TypeError(`limits is "deno" or "store", not ${limits}`);
  return limits === "deno" ? DENO_LIMITS : {};
}
