/**
 * The index: where the latest record of each key lies. It is kept in memory, so that `has` reads nothing and `get` reads
 * once at most, for a missing key hardly ever. 256 hash tables share the keys by the top byte of their hash: each stays
 * small enough to grow, to be copied or to be read from the image in a moment, where one large table would stop the
 * world.
 *
 * @module
 */
import { hashKey } from "../hash.ts";
import { ENTRY_FIELDS, ID_MASK, type KeyRef, Partition, refOf, STRING_FORM } from "./partition.ts";
import type { Relocation } from "../relocation.ts";

const NOTHING = { entries: new Uint32Array(0), count: 0, expiries: undefined };
const NONE_EXPIRED: Readonly<Expired> = { count: 0, bytes: 0, keyBytes: 0 };

/** Number of hash tables. */
export const PARTITIONS = 256;

/**
 * Where a record lies. Offset and length are in bytes.
 *
 * @experimental
 */
export interface Place {
  /** Segment number; 0 where there is no record. */
  segment: number;
  /** Where the record starts. */
  offset: number;
  /** How long the whole record is. */
  length: number;
  /** Whether its key was given as a string. */
  isString: boolean;
  /** When its key expires, in milliseconds since 1970; 0: never. */
  expiresAt: number;
}

/**
 * Records in one segment that an index points at and that have expired.
 *
 * @experimental
 */
export interface Expired {
  /** How many. */
  count: number;
  /** Their bytes … */
  bytes: number;
  /** … of which so many are keys. */
  keyBytes: number;
}

/**
 * A key as bytes within a larger array.
 *
 * @experimental
 */
export interface KeyBytes {
  /** The array. */
  bytes: Uint8Array;
  /** Where the key starts in it. */
  start: number;
  /** How long the key is. */
  length: number;
}

/** The keys of an index in order: hears of each that comes. */
export interface KeyOrder {
  /** Memory held, in bytes. */
  readonly heldBytes: number;
  /** A table was added. */
  follow(number: number, partition: Partition): void;
  /** A key has got a place that had none. */
  add(ref: KeyRef): void;
}

/**
 * Keys to places. The place that `find` found, and the one that `put` and `remove` replaced, are left in the fields
 * `segment` (0: there was none), `offset`, `length`, `isString` and `expiresAt`, as an object for each call would be the
 * most expensive part of it.
 *
 * What has expired keeps its place: its record is the tombstone of older ones, and snapshots from before may read it. So
 * `find` finds it, and `isExpired` says that it counts as gone; only `size` leaves it out.
 *
 * @experimental
 */
export class Index implements Place {
  segment = 0;
  offset = 0;
  length = 0;
  isString = false;
  expiresAt = 0;
  /** The time as of which keys have expired: that of the last `expire`. */
  now = 0;
  /** Up to this time no other key expires; `Infinity` if none ever does. It may be too low, never too high. */
  nextExpiry: number = Infinity;
  /** Seed of the hash. */
  readonly seed: number;
  /** While positive, entries of deleted keys stay: snapshots may still list them. */
  holds = 0;
  /** @internal The keys in order, once somebody has asked for them. */
  order: KeyOrder | undefined;
  /** How many keys have a place; also those that have expired. */
  protected placed = 0;
  /** Bytes of records that keys which have expired point at … */
  expiredBytes = 0;
  /** … how many keys that are … */
  expired = 0;
  /** … and all of it by segment. */
  readonly #expiredIn: Map<number, Expired> = new Map();
  /** The tables; one that no key has come to is not there. */
  protected readonly partitions: (Partition | undefined)[] = new Array(PARTITIONS).fill(undefined);

  /** An empty index. */
  constructor(seed: number = crypto.getRandomValues(new Uint32Array(1))[0]!) {
    this.seed = seed;
  }

  /** How many keys have a place and have not expired. */
  get size(): number {
    return this.placed - this.expired;
  }

  /** Whether the key that was found has expired. */
  get isExpired(): boolean {
    return this.expiresAt !== 0 && this.expiresAt <= this.now;
  }

  /** The records in a segment that this index points at and that have expired. */
  expiredIn(segment: number): Readonly<Expired> {
    return this.#expiredIn.get(segment) ?? NONE_EXPIRED;
  }

  /** Memory held by the partitions that are in memory and by the order of the keys, in bytes. */
  get heldBytes(): number {
    return this.partitions.reduce((sum, partition) => sum + (partition?.heldBytes ?? 0), this.order?.heldBytes ?? 0);
  }

  /** A partition, if any key has come to it. */
  existing(number: number): Partition | undefined {
    return this.partitions[number];
  }

  /** A partition, if it is in memory already: reads nothing. */
  loaded(number: number): Partition | undefined {
    return this.partitions[number];
  }

  /** A partition, created if no key has come to it yet. */
  partition(number: number): Partition {
    const existing = this.existing(number);
    if (existing !== undefined) return existing;
    const partition = this.partitions[number] = new Partition(this.seed);
    this.order?.follow(number, partition);
    return partition;
  }

