/**
 * One of the index's hash tables: open addressing with linear probing over typed arrays, the keys' bytes in an arena.
 * No objects per key: that is what keeps a key at about 30 bytes beyond its own, and out of the garbage collector's
 * sight.
 *
 * - `slots`: per slot 0 (empty), or entry number + 1 in the low 24 bits and 8 bits of the hash above them, which tell
 *   most other keys apart without a look at their bytes;
 * - `entries`: per entry four numbers: where the key is in the arena, segment (0: deleted), offset, and length of the
 *   record with the key's form in the top bit;
 * - `arena`: per key its length in two bytes, then its bytes.
 *
 * A deleted key keeps its entry, so that it comes back at no cost and nothing needs to be moved; entries of deleted
 * keys are dropped when the table is out of room anyway.
 *
 * @module
 */
import { longer } from "../bytes.ts";
import { hashKey } from "../hash.ts";
import { Expiries } from "../expiries.ts";
import { GRAVE_BYTES } from "./record.ts";

/** Numbers per entry. */
export const ENTRY_FIELDS = 4;
/** In the length field: the key was given as a string. */
export const STRING_FORM: number = 2 ** 31;
/** An entry's number has so many bits. */
export const ID_MASK = 0xff_ffff;
const FIRST_ENTRIES = 8;
/** Tables fill to three quarters: beyond it probing gets long. */
const MAX_LOAD = 0.75;
/** With less than this share of live entries the deleted ones are dropped. */
const MIN_LIVE = 0.75;
/** Tables below this size double. If they grew in small steps, copying and garbage would be a quarter of a fill. */
const DOUBLING_ENTRIES = 4096;
/** Larger tables grow by this factor. At ten million keys, memory that is allocated and unused costs more. */
export const GROWTH = 1.25;

/** The length of a record and the form of its key in one number, as entries keep them. */
export function formOf(lengthBytes: number, isString: boolean): number {
  return isString ? lengthBytes + STRING_FORM : lengthBytes;
}

/** The length of a record in such a number. */
export function lengthOf(form: number): number {
  return form & 0x7fff_ffff;
}

/** A reference to an entry of an index: the number of its table in the top byte, its own number below. */
export type KeyRef = number;

/** A reference to an entry. */
export function refOf(table: number, id: number): KeyRef {
  return ((table << 24) | id) >>> 0;
}

/** The parts of a table that an image keeps. */
export interface PartitionImage
  extends Pick<Partition, "slots" | "entries" | "count" | "arena" | "arenaBytes" | "live"> {
  /** Per entry its time of expiry, or 0; absent if none has one. */
  times: Float64Array | undefined;
}

/**
 * A hash table from keys to places in the log.
 *
 * @experimental
 */
export class Partition {
  /** Hash slots. Its length is a power of two. */
  slots: Uint32Array;
  /** Entries, four numbers each. */
  entries: Uint32Array;
  /** Lengths and bytes of the keys. */
  arena: Uint8Array;
  /** Bytes of the arena in use. */
  arenaBytes: number;
  /** Entries in use, those of deleted keys included. */
  count: number;
  /** Entries of keys that have a value. */
  live: number;
  /** Sequence number per entry: only while the log is replayed, since records may come out of order then. */
  sequences: Float64Array | undefined;
  /** When keys expire, once there was one that does. Only entries of keys that have a value have a time. */
  expiries: Expiries | undefined;
  /** Called when deleted keys have been dropped. `ids` has for each entry its new number plus 1, or 0 if it is gone. */
  onDrop: ((ids: Uint32Array) => void) | undefined;
  readonly #seed: number;

  /** An empty table, or the one in `image`. */
  constructor(seed: number, image?: PartitionImage) {
    this.#seed = seed;
    this.slots = image?.slots ?? new Uint32Array(2 * FIRST_ENTRIES);
    this.entries = image?.entries ?? new Uint32Array(ENTRY_FIELDS * FIRST_ENTRIES);
    this.arena = image?.arena ?? new Uint8Array(16 * FIRST_ENTRIES);
    this.arenaBytes = image?.arenaBytes ?? 0;
    this.count = image?.count ?? 0;
    this.live = image?.live ?? 0;
    this.expiries = image?.times && Expiries.of(image.times);
  }

  /** Memory held, in bytes. */
  get heldBytes(): number {
    const { slots, entries, arena, expiries } = this;
    return slots.byteLength + entries.byteLength + arena.byteLength + (expiries?.heldBytes ?? 0);
  }

  /** Whether so many entries are those of deleted keys that dropping them is worth a copy of the rest. */
  get isSparse(): boolean {
    return this.sequences === undefined && this.live < this.count * MIN_LIVE;
  }

