/**
 * The reserve: a small file that holds disk space from the beginning, so that a store that has filled its volume can
 * still free space. Freeing space takes some first: a delete is a record, and MANIFEST is replaced by a new file beside
 * it. If the disk is full for such a step, the store removes the reserve, runs the step again, and then takes back the
 * space that is left.
 *
 * Replacing MANIFEST gives back what it takes. Copies of compactions may use the reserve down to the share that is kept
 * for MANIFEST, and deletes down to what one more copy takes. Writes of values never use the reserve: it would be gone
 * when it is needed. As a compaction copies a segment before it gives that back, segments are kept so small that the
 * reserve suffices to begin with: see `segmentLimit`.
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
/** A larger file is no reserve, and is replaced. The largest MANIFEST has a quarter of this; see `restore`. */
const MAX_BYTES = 64 * 1024 * 1024;
/** However full the volume is, a segment may be filled up to this size. */
const MIN_SEGMENT_BYTES = 32 * 1024;
/** What deletes leave of the lent share, so that a compaction can begin after them: a copy of the smallest segment. */
const COPY_BYTES = MIN_SEGMENT_BYTES + 8 * 1024;
/**
 * A segment takes this share of the available space. Full volumes, of which a fifth or a half of the keys were deleted
 * at random: with 1/12 those of 16 MiB could be compacted, with 1/8 not; with 1/32 those of 64 MiB, with 1/24 not.
 */
const SEGMENT_SHARE = 1 / 32;
/** Asking for the available space takes 2 to 13 µs. It is asked after so many bytes, if not after an eighth of a segment. */
const MIN_LOOK_BYTES = 64 * 1024;
/** The unit in which file systems allocate. The need of a step is rounded up to it; the step may begin one more. */
const BLOCK_BYTES = 4096;
/** The most bytes that one call of `crypto.getRandomValues` fills. */
const RANDOM_BYTES = 65_536;

/** The reserve of one store. */
export class Reserve {
  readonly #platform: Platform;
  readonly #directory: string;
  readonly #path: string;
  readonly #temporary: string;
  #heldBytes = 0;
  #keptBytes = MIN_KEPT_BYTES;
  /** The limit of the segment that is being written, where it ended at the last call, and where to look again. */
  #limitBytes = 0;
  #last: unknown;
  #nextLook = 0;

  /** Creates the reserve of a directory, without touching any file. */
  constructor(platform: Platform, directory: string) {
    this.#platform = platform;
    this.#directory = directory;
    this.#path = `${directory}/${RESERVE_NAME}`;
    this.#temporary = `${directory}/${RESERVE_TEMPORARY}`;
  }

  /** Finds out how large the file is. */
  find(): void {
    this.#heldBytes = 0;
    try {
      const handle = this.#platform.open(this.#path, "read");
      const sizeBytes = handle.size();
      handle.close();
      if (sizeBytes <= MAX_BYTES) this.#heldBytes = sizeBytes;
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
   * unless that would touch the shares for MANIFEST and, if it is not for a copy of a compaction, for one. `needBytes` is
   * the space that the step takes for good: 0 for a step that gives its space back, or that must always be possible.
   */
  lend<T>(needBytes: number, step: () => T, isForCopy: boolean = false): T {
    try {
      return step();
    } catch (error) {
      if (!isDiskFull(error) || !this.#covers(needBytes, isForCopy) || !this.#remove(this.#path)) throw error;
    }
    const bytes = this.#heldBytes;
    this.#heldBytes = 0;
    try {
      return step();
    } finally {
      this.#heldBytes = this.#fill(this.#path, bytes);
    }
  }

  /**
   * The size up to which a segment may be filled now, at most `mostBytes`.
   *
   * Segments get smaller as the volume fills up, because compaction copies what is live in a segment before it removes
   * the segment. If each takes one nth of the space that was left, those that are smaller take the rest of it together.
   * So compaction can begin with the smallest ones, for which the reserve suffices. If more than one nth of each is
   * stale, they give back what the copy of the next larger one takes.
   */
  segmentLimit(mostBytes: number): number {
    return Math.min(mostBytes, Math.max(MIN_SEGMENT_BYTES, this.#shareBytes()));
  }

  /** Whether the volume has too little space for segments of that size. */
  isTight(segmentBytes: number): boolean {
    return this.#shareBytes() < segmentBytes;
  }

  /** A segment's share of the available space. */
  #shareBytes(): number {
    return (this.#platform.availableBytes(this.#directory) ?? Infinity) * SEGMENT_SHARE;
  }

  /** How much the segment that is being written can still take by its limit. Looks up the available space now and then. */
  roomIn(segment: { endBytes: number }, mostBytes: number): number {
    const { endBytes } = segment;
    if (segment !== this.#last || endBytes >= this.#nextLook) {
      this.#last = segment;
      this.#limitBytes = this.segmentLimit(mostBytes);
      this.#nextLook = endBytes + Math.max(MIN_LOOK_BYTES, this.#limitBytes / 8);
    }
    return this.#limitBytes - endBytes;
  }

  #covers(needBytes: number, isForCopy: boolean): boolean {
    if (needBytes === 0) return this.#heldBytes > 0;
    const keptBytes = this.#keptBytes + (isForCopy ? 0 : COPY_BYTES);
    return this.#heldBytes - (Math.ceil(needBytes / BLOCK_BYTES) + 1) * BLOCK_BYTES >= keptBytes;
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
