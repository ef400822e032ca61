/**
 * Unpacks the cells of a segment that is too large to show record by record.
 *
 * @module
 */

import type { CellData } from "../log_summary.ts";
import type { State } from "./log_model.ts";

/** Shares of each cell in the packed data. */
const COUNTED = 5;

/** Bytes of a cell by state. */
export type Shares = Record<State, number>;

/** The cells of a segment: stretches of equal length, with the state of their bytes at any moment. */
export class SegmentCells {
  readonly count: number;
  readonly cellBytes: number;
  readonly records: readonly number[];
  readonly #shares: Uint8Array;
  readonly #died: Uint8Array;
  readonly #times: DataView;
  readonly #steps: number;

  constructor(data: CellData, steps: number) {
    this.count = data.count;
    this.cellBytes = data.cellBytes;
    this.records = data.records;
    this.#shares = unpacked(data.shares);
    this.#died = unpacked(data.died);
    this.#times = new DataView(unpacked(data.times).buffer);
    this.#steps = steps;
  }

  /**
   * Writes the share of a cell in each state, 0 to 1, at the end of a step into `shares`. Step -1 is before the first.
   */
  read(cell: number, step: number, shares: Shares): void {
    const at = cell * COUNTED;
    const written = this.#writtenBy(cell, step + 1) / 255;
    const [set, tombstone, mark, expired, damaged] = this.#shares.subarray(at, at + COUNTED);
    const died = step < 0 ? 0 : this.#died[cell * this.#steps + step]! / 255;
    const sets = Math.max(0, set! * written - died - expired! * written);
    shares.live = sets;
    shares.stale = Math.min(died, set! * written);
    shares.tombstone = tombstone! * written;
    shares.mark = mark! * written;
    shares.expired = expired! * written;
    shares.damaged = damaged! * written;
  }

  /** Returns the cell of a byte of the file. */
  cellAt(offset: number): number {
    return Math.min(this.count - 1, Math.floor(offset / this.cellBytes));
  }

  /** Returns when the first record of a cell was written, in steps. */
  begun(cell: number): number {
    return this.#times.getUint16(cell * 4, true) / 256;
  }

  /** Returns when the last record of a cell was written, in steps. */
  ended(cell: number): number {
    return this.#times.getUint16(cell * 4 + 2, true) / 256;
  }

  /** Returns the share of a cell that had been written by a time. */
  #writtenBy(cell: number, time: number): number {
    const begun = this.begun(cell);
    if (time <= begun) return 0;
    const ended = this.ended(cell);
    return time >= ended ? 1 : (time - begun) / (ended - begun);
  }
}

function unpacked(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
