/**
 * Giving way: reading is synchronous beneath, so that a loop of awaited reads would never leave the promises' queue, and
 * no timer, signal or request would have its turn.
 *
 * @module
 */
import timers from "node:timers";

/** Kept, as test runners put fakes in its place. */
const { setImmediate } = timers;

/** So long at most goes by without a turn for everything else. */
const LONGEST_MS = 5;

/** The clock is looked at once in so many reads, as it costs a tenth of one. */
const READS_A_LOOK = 16;

let reads = 0;
/** When the present turn of the event loop began to read; `undefined` if it has not. */
let began: number | undefined;

/** Resolves when timers that are due, input and output have had their turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** A turn to be awaited, if reading has gone on for long enough without one. */
export function turnIfDue(): Promise<void> | undefined {
  if (began === undefined) {
    began = performance.now();
    // Runs before whoever waits for a turn goes on.
    setImmediate(() => began = undefined);
    return undefined;
  }
  if (++reads % READS_A_LOOK !== 0) return undefined;
  return performance.now() - began < LONGEST_MS ? undefined : nextTurn();
}

/** What an asynchronous read has found: at once, or behind a turn that is due. */
export function paced<T>(found: T): T | Promise<T> {
  const turn = turnIfDue();
  return turn === undefined ? found : turn.then(() => found);
}
