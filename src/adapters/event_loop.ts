/**
 * Turns of the event loop. Reads of the store are synchronous, and some calls find nothing to do. So a loop of awaited
 * calls might never leave the queue of promises, and timers, signals and requests would starve. Every few milliseconds a
 * call waits for a turn.
 *
 * @module
 */
import timers from "node:timers";

/** Taken at load, as test runners replace the globals with fakes. */
const { setImmediate } = timers;
/** `performance.now` takes several times as long on Deno. */
const now = Date.now;

/** The longest time without a turn. */
const LONGEST_MS = 5;

/** Looking at the clock costs a twentieth of a read, so only every 16th call or step does. */
const STEPS_A_LOOK = 16;

let steps = 0;
/** When the first call or step since the last turn of the event loop began; `undefined` if there was none. */
let began: number | undefined;

/** Resolves after one turn of the event loop: due timers, input and output have been served. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Counts a call, or a step of one. Returns a turn to await if there has been none for long enough. */
export function turnIfDue(): Promise<void> | undefined {
  if (began === undefined) {
    // Runs before anything that waits for a turn goes on.
    setImmediate(() => began = undefined);
    began = now();
    return undefined;
  }
  if (++steps % STEPS_A_LOOK !== 0) return undefined;
  // If the clock was set back, the time that has passed is unknown.
  return Math.abs(now() - began) < LONGEST_MS ? undefined : nextTurn();
}

/** Does the work of a call at once. Its result, or its error, comes after a turn if one is due. */
export function paced<T>(work: () => Promise<T>): Promise<T>;
export function paced<T>(work: () => T | Promise<T>): T | Promise<T>;
export function paced<T>(work: () => T | Promise<T>): T | Promise<T> {
  const turn = turnIfDue();
  return turn === undefined ? work() : withTurn(turn, work);
}

async function withTurn<T>(turn: Promise<void>, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await turn;
  }
}
