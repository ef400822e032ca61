/**
 * Which records of a segment the index points at, and where they went when they were copied.
 *
 * @module
 */

/** No two records begin within so many bytes: the header alone is longer. */
const CELL_BITS = 4;
/** A word of the bitmap has 32 cells. */
const WORD_BITS = CELL_BITS + 5;

/**
 * Places in one segment. A bit for each 16 bytes says whether there is one, and how many there are before it says where
 * in a list its new place is (rank in a bit vector: Jacobson, "Space-efficient Static Trees and Graphs", 1989). That is
 * one megabyte for a segment of 64, and 4 bytes a place. Asking the index's hash tables for each record instead, one
 * access to memory after the other, was a third of a compaction.
 *
 * First all places are marked, then each gets its new one.
 *
 * @experimental
 */
export class Relocation {
  readonly #words: Uint32Array;
  /** Per word, the places before it. */
  readonly #before: Uint32Array;
  #targets: Uint32Array | undefined;

  /** No places yet, of a segment with so many bytes. */
  constructor(segmentBytes: number) {
    this.#words = new Uint32Array((segmentBytes >>> WORD_BITS) + 1);
    this.#before = new Uint32Array(this.#words.length);
  }

  /** How many places have been marked. */
  get count(): number {
    return this.#list().length;
  }

  /** Marks a place. */
  mark(offset: number): void {
    this.#words[offset >>> WORD_BITS]! |= 1 << (offset >>> CELL_BITS);
  }

  /** Whether a place was marked. */
  has(offset: number): boolean {
    return (this.#words[offset >>> WORD_BITS]! & (1 << (offset >>> CELL_BITS))) !== 0;
  }

  /** Says where the record at a marked place is now. */
  move(offset: number, target: number): void {
    this.#list()[this.#rank(offset)] = target;
  }

  /** Where it is now; 0 if it was not marked, or has not been moved. */
  target(offset: number): number {
    return this.has(offset) ? this.#list()[this.#rank(offset)]! : 0;
  }

  #rank(offset: number): number {
    const word = offset >>> WORD_BITS;
    // Shifts take the number of the cell modulo 32: the mask has the bits of the cells before it.
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
