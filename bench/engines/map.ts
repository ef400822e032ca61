/**
 * A floor: a `Map` with the same keys and values. It stores references, and nothing survives.
 *
 * @module
 */

import type { Engine, EngineKind, OpenContext, Payload } from "../engine.ts";

class MapEngine implements Engine {
  readonly #map: Map<string, Payload>;

  constructor(map: Map<string, Payload>) {
    this.#map = map;
  }

  set(key: string, value: Payload): void {
    this.#map.set(key, value);
  }

  setMany(keys: string[], values: Payload[]): void {
    for (let i = 0; i < keys.length; i++) this.#map.set(keys[i]!, values[i]!);
  }

  get(key: string): Payload | undefined {
    return this.#map.get(key);
  }

  close(): void {}
}

/** What a store was closed with, so that it is there when it is opened again. */
const maps = new Map<string, Map<string, Payload>>();

const onDisk = "a Map has no disk";

/** The floor of calls that need not touch a file. */
export const map: EngineKind = {
  name: "Map",
  role: "floor",
  runtimes: ["deno", "node"],
  writes: { write: "memory alone", sync: "none" },
  refuses: {
    durable: onDisk,
    batch: onDisk,
    large4k: onDisk,
    large1m: onDisk,
    open: onDisk,
  },
  lacks: ["disk"],
  open: ({ directory }: OpenContext) => {
    const known = maps.get(directory) ?? new Map();
    maps.set(directory, known);
    return new MapEngine(known);
  },
};
