/**
 * Loops of awaited calls, and timers that have to fire beside them.
 *
 * @module
 */

import { assert } from "@std/assert";

/** The timer that ends the loop is due after this time. */
const TIMER_MS = 20;
/** The loop gives up after this time. */
const PATIENCE_MS = 2000;

/** Makes a call again and again, each time waiting for its promise, until a timer fires. Fails if none does. */
export async function assertTurns(call: () => Promise<unknown>, name: string = ""): Promise<void> {
  let isRunning = true;
  const begun = Date.now();
  setTimeout(() => isRunning = false, TIMER_MS);
  while (isRunning && Date.now() - begun < PATIENCE_MS) await call().catch(() => {});
  assert(!isRunning, `${name}: no timer fired in ${PATIENCE_MS} ms`);
}
