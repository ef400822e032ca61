/**
 * How many keys the parts are done with.
 *
 * @module
 */

import type { Part } from "./engine.ts";

/** How much larger than the others the largest stores are. */
const LARGER = 10;
const GROWN = 20;

/** Entries of the smaller store that the Kv interface is measured in, and that is opened again and again. */
const FEW = 1000;

/** Whether an engine's stores grow to the largest number of keys. */
export function isGrown(engine: string): boolean {
  return engine.startsWith("kvstore") || engine === "Map";
}

/** The numbers of keys that a part is done with. */
export function keysFor(part: Part, engine: string, keys: number): number[] {
  switch (part) {
    case "large4k":
      return [Math.ceil(keys / 10)];
    case "large1m":
      return [Math.max(8, Math.ceil(keys / 4000))];
    case "memory":
      return isGrown(engine) ? [keys, keys * LARGER] : [keys];
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
