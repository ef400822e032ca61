/**
 * The image of the index: a file with its tables as they are in memory. With it, a store opens without handling its
 * keys one by one. It is derived data. If it is missing or damaged, the log is replayed from its start; if the log has
 * gone on since, from where the image ends.
 *
 * The file holds 256 partitions (each with its slots, entries, times of expiry if any, and arena), a footer of JSON,
 * and a trailer of 16 bytes: length and CRC-32 of the footer, and the magic `KVINDEX1`. Numbers are little-endian.
 *
 * @module
 */
import { startsWith } from "../bytes.ts";
import { DECODER, ENCODER } from "../platform/text.ts";
import { crc32 } from "../platform/checksum.ts";
import { readInto, readUpTo, writeAll } from "../platform/files.ts";
import type { FileHandle } from "../platform/types.ts";
import { type Index, PARTITIONS } from "../engine/index.ts";
import { hashKey } from "../hash.ts";
import { ENTRY_FIELDS, GROWTH, Partition, type PartitionImage } from "../engine/partition.ts";
import type { OrderEntry, PageSums, TableLayout } from "../saved_order/saved.ts";

/** Name of the image in the store's directory. */
export const IMAGE_NAME = "INDEX";
/** Name of a new image until it is complete. */
export const IMAGE_TEMPORARY = "INDEX.tmp";
/** Name of the previous image until it is removed. */
export const IMAGE_FORMER = "INDEX.old";
const MAGIC = ENCODER.encode("KVINDEX1");
const TRAILER_BYTES = 16;
/** Enough for tens of thousands of segments. Parsed, a footer may take twenty times its size in memory. */
const MAX_FOOTER_BYTES = 2 ** 24;

/** When a table is read, this many of its keys are looked up as a check. */
const PROBES = 4;

/** What the footer records of one partition. */
interface PartitionEntry {
  slots: number;
  entries: number;
  arena: number;
  live: number;
  sequence: number;
  /** The lowest time of expiry. If absent, the partition has no times of expiry. */
  expiry?: number;
  checksum: number;
}

/** The footer of an image: its partitions, and what its owner records of the log. */
export interface ImageFooter<T> {
  /** Seed of the hash function. */
  seed: number;
  /** The partitions, in the order of the file. */
  partitions: PartitionEntry[];
  /** The order of the keys, if the image has it. */
  order?: OrderEntry;
  /** The log that the image belongs to, as its owner describes it. */
  about: T;
}

/**
 * Writes the partitions one by one. The index may change in between, so each partition records the sequence number up
 * to which it is current (a fuzzy checkpoint, as in ARIES: Mohan et al., 1992).
 */
export class ImageWriter {
  readonly #index: Index;
  readonly #handle: FileHandle;
  readonly #partitions: PartitionEntry[] = [];
  /** Checksums of the pages that have been written, if the order of the keys is to be written too. */
  readonly pages: PageSums | undefined;
  #length = 0;

  /** Writes `index` to the empty file `handle`. */
  constructor(index: Index, handle: FileHandle, pages?: PageSums) {
    this.#index = index;
    this.#handle = handle;
    this.pages = pages;
  }

  /** How many entries of each table were written. */
  get counts(): number[] {
    return this.#partitions.map(({ entries }) => entries);
  }