  /** This index, once it can be changed: one that reads its tables when they are needed has read all of them then. */
  changeable(): Index {
    return this;
  }

  /** Gives up the file that tables are read from, if there is one. */
  close(): void {}

  /** Lets everything expire whose time has come. */
  expire(now: number): void {
    this.now = now;
    this.nextExpiry = Infinity;
    for (let number = 0; number < PARTITIONS; number++) {
      this.nextExpiry = Math.min(this.nextExpiry, this.soonestIn(number));
    }
  }

  /** Lets expire what has to in a table that may be there. Returns when the next key in it expires. */
  protected soonestIn(number: number): number {
    const partition = this.partitions[number];
    return partition === undefined ? Infinity : this.expireIn(partition);
  }

  /** Counts what has expired in one table. Returns when the next key in it expires. */
  protected expireIn(partition: Partition): number {
    const { expiries } = partition;
    if (expiries === undefined) return Infinity;
    while (expiries.soonest <= this.now) this.#countExpired(partition, expiries.next(), 1);
    return expiries.soonest;
  }

  /** An entry that has a place gets a time of expiry, there being room for it and none so far. */
  expireAt(partition: Partition, id: number, time: number): void {
    const hasCome = time <= this.now;
    partition.expiries!.set(id, time, hasCome);
    if (hasCome) this.#countExpired(partition, id, 1);
    else if (time < this.nextExpiry) this.nextExpiry = time;
  }

  /** An entry loses its time of expiry, if it has one: before its place changes. */
  unexpire(partition: Partition, id: number): void {
    const { expiries } = partition;
    if (expiries === undefined || expiries.timeOf(id) === 0) return;
    if (expiries.hasCome(id)) this.#countExpired(partition, id, -1);
    expiries.unset(id);
  }

