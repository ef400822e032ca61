/**
 * A log of any size as a bounded number of cells: stretches of equal length. Each cell has its bytes by state, and when
 * they were written and superseded.
 *
 * @module
 */

/** What is counted in a cell. `set` is the bytes of all intact sets, in whatever state. */
export const COUNTED = ["set", "tombstone", "mark", "expired", "damaged"] as const;
/** A kind of bytes that is counted. */
export type Counted = typeof COUNTED[number];

/** The cells of one segment. */
export class Cells {
  /** Length of a cell in bytes of the file. */
  readonly cellBytes: number;
  /** Number of cells. */
  readonly count: number;
  /** Bytes of each kind, by cell. `expired` leaves out what has been superseded. */
  readonly bytes: Record<Counted, Float64Array>;
  /** Bytes of superseded sets, by cell and step. */
  readonly died: Float64Array;
  /** Number of records that begin in each cell. */
  readonly records: Uint32Array;
  /** When the first record of each cell was written, in steps. */
  readonly begun: Float64Array;
  /** When the last record of each cell was written, in steps. */
  readonly ended: Float64Array;
  readonly #steps: number;

  constructor(lengthBytes: number, options: { cellBytes: number; steps: number }) {
    this.cellBytes = options.cellBytes;
    // The small number is for rounding errors, which could add a cell.
    this.count = Math.max(1, Math.ceil(lengthBytes / options.cellBytes - 1e-6));
    this.#steps = options.steps;
    const column = () => new Float64Array(this.count);
    this.bytes = { set: column(), tombstone: column(), mark: column(), expired: column(), damaged: column() };
    this.died = new Float64Array(this.count * options.steps);
    this.records = new Uint32Array(this.count);
    this.begun = column().fill(Infinity);
    this.ended = column();
  }

  /** Returns the cell of a byte of the file. */
  cellAt(offset: number): number {
    return Math.min(this.count - 1, Math.floor(offset / this.cellBytes));
  }

  /** Counts a record. With a negative sign, takes it out again. */
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

  /** Counts a set that was superseded in a step. */
  addSuperseded(offset: number, length: number, step: number): void {
    this.#spread(offset, length, (cell, bytes) => this.died[cell * this.#steps + step]! += bytes);
  }

  /** Returns the bytes of sets in a cell that were superseded by the end of each step. */
  diedBy(cell: number): number[] {
    let sum = 0;
    return Array.from(this.died.subarray(cell * this.#steps, (cell + 1) * this.#steps), (bytes) => sum += bytes);
  }

  /** Returns the live bytes of a cell. */
  liveBytes(cell: number): number {
    const { set, expired } = this.bytes;
    let bytes = set[cell]! - expired[cell]!;
    for (let i = cell * this.#steps; i < (cell + 1) * this.#steps; i++) bytes -= this.died[i]!;
    return Math.max(0, bytes);
  }

  /** Calls `action` for each cell that a record reaches into: nearly always one. */
  #spread(offset: number, length: number, action: (cell: number, bytes: number) => void): void {
    const first = this.cellAt(offset);
    const last = this.cellAt(offset + length - 1);
    if (first === last) return action(first, length);
    for (let cell = first; cell <= last; cell++) {
      const start = Math.max(offset, cell * this.cellBytes);
      const end = cell === last ? offset + length : (cell + 1) * this.cellBytes;
      action(cell, end - start);
    }
  }
}
