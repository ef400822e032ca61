/**
 * The calls that change keys.
 *
 * @module
 */
import { describe } from "../kinds.ts";
import { attempt, paced, rejected } from "../platform/turn.ts";
import type { BatchOperation, Durability, Key, Range, SetOptions, Value, WriteOptions } from "../types.ts";
import { versionOf } from "../watch/history.ts";
import { timeBy } from "../expiries.ts";
import { nameOf, ownKey } from "./keys.ts";
import type { OpenStore } from "./open_store.ts";
import { encodeBatch, stage, stageBatch, stageDeletes } from "./operations.ts";
import { checkNames, durabilityOf, expiryTimeOf, type Settings } from "./options.ts";
import type { Reading } from "./reader.ts";
import { type EncodedValue, encodeValue } from "./values.ts";

const WRITE_OPTIONS = ["durability"];
const SET_OPTIONS = [...WRITE_OPTIONS, "ttl", "expiresAt"];

/** Writes to a store, for `KvStore`, which says what each call does. */
export class Writing<V extends Value = Value, K extends Key = Key> {
  readonly #engine: OpenStore;
  readonly #reading: Reading<V, K>;
  readonly #settings: Settings;
  /** The values that `getOrSet` is making, by the bytes of their keys. */
  readonly #making: Map<string, Promise<V>> = new Map();
  readonly #now = (): number => timeBy(this.#engine.log.platform, this.#engine.log.clockFloor);

  /** Writes to the store of `engine`, of which `reading` reads the present state. */
  constructor(engine: OpenStore, reading: Reading<V, K>, settings: Settings) {
    this.#engine = engine;
    this.#reading = reading;
    this.#settings = settings;
  }

