/**
 * A derived file, which is worth nothing: an old one, a damaged one and none at all are all the same.
 *
 * @module
 */
import type { MemoryPlatform } from "../support/memory_platform.ts";
import type { Random } from "../support/random.ts";

/** A derived file that somebody meddles with while the store is closed. */
export class DerivedFile {
  readonly #path: string;
  readonly #random: Random;
  #old: Uint8Array | undefined;

  /** The file at `path`. */
  constructor(path: string, random: Random) {
    this.#path = path;
    this.#random = random;
  }

  /** Sometimes keeps a copy of it, to be put back later. */
  keep(platform: MemoryPlatform): void {
    if (this.#random.chance(0.3) && platform.files().includes(this.#path)) this.#old = platform.readFile(this.#path);
  }

  /** Sometimes damages, removes or replaces it; returns what was done. */
  tamper(platform: MemoryPlatform): string | undefined {
    const random = this.#random;
    const path = this.#path;
    const bytes = platform.files().includes(path) ? platform.readFile(path) : undefined;
    if (bytes === undefined || bytes.length === 0 || random.chance(0.7)) return undefined;
    const change = random.pick(["remove", "old", "flip", "cut"]);
    if (change === "flip") bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
    if (change === "remove") platform.remove(path);
    else if (change === "old") platform.writeFile(path, this.#old ?? bytes);
    else platform.writeFile(path, change === "cut" ? bytes.slice(0, random.below(bytes.length)) : bytes);
    return change;
  }
}
