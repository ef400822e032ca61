/**
 * Keys that expire: when each one does, and which ones have.
 *
 * A hash table has the time of each of its entries, and a heap that tells the earliest. A table without such keys has
 * neither. The heap (Williams, "Algorithm 232: Heapsort", 1964) holds entry numbers, and each entry knows its place in
 * it. So a new time moves a key, and a delete removes it at once: outdated times never pile up. This takes 16 bytes an
 * entry.
 *
 * @module
 */

/**
 * What the clock of a platform says: whole milliseconds, at least 1 and at most 2^53 − 1, as times of expiry are.
 * `floor` if it says no time at all, as a fake clock may.
 */
export function timeBy(platform: { now(): number }, floor: number): number {
  const time = Math.floor(platform.now());
  return Number.isFinite(time) ? Math.min(Math.max(1, time), Number.MAX_SAFE_INTEGER) : floor;
}

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

  /** The times in `times`, of which none has come. */
  static of(times: Float64Array): Expiries {
    const expiries = new Expiries(times.length);
    times.forEach((time, id) => time !== 0 && expiries.set(id, time, false));
    return expiries;
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
  /** Size of their graves in bytes: of the tombstones that compaction may make of them. */
  graveBytes: number;
}

/** A hash table of an index. */
export interface ExpiringTable {
  /** When its keys expire; `undefined` if none ever did. */
  readonly expiries: Expiries | undefined;
  /** The record that an entry points at: its segment, its size, and the size of its grave. */
  recordOf(id: number): { segment: number; bytes: number; graveBytes: number };
}

const NONE: Readonly<Expired> = { count: 0, bytes: 0, graveBytes: 0 };

/**
 * The records of an index that have expired: how many there are, in all and in each segment, and when the next expires.
 *
 * @experimental
 */
export class ExpiredRecords {
  /** Keys whose time of expiry is not later than this have expired. */
  now = 0;
  /** No other key expires before this time; `Infinity` if none ever does. May be too early, never too late. */
  next: number = Infinity;
  /** Number of records in all segments. */
  count = 0;
  /** Size of the records in all segments, in bytes. */
  bytes = 0;
  readonly #bySegment: Map<number, Expired> = new Map();

  /** The sums for a segment. */
  in(segment: number): Readonly<Expired> {
    return this.#bySegment.get(segment) ?? NONE;
  }

  /** @internal Counts the records of a table whose time has come. Returns when the next one of this table expires. */
  collect(table: ExpiringTable): number {
    const { expiries } = table;
    if (expiries === undefined) return Infinity;
    while (expiries.soonest <= this.now) this.#count(table, expiries.next(), 1);
    return expiries.soonest;
  }

  /**
   * @internal Gives an entry a time of expiry. It points at a record and has no time; `Expiries.reserve` has made room.
   */
  set(table: ExpiringTable, id: number, time: number): void {
    const hasCome = time <= this.now;
    table.expiries!.set(id, time, hasCome);
    if (hasCome) this.#count(table, id, 1);
    else if (time < this.next) this.next = time;
  }

  /**
   * @internal Takes the time of expiry from an entry, if it has one. Called before the entry points at another record.
   */
  unset(table: ExpiringTable, id: number): void {
    const { expiries } = table;
    if (expiries === undefined || expiries.timeOf(id) === 0) return;
    if (expiries.hasCome(id)) this.#count(table, id, -1);
    expiries.unset(id);
  }

  #count(table: ExpiringTable, id: number, sign: 1 | -1): void {
    const { segment, bytes, graveBytes } = table.recordOf(id);
    let sums = this.#bySegment.get(segment);
    if (sums === undefined) this.#bySegment.set(segment, sums = { ...NONE });
    this.count += sign;
    this.bytes += sign * bytes;
    sums.count += sign;
    sums.bytes += sign * bytes;
    sums.graveBytes += sign * graveBytes;
    if (sums.count === 0) this.#bySegment.delete(segment);
  }
}
