/**
 * How many keys the parts are done with.
 *
 * @module
 */

import type { Part } from "./engine.ts";

/** How much larger than the others the largest stores are. */
const LARGER = 10;
const GROWN = 20;

/** The numbers of keys that a part is done with. */
export function keysFor(part: Part, engine: string, keys: number): number[] {
  const isOurs = engine === "kvstore";
  switch (part) {
    case "large4k":
      return [Math.ceil(keys / 10)];
    case "large1m":
      return [Math.max(8, Math.ceil(keys / 4000))];
    case "memory":
      return isOurs || engine === "Map" ? [keys, keys * LARGER] : [keys];
    case "growth":
      return [isOurs || engine === "Map" ? keys * GROWN : keys];
    case "shell":
      return [0, keys, keys * LARGER];
    default:
      return [keys];
  }
}
