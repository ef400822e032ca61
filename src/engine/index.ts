/**
 * The index: where the latest record of each key lies. It is kept in memory, so `has` reads nothing, and `get` reads once.
 * One in some hundred times it meets a short record of another key first, mostly where the key is missing. The keys are spread over 256 hash tables by the
 * top byte of their hash. Each table is small enough to be grown, copied or read from disk in a moment; one large table
 * would stop the program.
 *
 * @module
 */
import { ExpiredRecords } from "../expiries.ts";
import { hashKey } from "../hash.ts";
import { ENTRY_FIELDS, ID_MASK, type KeyRef, lengthOf, Partition, refOf, STRING_FORM } from "./partition.ts";
import type { Relocations } from "../relocation.ts";
import type { KeyOrder } from "./interfaces.ts";
import type { Segment } from "./segment.ts";

const NOTHING = { entries: new Uint32Array(0), count: 0, expiries: undefined };

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

/** A key, and how it was given. */
export interface TypedKey extends KeyBytes {
  /** Whether it was given as a string. */
  isString: boolean;
}

/**
 * Maps keys to places. `find` leaves the place that it found in the fields `segment` (0 if there is none), `offset`,
 * `length`, `isString` and `expiresAt`; `put` and `remove` leave the place that they replaced. To allocate an object
 * for each call would be the most expensive part of the call.
 *
 * A key that has expired keeps its place: its record serves as a tombstone for older ones, and older snapshots may
 * still read it. So `find` finds it, `isExpired` says that it counts as gone, and `size` leaves it out.
 *
 * @experimental
 */
export class Index implements Place {
  segment = 0;
  offset = 0;
  length = 0;
  isString = false;
  expiresAt = 0;
  /** Seed of the hash. */
  readonly seed: number;
  /** While this is positive, entries of deleted keys stay, as snapshots may still list them. */
  holds = 0;
  /** @internal The keys in order, once a range has been asked for. */
  order: KeyOrder | undefined;
  /** The records of keys that had expired when `expire` was called last. */
  readonly expired: ExpiredRecords = new ExpiredRecords();
  /** How many keys have a place, including those that have expired. */
  protected placed = 0;
  /** The tables. One that has had no key yet is `undefined`. */
  protected readonly partitions: (Partition | undefined)[] = new Array(PARTITIONS).fill(undefined);

  /** An empty index. */
  constructor(seed: number = crypto.getRandomValues(new Uint32Array(1))[0]!) {
    this.seed = seed;
  }

  /** How many keys have a place and have not expired. */
  get size(): number {
    return this.placed - this.expired.count;
  }

  /** Whether the key that was found has expired. */
  get isExpired(): boolean {
    return this.expiresAt !== 0 && this.expiresAt <= this.expired.now;
  }

  /** Memory held by tables and by the order of the keys, in bytes. */
  get heldBytes(): number {
    return this.partitions.reduce((sum, partition) => sum + (partition?.heldBytes ?? 0), this.order?.heldBytes ?? 0);
  }

  /** A table; `undefined` if it has had no key. An index that reads its tables on demand reads it. */
  existing(number: number): Partition | undefined {
    return this.partitions[number];
  }

  /** A table, if it is in memory. Reads nothing. */
  loaded(number: number): Partition | undefined {
    return this.partitions[number];
  }

  /** A table, which is created if it has had no key yet. */
  partition(number: number): Partition {
    const existing = this.existing(number);
    if (existing !== undefined) return existing;
    const partition = this.partitions[number] = new Partition(this.seed);
    this.order?.follow(number, partition);
    return partition;
  }

  /**
   * The index as one that may be changed, or in which this key may be changed. An index that reads its tables on demand
   * reads those that are missing first: all, or the one of the key.
   */
  changeable(_key?: KeyBytes): Index {
    return this;
  }

  /** Closes the file that tables are read from, if there is one. */
  close(): void {}

  /** Lets all keys expire whose time has come. */
  expire(now: number): void {
    this.expired.now = now;
    let next = Infinity;
    for (let number = 0; number < PARTITIONS; number++) next = Math.min(next, this.expireIn(number));
    this.expired.next = next;
  }

