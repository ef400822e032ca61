/**
 * The reserve: a small file that takes up room from the beginning, so that a store which fills its volume can be got
 * out of it. What frees space needs some first: MANIFEST is replaced by a new file beside it, and a delete is a record.
 * When such a step meets a full disk the reserve is removed, the step is tried once more, and what is left of the room
 * is taken again.
 *
 * Deletes may use it down to the share that is kept for MANIFEST, whose replacement gives back what it takes. Writes of
 * values never use it: it would be gone when it is needed.
 *
 * The file says nothing, and nothing relies on it: it may be missing, short or another's.
 *
 * @module
 */
import { isDiskFull } from "../errors.ts";
import { removeIfThere } from "./files.ts";
import type { Platform } from "./types.ts";

/** Name of the reserve in the store's directory. */
export const RESERVE_NAME = "RESERVE";
/** Name under which a larger one is prepared. */
export const RESERVE_TEMPORARY = "RESERVE.tmp";

/** Kept for MANIFEST, unless two of its size take more: then those are. */
const MIN_KEPT_BYTES = 16 * 1024;
/** May go for deletes, for new segments, and for what compaction copies. */
const LENT_BYTES = 48 * 1024;
/** What a file system gives out at a time: what a step needs is rounded up to it, and one more may be begun. */
const BLOCK_BYTES = 4096;
/** The most random bytes that one call gives. */
const RANDOM_BYTES = 65_536;

/** The reserve of the store in one directory. */
export class Reserve {
  readonly #platform: Platform;
  readonly #path: string;
  readonly #temporary: string;
  #heldBytes = 0;
  #keptBytes = MIN_KEPT_BYTES;

  /** The reserve of a directory; nothing is looked at yet. */
  constructor(platform: Platform, directory: string) {
    this.#platform = platform;
    this.#path = `${directory}/${RESERVE_NAME}`;
    this.#temporary = `${directory}/${RESERVE_TEMPORARY}`;
  }

  /** Looks how much there is. */
  find(): void {
    this.#heldBytes = 0;
    try {
      const handle = this.#platform.open(this.#path, "read");
      this.#heldBytes = handle.size();
      handle.close();
    } catch {
      // There is none, or none that can be used.
    }
  }

  /**
   * Makes it as large as a store with a manifest of that size wants it. Where there is no room for that, it takes half of
   * what is missing, or a quarter, and so on: never quite all that is left.
   */
  restore(manifestBytes: number): void {
    this.#keptBytes = Math.max(MIN_KEPT_BYTES, 2 * manifestBytes);
    for (let bytes = this.#keptBytes + LENT_BYTES - this.#heldBytes; bytes >= BLOCK_BYTES; bytes = bytes >> 1) {
      // Whether it fits is tried with another file, as nobody else takes a part of one back.
      const fits = this.#fill(this.#temporary, bytes) === bytes;
      this.#remove(this.#temporary);
      if (!fits) continue;
      this.#heldBytes = this.#fill(this.#path, bytes, this.#heldBytes);
      return;
    }
  }

  /**
   * Takes a step that has changed nothing if it fails. On a full disk it is taken once more in the room of the reserve,
   * if it leaves the share that is kept. `needBytes` is what stays taken; 0 if it is given back, and for what must
   * always be possible.
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
   * Writes and syncs random bytes, which no file system can make smaller: behind the `startBytes` that a file has, or to a
   * new one. Returns how many it has then.
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
      try {
        for (let count = 1; done < lengthBytes && count > 0; done += count) {
          count = handle.write(bytes.subarray(done), startBytes + done);
        }
      } catch {
        // The disk is full: what was written is what there is.
      }
      try {
        handle.syncDataNow();
        return startBytes + done;
      } finally {
        handle.close();
      }
    } catch {
      // Nobody knows what there is.
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