  /** The entry of a key, or −1. The key may be deleted: then its segment is 0. */
  find(hash: number, bytes: Uint8Array, start: number, length: number): number {
    const { slots, entries, arena } = this;
    const mask = slots.length - 1;
    const tag = (hash >>> 16) & 0xff;
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const found = slots[slot]!;
      if (found === 0) return -1;
      if (found >>> 24 !== tag) continue;
      const id = (found & ID_MASK) - 1;
      let at = entries[id * ENTRY_FIELDS]!;
      if ((arena[at]! | (arena[at + 1]! << 8)) !== length) continue;
      at += 2;
      let i = 0;
      while (i < length && arena[at + i] === bytes[start + i]) i++;
      if (i === length) return id;
    }
  }

  /**
   * The first entry with the same bits of the hash, or −1: most likely that of the key, without a look at the arena.
   */
  guess(hash: number): number {
    const { slots } = this;
    const mask = slots.length - 1;
    const tag = (hash >>> 16) & 0xff;
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const found = slots[slot]!;
      if (found === 0) return -1;
      if (found >>> 24 === tag) return (found & ID_MASK) - 1;
    }
  }

  /** The key of an entry. */
  key(id: number): { bytes: Uint8Array; start: number; length: number } {
    const at = this.entries[id * ENTRY_FIELDS]!;
    return { bytes: this.arena, start: at + 2, length: this.arena[at]! | (this.arena[at + 1]! << 8) };
  }

  /** @internal The record that an entry points at: its segment, its size, and the size of its grave. */
  recordOf(id: number): { segment: number; bytes: number; graveBytes: number } {
    const at = id * ENTRY_FIELDS;
    const graveBytes = GRAVE_BYTES + this.key(id).length;
    return { segment: this.entries[at + 1]!, bytes: lengthOf(this.entries[at + 3]!), graveBytes };
  }

  /**
   * Adds an entry for a key that has none, as a deleted one. `keepDeleted`: no entry may be dropped to make room. If
   * there is no memory for it, nothing has changed but the sizes of tables.
   */
  add(hash: number, bytes: Uint8Array, start: number, length: number, keepDeleted: boolean): number {
    this.makeRoom(length, keepDeleted);
    const id = this.count++;
    const at = this.arenaBytes;
    const entry = id * ENTRY_FIELDS;
    this.entries[entry] = at;
    this.entries[entry + 1] = this.entries[entry + 2] = this.entries[entry + 3] = 0;
    this.arena[at] = length & 0xff;
    this.arena[at + 1] = length >>> 8;
    for (let i = 0; i < length; i++) this.arena[at + 2 + i] = bytes[start + i]!;
    this.arenaBytes = at + 2 + length;
    this.#link(hash, id);
    return id;
  }

  /** Makes room for one more entry, with a key of that length; see `add`. */
  makeRoom(keyLength: number, keepDeleted: boolean): void {
    if (this.count >= ID_MASK) throw new RangeError("the index is full: 2^24 keys in one of its 256 partitions");
    if (this.count * ENTRY_FIELDS === this.entries.length) this.#makeEntries(keepDeleted);
    if (this.arenaBytes + 2 + keyLength > this.arena.length) this.#growArena(2 + keyLength);
    if (this.count + 1 > this.slots.length * MAX_LOAD) this.#rehash(new Uint32Array(this.slots.length * 2));
  }

  /** Makes room for times of expiry. If there is no memory for them, nothing has changed. */
  reserveExpiry(): void {
    this.expiries ??= new Expiries();
    this.expiries.reserve(this.entries.length / ENTRY_FIELDS);
  }

  /** Starts (`true`) or ends keeping sequence numbers per entry. */
  trackSequences(on: boolean): void {
    this.sequences = on ? this.sequences ?? new Float64Array(this.entries.length / ENTRY_FIELDS) : undefined;
  }

  /**
   * Drops the entries of deleted keys: the others get new numbers.
   */
  dropDeleted(): void {
    const { entries, arena, count, expiries } = this;
    // All memory that is needed first: where there is none, the table stays as it is.
    const slots = new Uint32Array(this.slots.length);
    const capacity = Math.max(FIRST_ENTRIES, Math.ceil(this.live * GROWTH));
    const keptEntries = new Uint32Array(capacity * ENTRY_FIELDS);
    const keptExpiries = expiries && new Expiries(capacity);
    const ids = this.onDrop && new Uint32Array(count);
    this.arena = new Uint8Array(arena.length);
    this.entries = keptEntries;
    this.expiries = keptExpiries;
    this.count = 0;
    this.arenaBytes = 0;
    for (let id = 0; id < count; id++) {
      const from = id * ENTRY_FIELDS;
      if (entries[from + 1] === 0) continue;
      const at = entries[from]!;
      const end = at + 2 + (arena[at]! | (arena[at + 1]! << 8));
      this.arena.set(arena.subarray(at, end), this.arenaBytes);
      const to = this.count * ENTRY_FIELDS;
      this.entries.set(entries.subarray(from, from + ENTRY_FIELDS), to);
      this.entries[to] = this.arenaBytes;
      this.arenaBytes += end - at;
      const time = expiries?.timeOf(id) ?? 0;
      if (time !== 0) keptExpiries!.set(this.count, time, expiries!.hasCome(id));
      this.count++;
      if (ids !== undefined) ids[id] = this.count;
    }
    this.#rehash(slots);
    this.onDrop?.(ids!);
  }

  #makeEntries(keepDeleted: boolean): void {
    if (!keepDeleted && this.isSparse) return this.dropDeleted();
    const growth = this.count < DOUBLING_ENTRIES ? 2 : GROWTH;
    const capacity = Math.max(FIRST_ENTRIES, Math.ceil(this.count * growth));
    this.entries = longer(this.entries, capacity * ENTRY_FIELDS);
    this.sequences &&= longer(this.sequences, capacity);
  }

  #growArena(neededBytes: number): void {
    // As long as keys stay as long as they were, the arena grows when the entries do, and as far.
    const alike = Math.ceil(this.arenaBytes / Math.max(1, this.count) * (this.entries.length / ENTRY_FIELDS));
    const bytes = Math.max(this.arenaBytes + neededBytes, Math.ceil(this.arena.length * GROWTH), alike);
    this.arena = longer(this.arena, bytes);
  }

  /** Puts all entries into other, empty slots. */
  #rehash(slots: Uint32Array): void {
    this.slots = slots;
    for (let id = 0; id < this.count; id++) {
      const at = this.entries[id * ENTRY_FIELDS]!;
      this.#link(hashKey(this.arena, at + 2, this.arena[at]! | (this.arena[at + 1]! << 8), this.#seed), id);
    }
  }

  #link(hash: number, id: number): void {
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = (((hash >>> 16) & 0xff) << 24) | (id + 1);
  }
}
