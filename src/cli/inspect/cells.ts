/**
 * A log of any size as a bounded number of cells: stretches of equal length, each with the bytes of every state in it,
 * and when they came and went.
 *
 * @module
 */

/** What is counted in a cell. `set` is all bytes of intact sets, whatever they are worth now. */
export const COUNTED = ["set", "tombstone", "mark", "expired", "damaged"] as const;
/** One of them. */
export type Counted = typeof COUNTED[number];

/** The cells of one segment. */
export class Cells {
  /** Bytes of the file that a cell stands for. */
  readonly cellBytes: number;
  /** How many there are. */
  readonly count: number;
  /** Bytes, for each cell. Of `expired`, what has been superseded since is taken out again. */
  readonly bytes: Record<Counted, Float64Array>;
  /** Bytes of sets that were superseded: for each cell, and in it for each step. */
  readonly died: Float64Array;
  /** Records that begin in each cell. */
  readonly records: Uint32Array;
  /** When the first and the last record of each cell were written, in steps. */
  readonly begun: Float64Array;
  readonly ended: Float64Array;
  readonly #steps: number;

  constructor(lengthBytes: number, options: { cellBytes: number; steps: number }) {
    this.cellBytes = options.cellBytes;
    // A little less, as the division may be rounded up to one cell too many.
    this.count = Math.max(1, Math.ceil(lengthBytes / options.cellBytes - 1e-6));
    this.#steps = options.steps;
    const column = () => new Float64Array(this.count);
    this.bytes = { set: column(), tombstone: column(), mark: column(), expired: column(), damaged: column() };
    this.died = new Float64Array(this.count * options.steps);
    this.records = new Uint32Array(this.count);
    this.begun = column().fill(Infinity);
    this.ended = column();
  }

  /** The cell that a byte of the file lies in. */
  cellAt(offset: number): number {
    return Math.min(this.count - 1, Math.floor(offset / this.cellBytes));
  }

  /** Counts a record, or with a negative sign takes it out. */
  add(what: Counted, offset: number, length: number, sign: 1 | -1 = 1): void {
    const counted = this.bytes[what];
    this.#spread(offset, length, (cell, bytes) => counted[cell]! += sign * bytes);
  }

  /** Notes when a record was written. */
  cover(offset: number, length: number, time: number): void {
    this.records[this.cellAt(offset)]!++;
    this.#spread(offset, length, (cell) => {
      if (time < this.begun[cell]!) this.begun[cell] = time;
      if (time > this.ended[cell]!) this.ended[cell] = time;
    });
  }

  /** Notes that a set was superseded in some step. */
  addSuperseded(offset: number, length: number, step: number): void {
    this.#spread(offset, length, (cell, bytes) => this.died[cell * this.#steps + step]! += bytes);
  }

  /** Bytes of sets in a cell that had been superseded by the end of each step. */
  diedBy(cell: number): number[] {
    let sum = 0;
    return Array.from(this.died.subarray(cell * this.#steps, (cell + 1) * this.#steps), (bytes) => sum += bytes);
  }

  /** Bytes of a cell that count now. */
  liveBytes(cell: number): number {
    const { set, expired } = this.bytes;
    let bytes = set[cell]! - expired[cell]!;
    for (let i = cell * this.#steps; i < (cell + 1) * this.#steps; i++) bytes -= this.died[i]!;
    return Math.max(0, bytes);
  }

  /** Calls `take` for the cells that a record reaches into: nearly always one. */
  #spread(offset: number, length: number, take: (cell: number, bytes: number) => void): void {
    const first = this.cellAt(offset);
    const last = this.cellAt(offset + length - 1);
    if (first === last) return take(first, length);
    for (let cell = first; cell <= last; cell++) {
      const start = Math.max(offset, cell * this.cellBytes);
      const end = cell === last ? offset + length : (cell + 1) * this.cellBytes;
      take(cell, end - start);
    }
  }
}
