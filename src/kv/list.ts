/**
 * Lists: the entries of a range of keys.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { paced } from "../adapters/event_loop.ts";
import { ENCODED } from "./byte_writer.ts";
import type { Database } from "./database.ts";
import { decodeKey, encodeKey, type KvKey } from "./keys.ts";
import { check } from "./limits.ts";
import { entryOf } from "./stored.ts";
import type { KvEntry, KvListOptions, KvListSelector, KvReadOptions } from "./types.ts";

/** The keys of a list, encoded: from `start` to before `end`. Cursors leave out `common`, which all keys begin with. */
interface Bounds {
  start: Uint8Array;
  end: Uint8Array;
  common: Uint8Array;
}

/** What to list. */
interface Listing extends KvListOptions {
  selector: KvListSelector;
  of: "entries" | "keys";
}

/** What the store lists. */
type Steps = IteratorObject<Uint8Array | [key: Uint8Array, stored: Uint8Array], undefined>;

/**
 * The entries of a list, one after the other, all from the state at the first step. Later commits do not show.
 *
 * @typeParam T type of the values, for the type checker only
 * @typeParam E what is listed: entries, or keys alone
 */
export class KvListIterator<T, E = KvEntry<T>> implements AsyncIterableIterator<E, undefined> {
  readonly #database: Database;
  readonly #listing: Listing;
  #opening: Promise<Steps> | undefined;
  #steps: Steps | undefined;
  /** The last key; `undefined` at the end. */
  #last: Uint8Array | undefined;
  #left: number;

  /** @internal Made by `Kv.list()`. Throws for what Deno refuses at once; the rest is checked at the first step. */
  constructor(database: Database, listing: Listing) {
    checkSelector(listing.selector);
    checkPositive("Limit", listing.limit);
    checkPositive("batchSize", listing.batchSize);
    this.#database = database;
    this.#listing = listing;
    this.#left = listing.limit ?? Infinity;
  }