  /** Writes bytes behind what has been written. */
  append(bytes: Uint8Array): void {
    writeAll(this.#handle, bytes, this.#length);
    this.#length += bytes.length;
    this.pages?.add(bytes);
  }

  /** Writes the next partition, current up to `sequence`. Returns the bytes written, or 0 after the last one. */
  writeNext(sequence: number): number {
    const number = this.#partitions.length;
    if (number === PARTITIONS) return 0;
    const partition = this.#index.partition(number);
    if (partition.isSparse && this.#index.holds === 0) partition.dropDeleted();
    const { slots, entries, arena, arenaBytes, count, live } = partition;
    const times = partition.expiries?.times.slice(0, count);
    const expiry = times === undefined ? Infinity : lowestOf(times);
    const parts = [
      slots,
      entries.subarray(0, count * ENTRY_FIELDS),
      ...(expiry === Infinity ? [] : [padTimes(times!, count)]),
      arena.subarray(0, arenaBytes),
    ];
    let checksum = 0;
    const start = this.#length;
    for (const part of parts) {
      const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
      checksum = crc32(bytes, checksum);
      this.append(bytes);
    }
    this.append(new Uint8Array(-this.#length & 3));
    const sizes = { slots: slots.length, entries: count, arena: arenaBytes };
    this.#partitions.push({ ...sizes, live, sequence, ...(expiry === Infinity ? {} : { expiry }), checksum });
    return this.#length - start;
  }

  /** Writes the footer and makes the file durable. */
  async finish<T>(about: T, order?: OrderEntry): Promise<void> {
    const { seed } = this.#index;
    const footer: ImageFooter<T> = { seed, partitions: this.#partitions, ...(order && { order }), about };
    const text = ENCODER.encode(JSON.stringify(footer));
    const bytes = new Uint8Array(text.length + TRAILER_BYTES);
    const view = new DataView(bytes.buffer, text.length);
    bytes.set(text);
    view.setUint32(0, text.length, true);
    view.setUint32(4, crc32(text), true);
    bytes.set(MAGIC, text.length + 8);
    this.append(bytes);
    await this.#handle.syncData();
  }
}

/** Reads the footer of an image. Returns `undefined` if it does not check out. */
export function readFooter<T>(handle: FileHandle): ImageFooter<T> | undefined {
  const size = handle.size();
  const trailer = readUpTo(handle, TRAILER_BYTES, Math.max(0, size - TRAILER_BYTES));
  if (trailer.length < TRAILER_BYTES || !startsWith(trailer, MAGIC, 8)) return undefined;
  const view = new DataView(trailer.buffer);
  const length = view.getUint32(0, true);
  if (length > Math.min(MAX_FOOTER_BYTES, size - TRAILER_BYTES)) return undefined;
  const text = readUpTo(handle, length, size - TRAILER_BYTES - length);
  if (crc32(text) !== view.getUint32(4, true)) return undefined;
  return JSON.parse(DECODER.decode(text));
}

/** Reads the partitions of an image one by one. */
export class ImageReader {
  readonly #handle: FileHandle;
  readonly #footer: ImageFooter<unknown>;
  readonly #starts: number[] = [];
  readonly #fileBytes: number;
  /** Where the partitions end. */
  readonly end: number;

  /** Reads partitions from `handle`, as `footer` describes them. */
  constructor(handle: FileHandle, footer: ImageFooter<unknown>) {
    this.#handle = handle;
    this.#footer = footer;
    this.#fileBytes = handle.size();
    let end = 0;
    for (const entry of footer.partitions) {
      this.#starts.push(end);
      end += lengthOf(entry) + (-lengthOf(entry) & 3);
    }
    this.end = end;
  }

  /** Where the parts of a partition are. */
  layout(number: number): TableLayout {
    const { slots, entries, expiry, arena } = this.#footer.partitions[number]!;
    const start = this.#starts[number]! + 4 * slots;
    const end = this.#starts[number]! + lengthOf(this.#footer.partitions[number]!);
    const times = expiry === undefined ? undefined : start + 4 * ENTRY_FIELDS * entries;
    return { count: entries, entries: start, times, arena: end - arena, end };
  }

  /**
   * Reads a partition, with room for more keys if some will be added: growing it afterwards would copy it. Returns
   * `undefined` if it does not check out.
   */
  read(number: number, isGrowing: boolean): Partition | undefined {
    const entry = this.#footer.partitions[number]!;
    const { slots, entries: count, arena: arenaBytes, live, expiry, checksum } = entry;
    const start = this.#starts[number]!;
    const length = lengthOf(entry);
    if (!(start + length <= this.#fileBytes) || !Number.isInteger(Math.log2(slots))) return undefined;
    const growth = isGrowing ? GROWTH : 1;
    const entriesStart = 4 * slots;
    const tables = new Uint8Array(entriesStart + 4 * ENTRY_FIELDS * Math.ceil(count * growth));
    const image = {
      slots: new Uint32Array(tables.buffer, 0, slots),
      entries: new Uint32Array(tables.buffer, entriesStart),
      count,
      times: expiry === undefined ? undefined : new Float64Array(count),
      arena: new Uint8Array(Math.ceil(arenaBytes * growth)),
      arenaBytes,
      live,
    };
    const parts = [
      tables.subarray(0, entriesStart + 4 * ENTRY_FIELDS * count),
      new Uint8Array(image.times?.buffer ?? []),
      image.arena.subarray(0, arenaBytes),
    ];
    let end = start;
    let sum = 0;
    for (const part of parts) {
      end += readInto(this.#handle, part, end);
      sum = crc32(part, sum);
    }
    if (end < start + length || sum !== checksum) return undefined;
    if (!isSound(image, expiry)) return undefined;
    const partition = new Partition(this.#footer.seed, image);
    return isHashed(partition, number, this.#footer.seed) ? partition : undefined;
  }
}

/**
 * Whether lookups find some keys of a table. This detects tables of another index or of another seed: in those, lookups
 * fail although the order of the keys is right.
 */
function isHashed(partition: Partition, number: number, seed: number): boolean {
  for (let id = 0; id < partition.count; id += Math.ceil(partition.count / PROBES)) {
    const { bytes, start, length } = partition.key(id);
    const hash = hashKey(bytes, start, length, seed);
    if (hash >>> 24 !== number || partition.find(hash, bytes, start, length) !== id) return false;
  }
  return true;
}

function isTime(time: number): boolean {
  return Number.isSafeInteger(time) && time >= 0;
}

function lengthOf({ slots, entries, expiry, arena }: PartitionEntry): number {
  return 4 * (slots + entries * ENTRY_FIELDS) + (expiry === undefined ? 0 : 8 * entries) + arena;
}

/** The lowest of the times, without zeros. `Infinity` if there is none. */
function lowestOf(times: Float64Array): number {
  return times.reduce((lowest, time) => time === 0 ? lowest : Math.min(lowest, time), Infinity);
}

/** Pads the times to one for each entry: the last entries may have none yet. */
function padTimes(times: Float64Array, count: number): Float64Array {
  const all = new Float64Array(count);
  all.set(times);
  return all;
}

/**
 * Whether the parts of a table fit together, so that every search of it ends: each entry is in one slot, the keys lie
 * one after the other, and the number of live entries is right.
 */
function isSound(image: PartitionImage, expiry: number | undefined): boolean {
  const { slots, entries, count, arena, arenaBytes, live, times } = image;
  const hasSlot = new Uint8Array(count);
  let used = 0;
  for (let i = 0; i < slots.length; i++) {
    if (slots[i] === 0) continue;
    const id = (slots[i]! & 0xff_ffff) - 1;
    // For an entry that does not exist this is undefined.
    if (hasSlot[id] !== 0) return false;
    hasSlot[id] = 1;
    used++;
  }
  let at = 0;
  let found = 0;
  for (let id = 0; id < count; id++) {
    if (entries[id * ENTRY_FIELDS] !== at) return false;
    if (entries[id * ENTRY_FIELDS + 1] !== 0) found++;
    else if (times !== undefined && times[id] !== 0) return false;
    at += 2 + (arena[at]! | (arena[at + 1]! << 8));
  }
  if (times !== undefined && !(times.every(isTime) && lowestOf(times) === expiry)) return false;
  return used === count && count < slots.length && at === arenaBytes && found === live;
}
