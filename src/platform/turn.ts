/**
 * Time: giving way to other work, timers that keep no process running, and what does.
 *
 * @module
 */

import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from "node:timers";
import type { Timer } from "./types.ts";

/** Resolves after input, output and timers that are due had their turn: the pause between slices of long work. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
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
