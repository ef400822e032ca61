/**
 * An index whose tables come from an image, each when it is needed: who opens a store for a few keys does not wait for
 * all of them. A table that turns out to be damaged is made from the log.
 *
 * @module
 */
import { Index, PARTITIONS } from "../engine/index.ts";
import type { Partition } from "../engine/partition.ts";

/** Thrown where a table of an image turns out to be damaged before the index knows how to do without. */
export class ImageDamaged extends Error {}

/** What an index reads its tables from. */
export interface PartitionSource {
  /** How many keys of each table have a place. */
  live: number[];
  /** The lowest time of expiry in each; `Infinity` if nothing in it expires. */
  expiry: number[];
  /** Reads a table; `undefined` if it cannot be had or does not check out. */
  read(number: number): Partition | undefined;
  /** Gives up what it reads from. */
  close(): void;
}

/**
 * Reads tables as they are needed, up to the moment when something is to change: from then on a reading that fails would
 * leave half of a change. So `changeable` reads all that is left.
 */
export class ImageIndex extends Index {
  /** Whether there are tables that were made from the log, as the image was damaged: a new image is due. */
  isMended = false;
  /** Makes an equal index from the log. Throws if the log is damaged, too. */
  rebuild: (() => Index) | undefined;
  /** As long as there are tables that have not been read. */
  #source: PartitionSource | undefined;

  /** An index with the tables of `source`. */
  constructor(seed: number, source: PartitionSource) {
    super(seed);
    this.#source = source;
    this.placed = source.live.reduce((sum, live) => sum + live, 0);
    this.nextExpiry = source.expiry.reduce((soonest, time) => Math.min(soonest, time), Infinity);
  }

  /** How many keys have a place and have not expired. */
  override get size(): number {
    this.#loadDue();
    return super.size;
  }

  /** The records in a segment that this index points at and that have expired. */
  override expiredIn(segment: number): ReturnType<Index["expiredIn"]> {
    this.#loadDue();
    return super.expiredIn(segment);
  }

  /** A partition, if any key has come to it. */
  override existing(number: number): Partition | undefined {
    if (this.partitions[number] === undefined && this.#source !== undefined) this.#load(number, this.#source);
    return this.partitions[number];
  }

  /** This index, once all tables have been read. */
  override changeable(): Index {
    if (this.#source === undefined) return this;
    for (let number = 0; number < PARTITIONS; number++) this.existing(number);
    this.close();
    this.rebuild = undefined;
    return this;
  }

  /** Gives up the file that tables are read from. */
  override close(): void {
    this.#source?.close();
    this.#source = undefined;
  }

  /** A table that has not been read keeps its lowest time, though that may be past: what else is in it, nobody knows. */
  protected override soonestIn(number: number): number {
    const isRead = this.partitions[number] !== undefined || this.#source === undefined;
    return isRead ? super.soonestIn(number) : this.#source!.expiry[number]!;
  }

  /**
   * Takes a table from the source. If it is damaged there, from the log, and the others as well: from the source what can
   * be read, so that it does not matter which table was needed first.
   */
  #load(number: number, source: PartitionSource): void {
    const read = source.read(number);
    if (read !== undefined) return this.#place(number, read, source);
    if (this.rebuild === undefined) throw new ImageDamaged();
    const whole = this.rebuild();
    this.isMended = true;
    for (let i = 0; i < PARTITIONS; i++) {
      if (this.partitions[i] === undefined) this.#place(i, source.read(i) ?? whole.partition(i), source);
    }
  }

  #place(number: number, partition: Partition, { live }: PartitionSource): void {
    this.partitions[number] = partition;
    this.placed += partition.live - live[number]!;
    this.nextExpiry = Math.min(this.nextExpiry, this.expireIn(partition));
  }

  /** Reads the tables in which something has expired: how much, only they know. */
  #loadDue(): void {
    if (this.#source === undefined || this.now === 0) return;
    const { expiry } = this.#source;
    for (let number = 0; number < PARTITIONS; number++) if (expiry[number]! <= this.now) this.existing(number);
  }
}
