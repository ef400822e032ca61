/**
 * The records of a segment that the index points at, and where compaction has copied them.
 *
 * @module
 */

/** No two records begin within this many bytes (2^4), since a header alone is longer. */
const CELL_BITS = 4;
/** A word of the bitmap has 32 cells. */
const WORD_BITS = CELL_BITS + 5;

/**
 * The places of one segment that the index points at, with their new ones. A bitmap with a bit for each 16 bytes holds
 * the places; the number of bits before a place is its position in the list of new ones (rank in a bit vector:
 * Jacobson, "Space-efficient Static Trees and Graphs", 1989). That takes 1 MiB for a segment of 64 MiB, and 4 bytes a
 * place. Looking each record up in the index instead took a third of a compaction: a random memory access each.
 *
 * First note all places, then give each its new one.
 *
 * @experimental
 */
export class Relocation {
  readonly #words: Uint32Array;
  /** For each word, the number of places before it. */
  readonly #before: Uint32Array;
  #targets: Uint32Array | undefined;

  /** A relocation for a segment of `segmentBytes` bytes, with no place noted. */
  constructor(segmentBytes: number) {
    this.#words = new Uint32Array((segmentBytes >>> WORD_BITS) + 1);
    this.#before = new Uint32Array(this.#words.length);
  }

  /** The number of places noted. */
  get count(): number {
    return this.#list().length;
  }

  /** Notes a place that the index points at. */
  noteLive(offset: number): void {
    this.#words[offset >>> WORD_BITS]! |= 1 << (offset >>> CELL_BITS);
  }

  /** Whether a place was noted. */
  has(offset: number): boolean {
    return (this.#words[offset >>> WORD_BITS]! & (1 << (offset >>> CELL_BITS))) !== 0;
  }

  /** Sets the new place of the record at a place that was noted. */
  move(offset: number, target: number): void {
    this.#list()[this.#rank(offset)] = target;
  }

  /** The new place of the record at a place; 0 if that was not noted, or the record has not been moved. */
  target(offset: number): number {
    return this.has(offset) ? this.#list()[this.#rank(offset)]! : 0;
  }

  #rank(offset: number): number {
    const word = offset >>> WORD_BITS;
    // Shifts count modulo 32, so the mask has the bits of the cells before this one in its word.
    return this.#before[word]! + countOnes(this.#words[word]! & ((1 << (offset >>> CELL_BITS)) - 1));
  }

  #list(): Uint32Array {
    if (this.#targets !== undefined) return this.#targets;
    let count = 0;
    for (let word = 0; word < this.#words.length; word++) {
      this.#before[word] = count;
      count += countOnes(this.#words[word]!);
    }
    return this.#targets = new Uint32Array(count);
  }
}

/** How many bits are set (Warren, "Hacker's Delight", 2002, section 5.1). */
function countOnes(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
