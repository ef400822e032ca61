/**
 * The times at which the keys of a hash table expire: one for each entry, and a heap that tells the earliest. A table
 * without such keys has neither.
 *
 * The heap (Williams, "Algorithm 232: Heapsort", 1964) holds entry numbers, and each entry knows its place in it. So a
 * new time moves a key, and a delete removes it at once: outdated times never pile up. This takes 16 bytes an entry.
 *
 * @module
 */

/**
 * The times of expiry of one hash table.
 *
 * @experimental
 */
export class Expiries {
  /** For each entry the time when its key expires, in milliseconds since 1970; 0: never. */
  times: Float64Array;
  /** Entries that have not expired, as a heap: the one with the lowest time comes first. */
  #heap: Uint32Array;
  /** For each entry its place in the heap, counted from 1; 0: it is not in the heap. */
  #places: Uint32Array;
  #length = 0;

  /** Nothing expires yet. There is room for `capacity` entries. */
  constructor(capacity: number = 0) {
    this.times = new Float64Array(capacity);
    this.#heap = new Uint32Array(capacity);
    this.#places = new Uint32Array(capacity);
  }

  /** Memory held, in bytes. */
  get heldBytes(): number {
    return this.times.byteLength + this.#heap.byteLength + this.#places.byteLength;
  }

  /** The earliest time at which a waiting entry expires. `Infinity` if none waits. */
  get soonest(): number {
    return this.#length === 0 ? Infinity : this.times[this.#heap[0]!]!;
  }

  /** When an entry's key expires; 0: never. */
  timeOf(id: number): number {
    // An entry beyond the end never had a time.
    return this.times[id] ?? 0;
  }

  /** Whether an entry has expired: it has a time, and no longer waits for it. */
  hasCome(id: number): boolean {
    return this.timeOf(id) !== 0 && this.#places[id] === 0;
  }

  /** Makes room for `capacity` entries. If there is no memory for that, nothing changes. */
  reserve(capacity: number): void {
    if (capacity <= this.times.length) return;
    const times = new Float64Array(capacity);
    const heap = new Uint32Array(capacity);
    const places = new Uint32Array(capacity);
    times.set(this.times);
    heap.set(this.#heap);
    places.set(this.#places);
    this.times = times;
    this.#heap = heap;
    this.#places = places;
  }

  /** Gives a time to an entry that has none. It waits unless it has expired. `reserve` must have made room. */
  set(id: number, time: number, hasCome: boolean): void {
    this.times[id] = time;
    if (!hasCome) this.#rise(this.#length++, id);
  }

  /** Removes an entry's time. */
  unset(id: number): void {
    const place = this.#places[id]! - 1;
    this.times[id] = 0;
    this.#places[id] = 0;
    if (place < 0) return;
    const last = this.#heap[--this.#length]!;
    if (place === this.#length) return;
    // The last entry takes the place. It may belong further up or further down.
    this.#rise(place, last);
    this.#sink(this.#places[last]! - 1, last);
  }

  /** Removes the first entry from those that wait, and returns it. */
  next(): number {
    const first = this.#heap[0]!;
    const last = this.#heap[--this.#length]!;
    this.#places[first] = 0;
    if (this.#length > 0) this.#sink(0, last);
    return first;
  }

  /** Puts an entry at a place, or further up if it comes before those above. */
  #rise(place: number, id: number): void {
    const time = this.times[id]!;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (this.times[this.#heap[parent]!]! <= time) break;
      this.#put(place, this.#heap[parent]!);
      place = parent;
    }
    this.#put(place, id);
  }

  /** Puts an entry at a place, or further down if it comes after those below. */
  #sink(place: number, id: number): void {
    const time = this.times[id]!;
    for (let child = 2 * place + 1; child < this.#length; child = 2 * place + 1) {
      const other = child + 1;
      if (other < this.#length && this.times[this.#heap[other]!]! < this.times[this.#heap[child]!]!) child = other;
      if (time <= this.times[this.#heap[child]!]!) break;
      this.#put(place, this.#heap[child]!);
      place = child;
    }
    this.#put(place, id);
  }

  #put(place: number, id: number): void {
    this.#heap[place] = id;
    this.#places[id] = place + 1;
  }
}

/**
 * Sums over the expired records of a segment that an index points at.
 *
 * @experimental
 */
export interface Expired {
  /** Number of records. */
  count: number;
  /** Size of the records in bytes. */
  bytes: number;
  /** Size of their keys in bytes. */
  keyBytes: number;
}

const NONE: Readonly<Expired> = { count: 0, bytes: 0, keyBytes: 0 };

/**
 * Counts the expired records that an index points at, in all and for each segment.
 *
 * @experimental
 */
export class ExpiredRecords {
  /** Number of records in all segments. */
  count = 0;
  /** Size of the records in all segments, in bytes. */
  bytes = 0;
  readonly #bySegment: Map<number, Expired> = new Map();

  /** The sums for a segment. */
  in(segment: number): Readonly<Expired> {
    return this.#bySegment.get(segment) ?? NONE;
  }

  /** Adds a record, or subtracts it if `sign` is -1. */
  add(segment: number, sign: 1 | -1, lengthBytes: number, keyBytes: number): void {
    let sums = this.#bySegment.get(segment);
    if (sums === undefined) this.#bySegment.set(segment, sums = { ...NONE });
    this.count += sign;
    this.bytes += sign * lengthBytes;
    sums.count += sign;
    sums.bytes += sign * lengthBytes;
    sums.keyBytes += sign * keyBytes;
    if (sums.count === 0) this.#bySegment.delete(segment);
  }
}
