/**
 * The records of segments that the index points at, and where compaction has copied them.
 *
 * @module
 */

/** No two records begin within this many bytes (2^4), since a header alone is longer. */
const CELL_BITS = 4;
/** A word of a bitmap has 32 cells. */
const WORD_BITS = CELL_BITS + 5;
/** Room for so many runs at first. */
const FIRST_RUNS = 1024;

/**
 * The places of one segment that the index points at, with their new ones. A bitmap with a bit for each 16 bytes holds
 * the places. As records are copied in order, those that were neighbours stay neighbours: such a run moves by one
 * distance. So a second bitmap has the places where runs begin, and the number of its bits up to a place is the place's
 * position in the list of distances (rank in a bit vector: Jacobson, "Space-efficient Static Trees and Graphs", 1989).
 * That takes 1.5 MiB for a segment of 64 MiB, and 4 bytes a run. Looking each record up in the index instead took a
 * third of a compaction: a random memory access each.
 *
 * First note all places, then give each its new one, in the order of the segment, and then look new places up.
 *
 * @experimental
 */
export class Relocation {
  readonly #live: Uint32Array;
  /** Where runs begin: a word of the bitmap, and the number of runs that begin before it, in turns. */
  readonly #runs: Uint32Array;
  /** For each run, how far it moves towards the start, modulo 2^32. */
  #distances = new Uint32Array(FIRST_RUNS);
  #runCount = 0;
  /** So many words have the number of runs before them: all up to the one where the last run begins. */
  #countedWords = 0;
  /** How many places have got a new one. */
  count = 0;

  /** A relocation for a segment of `segmentBytes` bytes, with no place noted. */
  constructor(segmentBytes: number) {
    const words = (segmentBytes >>> WORD_BITS) + 1;
    this.#live = new Uint32Array(words);
    this.#runs = new Uint32Array(2 * words);
  }

  /** Notes a place that the index points at. */
  noteLive(offset: number): void {
    this.#live[offset >>> WORD_BITS]! |= 1 << (offset >>> CELL_BITS);
  }

  /** Whether a place was noted. */
  has(offset: number): boolean {
    return (this.#live[offset >>> WORD_BITS]! & (1 << (offset >>> CELL_BITS))) !== 0;
  }

  /**
   * Sets the new place of the record at a place that was noted; 0 if the record is not moved. All that were noted behind
   * the first one have to be told, in the order of their places.
   */
  move(offset: number, target: number): void {
    this.count++;
    const distance = (offset - target) >>> 0;
    if (this.#runCount > 0 && distance === this.#distances[this.#runCount - 1]) return;
    if (this.#runCount === this.#distances.length) {
      const distances = new Uint32Array(2 * this.#runCount);
      distances.set(this.#distances);
      this.#distances = distances;
    }
    const word = offset >>> WORD_BITS;
    while (this.#countedWords <= word) this.#runs[2 * this.#countedWords++ + 1] = this.#runCount;
    this.#runs[2 * word]! |= 1 << (offset >>> CELL_BITS);
    this.#distances[this.#runCount++] = distance;
  }

  /** The new place of the record at a place that was noted; 0 if it has not been moved. */
  target(offset: number): number {
    const word = offset >>> WORD_BITS;
    // Shifts count modulo 32, so the mask has the bits of the cells up to this one in its word.
    const rank = word < this.#countedWords
      ? this.#runs[2 * word + 1]! + countOnes(this.#runs[2 * word]! & ((2 << (offset >>> CELL_BITS)) - 1))
      : this.#runCount;
    return rank === 0 ? 0 : (offset - this.#distances[rank - 1]!) >>> 0;
  }
}

/**
 * The relocations of several segments. An array, as a `Map` takes half as long again for each entry of the index.
 *
 * @experimental
 */
export class Relocations {
  readonly #lowest: number;
  /** By number of the segment, from the lowest one on. */
  readonly #list: (Relocation | undefined)[] = [];

  /** Relocations for segments, of each of which the first `endBytes` bytes count. */
  constructor(segments: { number: number; endBytes: number }[]) {
    this.#lowest = segments.reduce((lowest, { number }) => Math.min(lowest, number), Infinity);
    for (const { number, endBytes } of segments) this.#list[number - this.#lowest] = new Relocation(endBytes);
  }

  /** The relocation of a segment, if it is one of them. */
  of(segment: number): Relocation | undefined {
    const at = segment - this.#lowest;
    return at >= 0 && at < this.#list.length ? this.#list[at] : undefined;
  }

  /** How many places have got a new one. */
  get count(): number {
    // Not by `reduce`: it looks at each index, also where numbers lie far apart.
    return Object.values(this.#list).reduce((sum, relocation) => sum + relocation!.count, 0);
  }
}

/** How many bits are set (Warren, "Hacker's Delight", 2002, section 5.1). */
function countOnes(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