  set(key: K, value: V, options?: SetOptions): Promise<void> {
    try {
      const durability = this.#durability(options, SET_OPTIONS);
      const expiresAt = options === undefined ? 0 : expiryTimeOf(options, this.#now);
      // Encode before anything is staged: a value's toJSON is the caller's code, and may call the store.
      return this.#write(key, encodeValue(value, this.#settings.strictJson), expiresAt, durability);
    } catch (error) {
      return rejected(error);
    }
  }

  delete(key: K, options?: WriteOptions): Promise<boolean> {
    return attempt(() => this.#delete(key, this.#durability(options)));
  }

  batch(operations: Iterable<BatchOperation<V, K>>, options?: WriteOptions): Promise<void> {
    return attempt(() => {
      const durability = this.#durability(options);
      const list = encodeBatch(operations, { now: this.#now, isStrict: this.#settings.strictJson });
      const writer = this.#engine.beginWrite();
      stageBatch(this.#engine, list);
      if (writer.tail.stagedEnd > writer.tail.length) writer.publish();
      return writer.reached(durability);
    });
  }

  deleteRange(range: Range, options?: WriteOptions): Promise<number> {
    return attempt(() => {
      const durability = this.#durability(options);
      this.#engine.writable();
      const keys = [...this.#reading.keys(range)];
      const writer = this.#engine.beginWrite();
      stageDeletes(this.#engine, writer, keys);
      return writer.reached(durability).then(() => keys.length);
    });
  }

  clear(): Promise<void> {
    return attempt(() => {
      const writer = this.#engine.beginWrite();
      this.#engine.stageClear();
      writer.publish();
      return writer.reached("sync");
    });
  }

  update(key: K, change: (value: V | undefined) => V | undefined, options: SetOptions = {}): Promise<V | undefined> {
    return attempt(() => {
      const durability = this.#durability(options, SET_OPTIONS);
      const own = ownKey(key);
      const value = change(this.#reading.get(own));
      if (value === undefined) return this.#delete(own, durability).then(() => undefined);
      const encoded = encodeValue(value, this.#settings.strictJson);
      const expiresAt = expiryTimeOf(options, this.#now) || (this.#reading.expiresAt(own) ?? 0);
      return this.#write(own, encoded, expiresAt, durability).then(() => value);
    });
  }

  increment(key: K, by: number, options?: SetOptions): Promise<number> {
    return attempt(() => {
      if (typeof by !== "number") throw new TypeError(`an increment is a number, not ${describe(by)}`);
      const add = (value: unknown = 0) => {
        if (typeof value !== "number") {
          throw new TypeError(`only a number can be incremented; the value of this key is ${describe(value)}`);
        }
        const sum = value + by;
        if (Number.isFinite(sum) && (Number.isSafeInteger(sum) || !Number.isInteger(sum))) return sum;
        throw new RangeError(
          Number.isNaN(sum)
            ? `${value} + ${by} is no number`
            : `${value} + ${by} is beyond the whole numbers that are exact, up to 2^53 - 1`,
        );
      };
      return this.update(key, add as (value: V | undefined) => V, options) as Promise<Value> as Promise<number>;
    });
  }

  touch(key: K, options: SetOptions): Promise<boolean> {
    return attempt(() => {
      const durability = this.#durability(options, SET_OPTIONS);
      const expiresAt = expiryTimeOf(options ?? {}, this.#now);
      if (expiresAt === 0) throw new TypeError("touch needs a ttl or an expiresAt; persist takes a key's expiry away");
      return this.#renew(key, expiresAt, durability);
    });
  }

  persist(key: K, options?: WriteOptions): Promise<boolean> {
    return attempt(() => {
      const durability = this.#durability(options);
      const writer = this.#engine.writable();
      if (this.#reading.expiresAt(key) !== undefined) return this.#renew(key, 0, durability);
      return writer.reached(durability).then(() => false);
    });
  }

  getOrSet(key: K, make: () => V | Promise<V>, options?: SetOptions): Promise<V> {
    return paced(async () => {
      this.#durability(options, SET_OPTIONS);
      const found = this.#reading.get(key);
      if (found !== undefined) return found;
      this.#engine.writable();
      const own = ownKey(key);
      const name = nameOf(this.#engine.key.encode(own));
      let making = this.#making.get(name);
      if (making === undefined) {
        making = this.#make(own, make, options).finally(() => this.#making.delete(name));
        this.#making.set(name, making);
      }
      const made = await making;
      // Each caller may change what it gets, so each gets a value of its own.
      return this.#reading.get(own) ?? made;
    });
  }

  restore(key: K, seq: number, options?: WriteOptions): Promise<void> {
    return paced(async () => {
      const durability = this.#durability(options);
      this.#engine.writable();
      const own = ownKey(key);
      const { value, expiresAt } = await versionOf(this.#engine, own, seq);
      await this.#write(own, value, expiresAt > this.#now() ? expiresAt : 0, durability);
    });
  }

  #write(key: K, value: EncodedValue, expiresAt: number, durability: Durability): Promise<void> {
    const writer = this.#engine.beginWrite();
    stage(this.#engine, { key, value, expiresAt });
    writer.publish();
    return writer.reached(durability);
  }

  #delete(key: K, durability: Durability): Promise<boolean> {
    const engine = this.#engine;
    const writer = engine.beginWrite();
    engine.expire();
    const encoded = engine.key.encode(key);
    const isListed = engine.isListed(encoded);
    const isThere = isListed && !engine.index.isExpired;
    // Also delete a key that has expired. Otherwise it could return after a crash if the clock is set back.
    if (isListed) {
      engine.stageDelete(encoded);
      writer.publish();
    }
    return writer.reached(durability).then(() => isThere);
  }

  /** Gives a key another expiry. Resolves to whether it was there. */
  #renew(key: K, expiresAt: number, durability: Durability): Promise<boolean> {
    const writer = this.#engine.writable();
    const own = ownKey(key);
    const value = this.#reading.get(own);
    if (value === undefined) return writer.reached(durability).then(() => false);
    return this.#write(own, encodeValue(value), expiresAt, durability).then(() => true);
  }

  /** Makes the value of a key that has none, and sets it, unless the key has got one meanwhile. */
  async #make(key: K, make: () => V | Promise<V>, options: SetOptions | undefined): Promise<V> {
    const value = await make();
    const present = this.#reading.get(key);
    if (present !== undefined) return present;
    await this.set(key, value, options);
    return value;
  }

  #durability(options: WriteOptions | undefined, names: readonly string[] = WRITE_OPTIONS): Durability {
    if (options === undefined) return this.#settings.durability;
    checkNames("a write", options, names);
    return durabilityOf(options.durability, this.#settings.durability);
  }
}