  #countExpired(partition: Partition, id: number, sign: 1 | -1): void {
    const segment = partition.entries[id * ENTRY_FIELDS + 1]!;
    const bytes = sign * lengthOf(partition.entries[id * ENTRY_FIELDS + 3]!);
    let sums = this.#expiredIn.get(segment);
    if (sums === undefined) this.#expiredIn.set(segment, sums = { ...NONE_EXPIRED });
    this.expired += sign;
    this.expiredBytes += bytes;
    sums.count += sign;
    sums.bytes += bytes;
    sums.keyBytes += sign * partition.key(id).length;
    if (sums.count === 0) this.#expiredIn.delete(segment);
  }

  /** Looks a key up; its place is in the fields afterwards. */
  find(bytes: Uint8Array, start: number, length: number): boolean {
    this.knows(bytes, start, length);
    return this.segment !== 0;
  }

  /** Looks a key up as `find` does, but is true as well for one that is there without a place. */
  knows(bytes: Uint8Array, start: number, length: number): boolean {
    const hash = hashKey(bytes, start, length, this.seed);
    const partition = this.existing(hash >>> 24);
    const id = partition === undefined ? -1 : partition.find(hash, bytes, start, length);
    this.segment = 0;
    this.expiresAt = 0;
    if (id >= 0) this.#take(partition!, id);
    return id >= 0;
  }

  /**
   * `knows` without comparing keys: false is certain, but the place may be that of another key. The keys are the part of
   * the index that the processor's cache holds least of: not looking at them saves a sixth of a `get`.
   */
  guess(bytes: Uint8Array, start: number, length: number): boolean {
    const hash = hashKey(bytes, start, length, this.seed);
    const partition = this.existing(hash >>> 24);
    const id = partition === undefined ? -1 : partition.guess(hash);
    this.segment = 0;
    if (id >= 0) this.#take(partition!, id);
    return id >= 0;
  }

  /** @internal Takes the place of an entry, as `find` does: true if its key has one. */
  look(ref: KeyRef): boolean {
    this.#take(this.partitions[ref >>> 24]!, ref & ID_MASK);
    return this.segment !== 0;
  }

  /** @internal Whether an entry's key has a place and has not expired. */
  lists(ref: KeyRef): boolean {
    return this.look(ref) && !this.isExpired;
  }

  /** @internal The key of an entry. */
  keyOf(ref: KeyRef): KeyBytes {
    return this.partitions[ref >>> 24]!.key(ref & ID_MASK);
  }

  /** Visits all keys, those without a place too: the place is in the fields. The key is a view for this visit alone. */
  each(visit: (key: KeyBytes) => void): void {
    for (let number = 0; number < PARTITIONS; number++) this.eachOf(number, visit);
  }

  /** Does the same with the keys of one table. */
  eachOf(number: number, visit: (key: KeyBytes) => void): void {
    const partition = this.existing(number);
    for (let id = 0; id < (partition?.count ?? 0); id++) {
      this.#take(partition!, id);
      visit(partition!.key(id));
    }
  }

  /**
   * Points a key at a place, until it expires (0: for good); the place it had before is in the fields afterwards. If there
   * is no memory for it, nothing has changed.
   */
  put(key: KeyBytes, segment: number, offset: number, form: number, expiresAt: number = 0): void {
    const hash = hashKey(key.bytes, key.start, key.length, this.seed);
    const partition = this.partition(hash >>> 24);
    let id = partition.find(hash, key.bytes, key.start, key.length);
    if (expiresAt !== 0) {
      // All memory first: a key that is known without a place means something to views.
      if (id < 0) partition.makeRoom(key.length, this.holds > 0);
      partition.reserveExpiry();
    }
    if (id < 0) id = partition.add(hash, key.bytes, key.start, key.length, this.holds > 0);
    this.#take(partition, id);
    const wasListed = this.segment !== 0 && !this.isExpired;
    if (this.expiresAt !== 0) this.unexpire(partition, id);
    if (this.segment === 0 && segment !== 0) this.count(partition, 1);
    else if (this.segment !== 0 && segment === 0) this.count(partition, -1);
    const at = id * ENTRY_FIELDS;
    partition.entries[at + 1] = segment;
    partition.entries[at + 2] = offset;
    partition.entries[at + 3] = form;
    if (expiresAt !== 0) this.expireAt(partition, id, expiresAt);
    if (this.order !== undefined && segment !== 0 && !wasListed) this.order.add(refOf(hash >>> 24, id));
  }

  /** Takes a key out; the place it had is in the fields afterwards. False, and nothing changes, if it had none. */
  remove(key: KeyBytes): boolean {
    if (!this.find(key.bytes, key.start, key.length)) return false;
    this.put(key, 0, 0, 0);
    return true;
  }

  /**
   * Marks the places that entries of one partition have in some segments (`relocations`, by segment number). Returns how
   * many entries it looked at.
   */
  mark(number: number, relocations: Map<number, Relocation>): number {
    const { entries, count } = this.existing(number) ?? NOTHING;
    for (let at = 0; at < count * ENTRY_FIELDS; at += ENTRY_FIELDS) {
      if (entries[at + 1] !== 0) relocations.get(entries[at + 1]!)?.mark(entries[at + 2]!);
    }
    return count;
  }

  /**
   * Points the entries of one partition whose records have been moved to segment `target` at their new places, and takes
   * out those that have expired and were not moved (`beforeRemoval` hears of each). Returns how many entries it looked
   * at, and the bytes of the records that were moved.
   */
  relocate(
    number: number,
    relocations: Map<number, Relocation>,
    target: number,
    beforeRemoval?: (key: KeyBytes, place: Place) => void,
  ): { count: number; bytes: number } {
    const partition = this.existing(number);
    const { entries, count, expiries } = partition ?? NOTHING;
    let bytes = 0;
    for (let at = 0; at < count * ENTRY_FIELDS; at += ENTRY_FIELDS) {
      const relocation = entries[at + 1] === 0 ? undefined : relocations.get(entries[at + 1]!);
      if (relocation === undefined) continue;
      const id = at / ENTRY_FIELDS;
      const offset = relocation.target(entries[at + 2]!);
      const time = expiries?.timeOf(id) ?? 0;
      if (offset === 0 && (time === 0 || time > this.now)) continue;
      if (offset === 0) {
        this.#take(partition!, id);
        beforeRemoval?.(partition!.key(id), this);
        this.count(partition!, -1);
      }
      if (time !== 0) this.unexpire(partition!, id);
      entries[at + 1] = offset === 0 ? 0 : target;
      entries[at + 2] = offset;
      if (offset === 0) continue;
      if (time !== 0) this.expireAt(partition!, id, time);
      bytes += lengthOf(entries[at + 3]!);
    }
    return { count, bytes };
  }

  /** Bytes of the records that the entries point at, by segment. */
  liveBytes(): Map<number, number> {
    const bytes = new Map<number, number>();
    this.each(() => {
      if (this.segment !== 0) bytes.set(this.segment, (bytes.get(this.segment) ?? 0) + this.length);
    });
    return bytes;
  }

  /** Counts keys that came (positive) or went (negative) in a partition. */
  count(partition: Partition, by: number): void {
    partition.live += by;
    this.placed += by;
  }

  #take(partition: Partition, id: number): void {
    const at = id * ENTRY_FIELDS;
    this.segment = partition.entries[at + 1]!;
    this.offset = partition.entries[at + 2]!;
    const form = partition.entries[at + 3]!;
    this.length = lengthOf(form);
    this.isString = form >= STRING_FORM;
    this.expiresAt = partition.expiries === undefined ? 0 : partition.expiries.timeOf(id);
  }
}

/**
 * An index that may have tables to read still. It can be asked anything; to change it, take what `changeable` returns.
 *
 * @experimental
 */
export type ReadIndex = Omit<
  Index,
  "put" | "remove" | "relocate" | "partition" | "count" | "expireAt" | "unexpire"
>;

/** Length and form of a key as one number, as entries keep them. */
export function formOf(lengthBytes: number, isString: boolean): number {
  return isString ? lengthBytes + STRING_FORM : lengthBytes;
}

/** The length in such a number. */
export function lengthOf(form: number): number {
  return form & 0x7fff_ffff;
}
