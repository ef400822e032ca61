/**
 * Turns of the event loop, and timers.
 *
 * A loop that awaits promises which settle within microtasks starves the event loop: no timer, signal or finished sync
 * gets through. So the store settles its promises with `settled` and `paced`: in a microtask if the event loop has had
 * a turn in the last few milliseconds, and otherwise after its next turn.
 *
 * The runtime's functions are captured when this module is loaded: test runners replace the globals by fakes that stand
 * still (`useFakeTimers`), and the store must go on.
 *
 * @module
 */

import timers from "node:timers";
import type { Timer } from "./types.ts";

const { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = timers;
/** Nearly every call of the store reads the time; `performance.now` takes several times as long on Deno. */
const now = Date.now;

/** The longest time that the store keeps the event loop from its next turn. */
const TURN_MS = 4;

/** Whether a promise was settled since the last turn of the event loop. */
let isCounting = false;
/** The time when the first promise since that turn was settled. */
let countingSince = 0;

/** Resolves after the event loop has handled input, output and due timers: the pause between slices of long work. */
export function nextTurn(): Promise<void> {
  let resolve: () => void;
  // First, as it takes the most stack: a promise whose executor is cut off would be rejected, and nobody handles that.
  setImmediate(() => resolve());
  return new Promise((resolved) => resolve = resolved);
}

/** A resolved promise. If the event loop has had no turn for a few milliseconds, it resolves after the next turn. */
export function settled(): Promise<void> {
  if (isCounting) return isOver(countingSince) ? nextTurn() : Promise.resolve();
  countingSince = now();
  setImmediate(() => isCounting = false);
  // Set last: if a stack overflow cuts this call off earlier, the next call starts over instead of waiting for ever.
  isCounting = true;
  return Promise.resolve();
}

/** A promise for a call that was refused: rejected when `settled` would resolve, so that calls settle in their order. */
export function rejected(error: unknown): Promise<never> {
  return settled().then(() => {
    throw error;
  });
}

/** Makes a call, and turns what it throws into a promise that is rejected in its order. */
export function attempt<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call();
  } catch (error) {
    return rejected(error);
  }
}

/** Does some work, and settles its promise when `settled` allows it, even if the work fails. */
export async function paced<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await settled();
  }
}

/** Whether a turn is due. If the clock was set back it is, since the time that has passed is unknown. */
function isOver(sinceMs: number): boolean {
  return Math.abs(now() - sinceMs) >= TURN_MS;
}

/** Long work reads the clock every so many steps. */
const STEPS_A_LOOK = 16;
/** Long work also reads the clock after a step of at least this many bytes. */
const BYTES_A_LOOK = 4096;

/** A slice ends after so many bytes, if its time is not over before. */
const SLICE_BYTES = 2 * 1024 * 1024;

/** Cuts long work into slices of a few milliseconds, so that the event loop gets its turns in between. */
export class Slices {
  readonly #onPause: (bytes: number) => void;
  /** Bytes done in the current slice. */
  #bytes = 0;
  #begun = now();
  #steps = 0;

  /** `onPause` is called after each pause with the bytes of the slice before it. It may throw to end the work. */
  constructor(onPause: (bytes: number) => void = () => {}) {
    this.#onPause = onPause;
  }

  /** Counts a step. Returns true if the slice is over, by time or by its bytes: then call `pause`. */
  count(bytes: number): boolean {
    this.#bytes += bytes;
    if (this.#bytes >= SLICE_BYTES) return true;
    return (++this.#steps % STEPS_A_LOOK === 0 || bytes >= BYTES_A_LOOK) && isOver(this.#begun);
  }

  /** Gives the event loop a turn, and begins the next slice. */
  async pause(): Promise<void> {
    const bytes = this.#bytes;
    await nextTurn();
    this.#bytes = 0;
    this.#begun = now();
    this.#onPause(bytes);
  }
}

/** Takes all steps of some work at once. Each step yields its bytes. */
export function finishNow<R>(steps: Generator<number, R>): R {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Takes the steps of some work in slices. */
export async function finishInSlices<R>(steps: Generator<number, R>): Promise<R> {
  const slices = new Slices();
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (slices.count(step.value)) await slices.pause();
  }
}

/** A promise, and the functions that settle it. */
export class Deferred {
  /** Resolves the promise. */
  resolve!: () => void;
  /** Rejects the promise. */
  reject!: (error: Error) => void;
  /** The promise. */
  readonly promise: Promise<void> = new Promise((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

/** Implements `Platform.startTimer` on every runtime. */
export function startTimer(delayMs: number, action: () => void): Timer {
  // setTimeout of node:timers: Deno's global one returns a number, which has no `unref`.
  const timer = setTimeout(action, delayMs);
  timer.unref();
  return { stop: () => clearTimeout(timer) };
}

/** Keeps the process running until the timer is stopped. */
export function keepRunning(): Timer {
  const timer = setInterval(() => {}, 2 ** 30);
  return { stop: () => clearInterval(timer) };
}
