/**
 * Reading a store whose writer may replace files meanwhile.
 *
 * @module
 */
import type { Platform } from "../platform/types.ts";
import { readManifest } from "../store/directory.ts";

/** How often a reader starts over by default. */
const MAX_TRIES = 100;

/** Tries at reading a store: each begins with the manifest, and starts over if that was replaced on the way. */
export class Tries {
  readonly #platform: Platform;
  readonly #directory: string;
  #left: number;

  /** Tries at reading the store in a directory. */
  constructor(platform: Platform, directory: string, tries: number = MAX_TRIES) {
    this.#platform = platform;
    this.#directory = directory;
    this.#left = tries - 1;
  }

  /** Whether to try again: the manifest has another generation than the one that was read, and tries are left. */
  again(generation: number | undefined): boolean {
    return this.#left-- > 0 && generationOf(this.#platform, this.#directory) !== generation;
  }
}

/** The generation of a store's manifest; `undefined` if that cannot be read. */
export function generationOf(platform: Platform, directory: string): number | undefined {
  try {
    return readManifest(platform, directory)?.generation;
  } catch {
    return undefined;
  }
}
