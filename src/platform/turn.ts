/**
 * Time: giving way to other work, timers that keep no process running, and what does.
 *
 * A promise that settles within microtasks, awaited in a loop, keeps the event loop from everything else: timers,
 * signals, and the ends of syncs. So what settles promises asks here (`settled`, `paced`): by a microtask, as long as the
 * event loop had a turn a moment ago, and otherwise behind its next one.
 *
 * Functions are taken from the runtime once, when this file is loaded: test runners replace the globals by fakes that stand
 * still (`useFakeTimers`), and the store must not.
 *
 * @module
 */

import timers from "node:timers";
import type { Timer } from "./types.ts";

const { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = timers;
/** Not `performance.now`, which costs Deno several times as much: this is asked at nearly every call of the store. */
const now = Date.now;

/** Who keeps the event loop for so long lets it have a turn. */
const TURN_MS = 4;

/** Whether somebody has settled a promise since the last turn … */
let isCounting = false;
/** … and when that was. */
let countingSince = 0;

/** Resolves after input, output and timers that are due had their turn: the pause between slices of long work. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** A promise for what is done already: resolved, unless the event loop has had no turn for a few milliseconds. */
export function settled(): Promise<void> {
  if (isCounting) return isOver(countingSince) ? nextTurn() : Promise.resolve();
  countingSince = now();
  setImmediate(() => isCounting = false);
  // Last: a call that is cut off before it, by a full stack, must not keep all others waiting.
  isCounting = true;
  return Promise.resolve();
}

/** Does some work, and has its promise settle as `settled` says: also where it fails. */
export async function paced<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await settled();
  }
}

/** Whether so much time has passed; also if the clock was put back, and nobody knows. */
function isOver(sinceMs: number): boolean {
  return Math.abs(now() - sinceMs) >= TURN_MS;
}

/** Long work looks at the clock after so many steps, or one of so many bytes. */
const STEPS_A_LOOK = 16;
const BYTES_A_LOOK = 4096;

/**
 * Long work, cut in slices of a few milliseconds each, however much or little is done in them; and of so many bytes at
 * most, where a limit is set.
 */
export class Slices {
  /** Bytes done in the present slice. */
  bytes = 0;
  #begun = now();
  #steps = 0;

  /** Counts a step of so many bytes; true if the slice is over, by time or with `maxBytes`: then `pause`. */
  count(bytes: number, maxBytes: number = Infinity): boolean {
    this.bytes += bytes;
    if (this.bytes >= maxBytes) return true;
    return (++this.#steps % STEPS_A_LOOK === 0 || bytes >= BYTES_A_LOOK) && isOver(this.#begun);
  }

  /** Lets others have their turn, and begins the next slice. */
  async pause(): Promise<void> {
    await nextTurn();
    this.bytes = 0;
    this.#begun = now();
  }
}

/** The timers of all runtimes; see `Platform.startTimer`. */
export function startTimer(delayMs: number, action: () => void): Timer {
  // From node:timers, since Deno's global setTimeout returns a number, which has no unref.
  const timer = setTimeout(action, delayMs);
  timer.unref();
  return { stop: () => clearTimeout(timer) };
}

/** Keeps the process running until it is stopped. */
export function keepRunning(): Timer {
  const timer = setInterval(() => {}, 2 ** 30);
  return { stop: () => clearInterval(timer) };
}
