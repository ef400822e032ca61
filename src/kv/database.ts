/**
 * A store as one handle sees it, with what is known to be durable. Reads of the store show writes that are pending and
 * may be rolled back. Those of a handle wait until what they have seen is durable, and read again if it was taken back.
 *
 * @module
 */
import { type KvStore, KvStoreError } from "../../mod.ts";
import { badResource } from "../platform/bad_resource.ts";
import type { Limits } from "./limits.ts";
import { sequenceOf } from "./stored.ts";

/** What the handles of a store share is in the store, since another copy of this package may have made some of them. */
const ON_WRITE = Symbol.for("@kvstore/kvstore/kv-on-write");

/** An open store, until the handle is closed. */
export class Database {
  /** The limits of the calls. */
  readonly limits: Limits;
  /** Whether the handle is closed. */
  isClosed = false;
  /** Called when the handle is closed. */
  readonly onClose: Set<() => void> = new Set();
  /** Called when a key was written, or could not be, by any handle of the store. By the names of keys. */
  readonly onWrite: Map<string, Set<() => void>>;
  readonly #store: KvStore<Uint8Array>;
  /** Every record up to this sequence number is durable. */
  #durable = 0;

  readonly #release: () => Promise<void>;
  #released: Promise<void> | undefined;

  /** Works on a store, which others may use as well. `release` gives it back. */
  constructor(store: KvStore<Uint8Array>, limits: Limits, release: () => Promise<void>) {
    this.#store = store;
    this.limits = limits;
    this.onWrite = (store as { [ON_WRITE]?: Database["onWrite"] })[ON_WRITE] ??= new Map();
    this.#release = release;
  }

  /** Closes the handle. Resolves once the store is given back. */
  close(): Promise<void> {
    this.isClosed = true;
    for (const end of this.onClose) end();
    return this.#released ??= this.#release();
  }

  /** The open store. Throws `BadResource` once the handle is closed. */
  get store(): KvStore<Uint8Array> {
    if (this.isClosed) throw badResource();
    return this.#store;
  }

  /** What the store has for some keys, all from one state, which is durable. */
  async read(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    for (;;) {
      const { store } = this;
      const found = keys.map((key) => store.get(key));
      if (found.every((stored) => this.isLasting(stored)) || await this.lasts()) return found;
    }
  }

  /** Whether what was just read of a key is known to be durable. A value that is was the last thing done to its key. */
  isLasting(stored: Uint8Array | undefined): boolean {
    return (stored === undefined ? this.#store.lastSequence : sequenceOf(stored)) <= this.#durable;
  }

  /** Waits until what was just read is durable. False if it was taken back: read again. */
  async lasts(): Promise<boolean> {
    try {
      await this.wrote(this.#store.flush());
      return true;
    } catch (error) {
      if (isTakenBack(error)) return false;
      throw error;
    }
  }

  /** Waits for a write of the store that was made right before. Then it calls those who wait for its keys. */
  async wrote(write: Promise<void>, operations: { key: Uint8Array }[] = []): Promise<void> {
    const sequence = this.#store.lastSequence;
    try {
      await write;
      this.#durable = Math.max(this.#durable, sequence);
    } finally {
      if (this.onWrite.size > 0) {
        for (const { key } of operations) this.onWrite.get(nameOf(key))?.forEach((wake) => wake());
      }
    }
  }
}

/** The bytes of a key as text, by which maps know it. */
export function nameOf(key: Uint8Array): string {
  return String.fromCharCode.apply(null, key as never);
}

/** Whether what was to be written was taken back. Of a store that has failed nobody knows what lasts. */
export function isTakenBack(error: unknown): boolean {
  return KvStoreError.is(error) && error.code === "IO";
}