  /**
   * Where the list is: pass it to another list, of this process or a later one, to go on after the last entry. Empty
   * once there are no more.
   *
   * @throws {Error} before the first step
   */
  get cursor(): string {
    if (this.#steps === undefined) throw new Error("Cannot get cursor before first iteration");
    const { common } = boundsOf(this.#listing.selector);
    return this.#last === undefined ? "" : toBase64(this.#last.subarray(common.length));
  }

  /** Returns the next entry. */
  next(): Promise<IteratorResult<E, undefined>> {
    return paced(async () => {
      const steps = this.#steps ??= await (this.#opening ??= openList(this.#database, this.#listing));
      if (this.#left === 0) return { done: true, value: undefined };
      void this.#database.store;
      const { done, value } = steps.next();
      this.#last = Array.isArray(value) ? value[0] : value;
      this.#left = done ? 0 : this.#left - 1;
      if (done) return { done, value };
      return { done: false, value: (Array.isArray(value) ? entryOf<T>(...value) : decodeKey(value)) as E };
    });
  }

  /** Ends the list. */
  async return(): Promise<IteratorResult<E, undefined>> {
    this.#left = 0;
    (await this.#opening)?.return?.();
    return { done: true, value: undefined };
  }

  /** Returns the list itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** A list of at most so many entries is read at once. */
const SHORT = 10;

/** Reads a list at once. It then keeps no state open while it waits, which whoever lists and writes meanwhile would feel. */
function readAll(list: () => Steps): Steps {
  try {
    return [...list()].values();
  } catch {
    // The step that comes to what cannot be read is the one to fail.
    return list();
  }
}

/** Takes the state that is listed, and waits until it is durable. */
export async function openList(database: Database, listing: Listing): Promise<Steps> {
  const { batchSize, cursor, limit, of, reverse = false, selector } = listing;
  checkConsistency(listing);
  const { limits } = database;
  check("Too many entries", batchSize ?? 0, limits.batchSize);
  const bounds = boundsOf(selector);
  if (compare(bounds.start, bounds.end) > 0) throw new TypeError("Start key is greater than end key");
  const { start, end } = cursor ? resumed(bounds, fromBase64(cursor), reverse) : bounds;
  for (const { length } of [start, end]) check("Key too large for read", length, limits.readKeyBytes, " bytes");
  const range = { gte: start, lt: end, reverse, ...(limit === undefined ? {} : { limit }), keys: "bytes" } as const;
  for (;;) {
    const steps = limit === undefined || limit > SHORT
      ? database.store[of](range)
      : readAll(() => database.store[of](range));
    if (database.isLasting(undefined) || await database.lasts()) return steps;
    steps.return?.();
  }
}

/** Checks an option that every read takes. */
export function checkConsistency({ consistency = "strong" }: KvReadOptions): void {
  if (consistency === "strong" || consistency === "eventual") return;
  throw new TypeError(`unknown variant \`${consistency}\`, expected \`strong\` or \`eventual\``);
}

function checkPositive(name: string, value: unknown): void {
  if (value === undefined || (Number.isInteger(value) && Number(value) > 0)) return;
  throw new Error(`${name} must be a positive integer: received ${value}`);
}

/** Checks that a selector has what it must have, and no more. */
export function checkSelector({ prefix, start, end }: { prefix?: KvKey; start?: KvKey; end?: KvKey }): void {
  if (prefix === undefined && (start === undefined || end === undefined)) {
    throw new TypeError("Selector must specify either 'prefix' or both 'start' and 'end' key");
  }
  if (prefix !== undefined && start !== undefined && end !== undefined) {
    throw new TypeError("Selector can not specify both 'start' and 'end' key when specifying 'prefix'");
  }
}

function boundsOf(selector: { prefix?: KvKey; start?: KvKey; end?: KvKey }): Bounds {
  const [prefix, start, end] = [selector.prefix, selector.start, selector.end].map((key) => key && encodeKey(key));
  if (prefix === undefined) return { start: start!, end: end!, common: start!.subarray(0, commonLength(start!, end!)) };
  // No part of a key begins with either byte, so these bounds hold all that follows the prefix, and no internal keys.
  const [first, last] = [followed(prefix, 0), followed(prefix, 0xfe)];
  const isWithin = (key: Uint8Array) => key.length > prefix.length && commonLength(key, prefix) === prefix.length;
  if (start !== undefined && !isWithin(start)) {
    throw new TypeError("Start key is not in the keyspace defined by prefix");
  }
  if (end !== undefined && !isWithin(end)) throw new TypeError("End key is not in the keyspace defined by prefix");
  return { start: start ?? first, end: end ?? last, common: prefix };
}

/** The bounds of what follows a cursor. */
function resumed({ start, end, common }: Bounds, rest: Uint8Array, isReverse: boolean): Bounds {
  const last = new Uint8Array([...common, ...rest]);
  const bounds = isReverse ? { start, end: last, common } : { start: followed(last, 0), end, common };
  if (compare(bounds.start, start) >= 0 && compare(bounds.end, end) <= 0) return bounds;
  throw new TypeError("cursor out of bounds");
}

function followed(key: Uint8Array, byte: number): Uint8Array {
  const bytes = ENCODED.memoryFor(key.length + 1);
  bytes.set(key);
  bytes[key.length] = byte;
  return bytes;
}

function commonLength(a: Uint8Array, b: Uint8Array): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const at = commonLength(a, b);
  return (a[at] ?? -1) - (b[at] ?? -1);
}

/** Base 64 with `-` and `_`, padded: the form of Deno's cursors. */
function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

function fromBase64(text: unknown): Uint8Array {
  if (typeof text !== "string" || !/^[\w-]*={0,2}$/.test(text) || text.length % 4 !== 0) {
    throw new TypeError("invalid cursor");
  }
  return Buffer.from(text, "base64url");
}
