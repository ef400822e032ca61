/**
 * The reserve: a small file that holds disk space from the beginning, so that a store that has filled its volume can
 * still free space. Freeing space takes some first: a delete is a record, and MANIFEST is replaced by a new file beside
 * it. If the disk is full for such a step, the store removes the reserve, runs the step again, and then takes back the
 * space that is left.
 *
 * Deletes may use the reserve down to the share that is kept for MANIFEST; replacing MANIFEST gives back what it takes.
 * Writes of values never use the reserve: it would be gone when it is needed.
 *
 * The bytes in the file mean nothing, and nothing relies on it: it may be missing, short or foreign.
 *
 * @module
 */

import { isDiskFull } from "../errors.ts";
import { removeIfThere } from "./files.ts";
import type { Platform } from "./types.ts";

/** Name of the reserve in the store's directory. */
export const RESERVE_NAME = "RESERVE";
/** Name of the file with which a larger reserve is tried out. */
export const RESERVE_TEMPORARY = "RESERVE.tmp";

/** The smallest share kept for MANIFEST. If twice its size is more, that is kept. */
const MIN_KEPT_BYTES = 16 * 1024;
/** The share for deletes, for new segments, and for the copies of compactions. */
const LENT_BYTES = 112 * 1024;
/** The unit in which file systems allocate. The need of a step is rounded up to it; the step may begin one more. */
const BLOCK_BYTES = 4096;
/** The most bytes that one call of `crypto.getRandomValues` fills. */
const RANDOM_BYTES = 65_536;

/** The reserve of one store. */
export class Reserve {
  readonly #platform: Platform;
  readonly #path: string;
  readonly #temporary: string;
  #heldBytes = 0;
  #keptBytes = MIN_KEPT_BYTES;

  /** Creates the reserve of a directory, without touching any file. */
  constructor(platform: Platform, directory: string) {
    this.#platform = platform;
    this.#path = `${directory}/${RESERVE_NAME}`;
    this.#temporary = `${directory}/${RESERVE_TEMPORARY}`;
  }

  /** Finds out how large the file is. */
  find(): void {
    this.#heldBytes = 0;
    try {
      const handle = this.#platform.open(this.#path, "read");
      this.#heldBytes = handle.size();
      handle.close();
    } catch {
      // There is no reserve, or none that can be read.
    }
  }

  /**
   * Makes the reserve as large as a store with a manifest of this size needs it. If the disk has no room for that,
   * adds half of what is missing, or a quarter, and so on: it never takes all the space that is left.
   */
  restore(manifestBytes: number): void {
    this.#keptBytes = Math.max(MIN_KEPT_BYTES, 2 * manifestBytes);
    for (let bytes = this.#keptBytes + LENT_BYTES - this.#heldBytes; bytes >= BLOCK_BYTES; bytes = bytes >> 1) {
      // Tried with another file first: a file that has filled the disk cannot be made shorter again.
      const fits = this.#fill(this.#temporary, bytes) === bytes;
      this.#remove(this.#temporary);
      if (!fits) continue;
      this.#heldBytes = this.#fill(this.#path, bytes, this.#heldBytes);
      return;
    }
  }

  /**
   * Runs a step that changes nothing if it fails. If the disk is full, runs it once more in the space of the reserve,
   * unless that would touch the share for MANIFEST. `needBytes` is the space that the step takes for good: 0 for a step
   * that gives its space back, or that must always be possible.
   */
  lend<T>(needBytes: number, step: () => T): T {
    try {
      return step();
    } catch (error) {
      if (!isDiskFull(error) || !this.#covers(needBytes) || !this.#remove(this.#path)) throw error;
    }
    const bytes = this.#heldBytes;
    this.#heldBytes = 0;
    try {
      return step();
    } finally {
      this.#heldBytes = this.#fill(this.#path, bytes);
    }
  }

  #covers(needBytes: number): boolean {
    if (needBytes === 0) return this.#heldBytes > 0;
    return this.#heldBytes - (Math.ceil(needBytes / BLOCK_BYTES) + 1) * BLOCK_BYTES >= this.#keptBytes;
  }

  /**
   * Appends random bytes, which no file system can compress, to a file of `startBytes`, or to a new one if that is 0.
   * Syncs the file and returns its size.
   */
  #fill(path: string, lengthBytes: number, startBytes: number = 0): number {
    const bytes = new Uint8Array(lengthBytes);
    for (let at = 0; at < lengthBytes; at += RANDOM_BYTES) {
      crypto.getRandomValues(bytes.subarray(at, at + RANDOM_BYTES));
    }
    try {
      if (startBytes === 0) removeIfThere(this.#platform, path);
      const handle = this.#platform.open(path, startBytes === 0 ? "create" : "write");
      let done = 0;
      // All at once, and then block by block: ext4 refuses a long write as a whole if not all of it fits (Linux 6.18).
      const pieces = path === this.#temporary ? [lengthBytes] : [lengthBytes, BLOCK_BYTES];
      for (const pieceBytes of pieces) {
        try {
          for (let count = 1; done < lengthBytes && count > 0; done += count) {
            count = handle.write(bytes.subarray(done, done + pieceBytes), startBytes + done);
          }
        } catch {
          // The disk is full. The file keeps what was written.
        }
      }
      try {
        handle.syncDataNow();
        return startBytes + done;
      } finally {
        handle.close();
      }
    } catch {
      // The size is unknown now.
      this.#remove(path);
      return 0;
    }
  }

  #remove(path: string): boolean {
    try {
      this.#platform.remove(path);
      return true;
    } catch {
      return false;
    }
  }
}
