/**
 * How many keys the parts are done with, and how much time there is for that.
 *
 * @module
 */

import type { Part } from "./engine.ts";

/** How much larger than the others the largest stores are. */
const LARGER = 10;
const GROWN = 20;
/** How many times fewer keys an engine gets that has no time for all. */
const FEWER = 10;

/** A phase that is a sample ends after so many seconds. */
export const LIMIT_SECONDS = 3;
/** One that has to write all its keys may take so many times as long. */
export const WHOLE = 4;

/** Entries of the smaller store that the Kv interface is measured in, and that is opened again and again. */
const FEW = 1000;

/** Whether an engine's stores grow to the largest number of keys; it is also measured with the keys of slower ones. */
export function isGrown(engine: string): boolean {
  return engine.startsWith("kvstore") || engine === "Map";
}

/** The number of keys for an engine that had no time for so many. */
export function fewerThan(keys: number): number {
  return Math.ceil(keys / FEWER);
}

/** The numbers of keys that a part is done with, first the one of a quick run. */
export function keysFor(part: Part, engine: string, keys: number): number[] {
  const withFewer = (keys: number) => isGrown(engine) ? [keys, fewerThan(keys)] : [keys];
  switch (part) {
    case "open":
    case "basic":
    case "batch":
      return withFewer(keys);
    case "large4k":
      return withFewer(Math.ceil(keys / 10));
    case "large1m":
      return [Math.max(8, Math.ceil(keys / 4000))];
    case "memory":
      return isGrown(engine) ? [...withFewer(keys), keys * LARGER] : [keys];
    case "growth":
      return [isGrown(engine) ? keys * GROWN : keys];
    case "kv":
      return [FEW, keys];
    case "reopen":
      return [FEW];
    case "first":
      return [Math.ceil(keys / 10), keys];
    case "crash":
      return [keys * LARGER];
    case "shell":
      return [0, keys * LARGER];
    default:
      return [keys];
  }
}
