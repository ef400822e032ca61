/**
 * When the keys of one hash table expire: a time per entry, and a heap that says which of them comes first. A table
 * without such keys has none of it.
 *
 * The heap (Williams, "Algorithm 232: Heapsort", 1964) holds entry numbers, and each entry knows its place in the heap.
 * So a key that gets another time is moved, and one that is deleted is taken out at once: what counts no longer never
 * piles up, however often a session is prolonged. That takes 16 bytes an entry in all.
 *
 * @module
 */

/**
 * The times of expiry of one table.
 *
 * @experimental
 */
export class Expiries {
  /** Per entry, when its key expires, in milliseconds since 1970; 0: never. */
  times: Float64Array;
  /** Entries whose time has not come, the one with the lowest time first. */
  #heap: Uint32Array;
  /** Per entry its place in the heap, counted from 1; 0: it is not there. */
  #places: Uint32Array;
  #length = 0;

  /** Nothing expires; there is room for so many entries. */
  constructor(capacity: number = 0) {
    this.times = new Float64Array(capacity);
    this.#heap = new Uint32Array(capacity);
    this.#places = new Uint32Array(capacity);
  }

  /** Memory held, in bytes. */
  get heldBytes(): number {
    return this.times.byteLength + this.#heap.byteLength + this.#places.byteLength;
  }

  /** When the first of the waiting entries expires; `Infinity` if none waits. */
  get soonest(): number {
    return this.#length === 0 ? Infinity : this.times[this.#heap[0]!]!;
  }

  /** When an entry's key expires; 0: never. */
  timeOf(id: number): number {
    // An entry beyond the end never had a time.
    return this.times[id] ?? 0;
  }

  /** Whether an entry's time has come: it has one, and does not wait for it any more. */
  hasCome(id: number): boolean {
    return this.timeOf(id) !== 0 && this.#places[id] === 0;
  }

  /** Makes room for as many entries as the table has. If there is no memory for them, nothing has changed. */
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

  /** Gives an entry without a time one, there being room for it. It waits, unless that time has come already. */
  set(id: number, time: number, hasCome: boolean): void {
    this.times[id] = time;
    if (!hasCome) this.#rise(this.#length++, id);
  }

  /** Takes an entry's time away. */
  unset(id: number): void {
    const place = this.#places[id]! - 1;
    this.times[id] = 0;
    this.#places[id] = 0;
    if (place < 0) return;
    const last = this.#heap[--this.#length]!;
    if (place === this.#length) return;
    // The last one takes the place: it may belong further up or further down.
    this.#rise(place, last);
    this.#sink(this.#places[last]! - 1, last);
  }

  /** Ends the waiting of the first entry, and returns it. */
  next(): number {
    const first = this.#heap[0]!;
    const last = this.#heap[--this.#length]!;
    this.#places[first] = 0;
    if (this.#length > 0) this.#sink(0, last);
    return first;
  }

  /** Puts an entry at a place or, if it comes before those above, further up. */
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

  /** Puts an entry at a place or, if it comes after those below, further down. */
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
