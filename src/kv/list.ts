/**
 * Lists: the entries of a range of keys.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { paced } from "../adapters/event_loop.ts";
import type { Database } from "./database.ts";
import { encodeKey, type KvKey } from "./keys.ts";
import { check } from "./limits.ts";
import { entryOf } from "./stored.ts";
import type { KvEntry, KvListOptions, KvListSelector, KvReadOptions } from "./types.ts";

/** The keys of a list, encoded: from `start` to before `end`. Cursors leave out `common`, which all keys begin with. */
interface Bounds {
  start: Uint8Array;
  end: Uint8Array;
  common: Uint8Array;
}

/**
 * The entries of a list, one after the other, all from the state at the first step. Later commits do not show.
 *
 * @typeParam T type of the values, for the type checker only
 */
export class KvListIterator<T> implements AsyncIterableIterator<KvEntry<T>, undefined> {
  readonly #database: Database;
  readonly #selector: KvListSelector;
  readonly #options: KvListOptions;
  #opening: Promise<Iterator<[Uint8Array, Uint8Array], undefined>> | undefined;
  #entries: Iterator<[Uint8Array, Uint8Array], undefined> | undefined;
  #common: Uint8Array | undefined;
  /** The last key; `undefined` at the end. */
  #last: Uint8Array | undefined;
  #left: number;

  /**
   * @internal Made by `Kv.list()`. Throws for what Deno refuses at once; the rest is checked at the first step.
   */
  constructor(database: Database, selector: KvListSelector, options: KvListOptions) {
    checkSelector(selector);
    checkPositive("Limit", options.limit);
    checkPositive("batchSize", options.batchSize);
    this.#database = database;
    this.#selector = selector;
    this.#options = options;
    this.#left = options.limit ?? Infinity;
  }

  /**
   * Where the list is: pass it to another list, of this process or a later one, to go on after the last entry. Empty
   * once there are no more.
   *
   * @throws {Error} before the first step
   */
  get cursor(): string {
    if (this.#common === undefined) throw new Error("Cannot get cursor before first iteration");
    return this.#last === undefined ? "" : toBase64(this.#last.subarray(this.#common.length));
  }

  /** Returns the next entry. */
  next(): Promise<IteratorResult<KvEntry<T>, undefined>> {
    return paced(() => this.#next());
  }

  async #next(): Promise<IteratorResult<KvEntry<T>, undefined>> {
    const entries = this.#entries ??= await (this.#opening ??= this.#open());
    if (this.#left === 0) return { done: true, value: undefined };
    void this.#database.store;
    const step = entries.next();
    this.#last = step.value?.[0];
    this.#left = step.done ? 0 : this.#left - 1;
    return step.done ? step : { done: false, value: entryOf<T>(...step.value) };
  }

  /** Ends the list. */
  async return(): Promise<IteratorResult<KvEntry<T>, undefined>> {
    this.#left = 0;
    (await this.#opening)?.return?.();
    return { done: true, value: undefined };
  }

  /** Returns the list itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Takes the state that is listed, and waits until it is durable. */
  async #open(): Promise<Iterator<[Uint8Array, Uint8Array], undefined>> {
    const { batchSize, cursor, limit, reverse = false } = this.#options;
    checkConsistency(this.#options);
    const { limits } = this.#database;
    check("Too many entries", batchSize ?? 0, limits.batchSize);
    const bounds = boundsOf(this.#selector);
    this.#common = bounds.common;
    if (compare(bounds.start, bounds.end) > 0) throw new TypeError("Start key is greater than end key");
    const { start, end } = cursor ? resumed(bounds, fromBase64(cursor), reverse) : bounds;
    for (const { length } of [start, end]) check("Key too large for read", length, limits.readKeyBytes, " bytes");
    const range = { gte: start, lt: end, reverse, ...(limit === undefined ? {} : { limit }), keys: "bytes" } as const;
    for (;;) {
      const entries = this.#database.store.entries(range);
      if (this.#database.isLasting(undefined) || await this.#database.lasts()) return entries;
      entries.return?.();
    }
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

function checkSelector({ prefix, start, end }: { prefix?: KvKey; start?: KvKey; end?: KvKey }): void {
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
  // No part of a key begins with either byte, so these bounds hold all that follows the prefix.
  const [first, last] = [followed(prefix, 0), followed(prefix, 0xff)];
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
  const bytes = new Uint8Array(key.length + 1).fill(byte);
  bytes.set(key);
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
