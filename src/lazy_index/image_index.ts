/**
 * An index that reads a table from the image when it needs it, so that opening a store for a few keys does not load all
 * of them. A damaged table is rebuilt from the log.
 *
 * @module
 */
import { Index, type KeyBytes, PARTITIONS } from "../engine/index.ts";
import type { Partition } from "../engine/partition.ts";
import type { Segment } from "../engine/segment.ts";
import { hashKey } from "../hash.ts";
import type { SavedOrder } from "../saved_order/saved.ts";

/** A table of the image is damaged, and the index cannot be rebuilt from the log yet. */
export class ImageDamaged extends Error {}

/** Supplies the tables of an index. */
export interface PartitionSource {
  /** How many keys of each table have a place. */
  live: number[];
  /** The lowest time of expiry in each table. `Infinity` if nothing in it expires. */
  expiry: number[];
  /** Reads a table, with room for more keys if `isGrowing`. Returns `undefined` if it does not check out. */
  read(number: number, isGrowing: boolean): Partition | undefined;
  /** Closes the file. */
  close(): void;
}

/**
 * Reads its tables as they are needed. A read that fails during a change would leave half of it, so before a key is
 * changed, `changeable` reads its table; a refresh that fails ends with an index that is made anew. So nothing has
 * changed in a table that is missing: the image is right about it, and so is the log, whose newer records are of keys in
 * other tables. What changes more than single keys, such as a clear or a compaction, needs all tables first.
 */
export class ImageIndex extends Index {
  /** Whether damaged tables were rebuilt from the log, so that a new image is due. */
  isMended = false;
  /** Rebuilds the index from the log. Throws if the log is damaged as well. */
  rebuild: (() => Index) | undefined;
  /** Where tables are read from; `undefined` once all have been read. */
  #source: PartitionSource | undefined;
  #missing = PARTITIONS;
  /** Whether a key may have changed since the store was opened. */
  isChanged = false;
  readonly #close: () => void;
  /** The order of the keys, as the image has it. */
  saved: SavedOrder | undefined;

  /** An index with the tables of `source`. */
  constructor(seed: number, source: PartitionSource, saved?: SavedOrder) {
    super(seed);
    this.#source = source;
    this.#close = source.close;
    this.saved = saved;
    this.placed = source.live.reduce((sum, live) => sum + live, 0);
    this.expired.next = source.expiry.reduce((soonest, time) => Math.min(soonest, time), Infinity);
  }

  /** Whether tables are missing. */
  get isLazy(): boolean {
    return this.#source !== undefined;
  }

  /** How many keys have a place and have not expired. */
  override get size(): number {
    this.#loadDue();
    return super.size;
  }

  /** Notes in each segment how much has expired of the records in it that this index points at. */
  override countExpired(segments: Iterable<Segment>): void {
    this.#loadDue();
    super.countExpired(segments);
  }

  /** Returns a partition, reading it if necessary; `undefined` if no key has ever been in it. */
  override existing(number: number, isGrowing: boolean = false): Partition | undefined {
    if (this.partitions[number] === undefined && this.#source !== undefined) {
      this.#load(number, this.#source, isGrowing);
    }
    return this.partitions[number];
  }

  /** A table to which keys may be added, read with room for them; it is created if it has had no key yet. */
  override partition(number: number): Partition {
    return this.existing(number, true) ?? super.partition(number);
  }

  /** Reads all tables that are missing, or the one of a key, and returns this index. */
  override changeable(key?: KeyBytes): Index {
    this.isChanged = true;
    if (this.#source === undefined) return this;
    if (key !== undefined) this.existing(hashKey(key.bytes, key.start, key.length, this.seed) >>> 24);
    else for (let number = 0; number < PARTITIONS; number++) this.existing(number);
    return this;
  }

  /** Closes the file of the image. */
  override close(): void {
    this.#source = undefined;
    this.giveUpSaved();
  }

  /** Gives up the saved order: it is in memory, or no longer that of the tables. */
  giveUpSaved(): void {
    this.saved = undefined;
    if (this.#source === undefined) this.#close();
  }

  /** The lowest time of expiry of a table. Until it is read, the image tells, even if that time has passed. */
  protected override expireIn(number: number): number {
    const isRead = this.partitions[number] !== undefined || this.#source === undefined;
    return isRead ? super.expireIn(number) : this.#source!.expiry[number]!;
  }

  /**
   * Loads a table. If the image is damaged there, loads all missing tables, each from the image if it is intact and
   * else from the log. So the result does not depend on which table was needed first.
   */
  #load(number: number, source: PartitionSource, isGrowing: boolean): void {
    const read = source.read(number, isGrowing);
    if (read !== undefined) return this.#place(number, read, source);
    if (this.rebuild === undefined) throw new ImageDamaged();
    const whole = this.rebuild();
    this.isMended = true;
    this.saved = undefined;
    for (let i = 0; i < PARTITIONS; i++) {
      if (this.partitions[i] === undefined) this.#place(i, source.read(i, isGrowing) ?? whole.partition(i), source);
    }
  }

  #place(number: number, partition: Partition, { live }: PartitionSource): void {
    this.partitions[number] = partition;
    // The saved order has the numbers that the entries had.
    if (this.saved !== undefined) partition.onDrop = () => this.giveUpSaved();
    this.placed += partition.live - live[number]!;
    this.expired.next = Math.min(this.expired.next, this.expired.collect(partition));
    if (--this.#missing > 0) return;
    this.#source = undefined;
    if (this.saved === undefined) this.#close();
    this.rebuild = undefined;
  }

  /** Reads the tables in which a key has expired: only the table tells how many have. */
  #loadDue(): void {
    if (this.#source === undefined || this.expired.now === 0) return;
    const { now } = this.expired;
    const { expiry } = this.#source;
    for (let number = 0; number < PARTITIONS; number++) if (expiry[number]! <= now) this.existing(number);
  }
}
