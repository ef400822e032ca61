/**
 * Turns of the event loop between reads. Reads of the store are synchronous, so a loop of awaited reads never leaves
 * the queue of promises, and timers, signals and requests would starve. Every few milliseconds a read waits for a turn.
 *
 * @module
 */
import timers from "node:timers";

/** Taken at load, as test runners replace the global with a fake. */
const { setImmediate } = timers;

/** The longest time without a turn. */
const LONGEST_MS = 5;

/** Looking at the clock costs a tenth of a read, so only every 16th read does. */
const READS_A_LOOK = 16;

let reads = 0;
/** When the current turn of the event loop began to read; `undefined` if it has not. */
let began: number | undefined;

/** Resolves after one turn of the event loop: due timers, input and output have been served. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Returns a turn to await if reads have gone on for long enough without one. */
export function turnIfDue(): Promise<void> | undefined {
  if (began === undefined) {
    began = performance.now();
    // Runs before anything that waits for a turn goes on.
    setImmediate(() => began = undefined);
    return undefined;
  }
  if (++reads % READS_A_LOOK !== 0) return undefined;
  return performance.now() - began < LONGEST_MS ? undefined : nextTurn();
}

/** Returns the result of a read: at once, or after a turn if one is due. */
export function paced<T>(found: T): T | Promise<T> {
  const turn = turnIfDue();
  return turn === undefined ? found : turn.then(() => found);
}