  /** Lets the keys of one table expire. Returns when its next key expires. */
  protected expireIn(number: number): number {
    const partition = this.partitions[number];
    return partition === undefined ? Infinity : this.expired.collect(partition);
  }

  /** Notes in each segment how much has expired of the records in it that this index points at. */
  countExpired(segments: Iterable<Segment>): void {
    for (const segment of segments) {
      ({ bytes: segment.expiredBytes, graveBytes: segment.graveBytes } = this.expired.in(segment.number));
    }
  }

  /** Looks a key up and leaves its place in the fields. False if it has none. */
  find(bytes: Uint8Array, start: number, length: number): boolean {
    return this.knows(bytes, start, length) && this.segment !== 0;
  }

  /** Looks a key up as `find` does. Also true if the key has an entry without a place. */
  knows(bytes: Uint8Array, start: number, length: number): boolean {
    const hash = hashKey(bytes, start, length, this.seed);
    const partition = this.existing(hash >>> 24);
    return this.#setFields(partition, partition === undefined ? -1 : partition.find(hash, bytes, start, length));
  }

  /** @internal The entry of a key, if it points at this place. */
  refAt(key: Uint8Array, segment: number, offset: number): KeyRef | undefined {
    const hash = hashKey(key, 0, key.length, this.seed);
    const id = this.existing(hash >>> 24)?.find(hash, key, 0, key.length) ?? -1;
    const ref = id < 0 ? undefined : refOf(hash >>> 24, id);
    return ref !== undefined && this.look(ref) && this.segment === segment && this.offset === offset ? ref : undefined;
  }

  /**
   * Looks a key up by its hash alone. False is certain; true may have found the place of another key. Keys are the part
   * of the index that is least likely to be in the processor's cache: not to compare them saves a sixth of a `get`.
   */
  guess(bytes: Uint8Array, start: number, length: number): boolean {
    const hash = hashKey(bytes, start, length, this.seed);
    const partition = this.existing(hash >>> 24);
    return this.#setFields(partition, partition === undefined ? -1 : partition.guess(hash));
  }

  /** @internal Leaves the place of an entry in the fields, as `find` does. False if it has none. */
  look(ref: KeyRef): boolean {
    return this.#setFields(this.partitions[ref >>> 24], ref & ID_MASK) && this.segment !== 0;
  }

  /** @internal Whether an entry's key has a place and has not expired. */
  lists(ref: KeyRef): boolean {
    return this.look(ref) && !this.isExpired;
  }

  /** @internal The key of an entry. */
  keyOf(ref: KeyRef): KeyBytes {
    return this.partitions[ref >>> 24]!.key(ref & ID_MASK);
  }

  /**
   * Visits all keys, including those without a place, which is in the fields. The key is valid during the visit only.
   */
  each(visit: (key: KeyBytes) => void): void {
    for (let number = 0; number < PARTITIONS; number++) this.eachOf(number, visit);
  }

  /** Visits the keys of one table, as `each` does. */
  eachOf(number: number, visit: (key: KeyBytes) => void): void {
    const partition = this.existing(number);
    for (let id = 0; id < (partition?.count ?? 0); id++) {
      this.#setFields(partition, id);
      visit(partition!.key(id));
    }
  }

  /**
   * Points a key at a place, until it expires (0: never), and leaves its former place in the fields. A segment of 0
   * takes the place away. If this throws, as memory has run out, nothing has changed.
   */
  put(key: KeyBytes, segment: number, offset: number, form: number, expiresAt: number = 0): void {
    const hash = hashKey(key.bytes, key.start, key.length, this.seed);
    const partition = this.partition(hash >>> 24);
    let id = partition.find(hash, key.bytes, key.start, key.length);
    if (expiresAt !== 0) {
      // Allocate first: to views, an entry without a place says that the key was deleted.
      if (id < 0) partition.makeRoom(key.length, this.holds > 0);
      partition.reserveExpiry();
    }
    if (id < 0) id = partition.add(hash, key.bytes, key.start, key.length, this.holds > 0);
    this.point(refOf(hash >>> 24, id), segment, offset, form, expiresAt);
  }

