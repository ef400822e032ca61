/**
 * Looking ahead in records: brings what the index has of the next keys into the processor's cache.
 *
 * With a million keys, a change waits for memory three times: for the slot of the key, its entry, and its bytes. In a
 * batch and in a replay the next keys are known, and the processor can wait for many at the same time.
 *
 * @module
 */
import type { ReadIndex } from "../engine/index.ts";
import { ENTRY_FIELDS, type Partition } from "../engine/partition.ts";
import { readHeader, RECORD_HEADER_BYTES, type RecordBuffer, RecordHeader } from "../engine/record.ts";
import { hashKey } from "../hash.ts";

/** Enough for the waits to overlap, and few enough that the first keys are still in the cache when the last are read. */
const MAX_RECORDS = 32;
/** With fewer keys in a table, as in a store of 16,384 keys, all of them are in the processor's cache anyway. */
export const MIN_TABLE_KEYS = 64;

/** Looks ahead in records that the index will take one after the other. It changes nothing, and checks nothing. */
export class Lookahead {
  readonly #hashes = new Uint32Array(MAX_RECORDS);
  readonly #tables: (Partition | undefined)[] = new Array(MAX_RECORDS).fill(undefined);
  /** Where the entries of the keys start that have one. */
  readonly #entries = new Uint32Array(MAX_RECORDS);
  readonly #header = new RecordHeader();
  /** A sum of what was read last, so that the compiler cannot remove the reads. */
  sum = 0;
  /** How many of the next records have been touched. */
  #left = 0;

  /**
   * To be called before the index takes the record at `at`, which has `length` bytes. The records after it are in
   * `buffer` up to `end`; what is there may be anything. Returns how many records it touched, this one included.
   */
  reach(
    index: ReadIndex,
    buffer: RecordBuffer,
    { at, length, end }: { at: number; length: number; end: number },
  ): number {
    if (this.#left > 0) {
      this.#left--;
      return 0;
    }
    // Most records are alone.
    if (at + length >= end) return 0;
    const count = this.#note(index, buffer, at, end);
    const isLarge = (this.#tables[0]?.count ?? 0) >= MIN_TABLE_KEYS;
    this.sum = isLarge ? this.#touch(count) : 0;
    // The index may be replaced, and then nobody else needs its tables.
    this.#tables.fill(undefined);
    this.#left = Math.max(0, count - 1);
    return isLarge ? count : 0;
  }

  /** Notes the hashes of the next keys, and their tables. Returns how many. */
  #note(index: ReadIndex, { bytes, view }: RecordBuffer, at: number, end: number): number {
    const header = this.#header;
    let count = 0;
    for (; count < MAX_RECORDS && at + RECORD_HEADER_BYTES <= end; at += header.length) {
      readHeader(view, at, end - at, header);
      const start = at + header.keyStart;
      if (start + header.keyLength > end) break;
      const hash = hashKey(bytes, start, header.keyLength, index.seed);
      this.#hashes[count] = hash;
      this.#tables[count++] = index.loaded(hash >>> 24);
    }
    return count;
  }

  /**
   * Reads the slots, the entries and the keys, each in a loop that does nothing else, so that the processor gets ahead in
   * it and waits for many at the same time. Returns a sum of what it reads.
   */
  #touch(count: number): number {
    const hashes = this.#hashes;
    const tables = this.#tables;
    const starts = this.#entries;
    let sum = 0;
    let found = 0;
    for (let i = 0; i < count; i++) {
      const slots = tables[i]?.slots;
      if (slots !== undefined) sum += slots[hashes[i]! & (slots.length - 1)]!;
    }
    for (let i = 0; i < count; i++) {
      const id = tables[i]?.guess(hashes[i]!) ?? -1;
      if (id < 0) continue;
      tables[found] = tables[i];
      starts[found++] = id * ENTRY_FIELDS;
    }
    for (let i = 0; i < found; i++) sum += tables[i]!.entries[starts[i]!]!;
    for (let i = 0; i < found; i++) sum += tables[i]!.arena[tables[i]!.entries[starts[i]!]!]!;
    return sum;
  }
}