  /**
   * @internal Points an entry at a place, as `put` does a key. For a time of expiry, `Partition.reserveExpiry` has made
   * room.
   */
  point(ref: KeyRef, segment: number, offset: number, form: number, expiresAt: number): void {
    const partition = this.partitions[ref >>> 24]!;
    const id = ref & ID_MASK;
    this.#setFields(partition, id);
    const wasListed = this.segment !== 0 && !this.isExpired;
    if (this.expiresAt !== 0) this.expired.unset(partition, id);
    const added = (segment === 0 ? 0 : 1) - (this.segment === 0 ? 0 : 1);
    partition.live += added;
    this.placed += added;
    const at = id * ENTRY_FIELDS;
    partition.entries[at + 1] = segment;
    partition.entries[at + 2] = offset;
    partition.entries[at + 3] = form;
    if (expiresAt !== 0) this.expired.set(partition, id, expiresAt);
    if (this.order !== undefined && segment !== 0 && !wasListed) this.order.add(ref);
  }

  /** Takes a key out and leaves its former place in the fields. False, without a change, if it had none. */
  remove(key: KeyBytes): boolean {
    if (!this.find(key.bytes, key.start, key.length)) return false;
    this.put(key, 0, 0, 0);
    return true;
  }

  /**
   * Notes in `relocations` the places to which the entries of a table point in these segments. Returns how many entries
   * it looked at.
   */
  noteLive(number: number, relocations: Relocations): number {
    const { entries, count } = this.existing(number) ?? NOTHING;
    for (let at = 0; at < count * ENTRY_FIELDS; at += ENTRY_FIELDS) {
      relocations.of(entries[at + 1]!)?.noteLive(entries[at + 2]!);
    }
    return count;
  }

  /**
   * Points the entries of a table whose records were moved to `target` at their new places, and counts the records there
   * as live. Takes out entries that have expired and were not moved, and announces each to `observer`. Returns how many
   * entries it looked at. Without a `target`, nothing was moved.
   */
  relocate(
    number: number,
    relocations: Relocations,
    target: Pick<Segment, "number" | "liveBytes"> | undefined,
    observer?: { beforeChange(key: KeyBytes, place: Place): void },
  ): number {
    const { entries, count, expiries } = this.existing(number) ?? NOTHING;
    for (let id = 0; id < count; id++) {
      const at = id * ENTRY_FIELDS;
      const relocation = relocations.of(entries[at + 1]!);
      if (relocation === undefined) continue;
      const ref = refOf(number, id);
      const offset = relocation.target(entries[at + 2]!);
      if (offset !== 0) {
        if (expiries === undefined) {
          // What `point` comes to here, for the many keys of a compaction.
          entries[at + 1] = target!.number;
          entries[at + 2] = offset;
        } else this.point(ref, target!.number, offset, entries[at + 3]!, expiries.timeOf(id));
        target!.liveBytes += lengthOf(entries[at + 3]!);
      } else if (this.look(ref) && this.isExpired) {
        observer?.beforeChange(this.keyOf(ref), this);
        this.point(ref, 0, 0, 0, 0);
      }
    }
    return count;
  }

  /** Sets the fields to the place of an entry. False if there is no such entry. */
  #setFields(partition: Partition | undefined, id: number): boolean {
    if (partition === undefined || id < 0) {
      this.segment = 0;
      this.expiresAt = 0;
      return false;
    }
    const at = id * ENTRY_FIELDS;
    this.segment = partition.entries[at + 1]!;
    this.offset = partition.entries[at + 2]!;
    const form = partition.entries[at + 3]!;
    this.length = lengthOf(form);
    this.isString = form >= STRING_FORM;
    this.expiresAt = partition.expiries === undefined ? 0 : partition.expiries.timeOf(id);
    return true;
  }
}

/**
 * An index to read from, which may not have read all its tables yet. `changeable` returns one in which keys may be
 * changed; `relocate` changes no key, only where its record is.
 *
 * @experimental
 */
export type ReadIndex = Omit<Index, "put" | "point" | "remove" | "partition">;
