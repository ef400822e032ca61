/**
 * Helpers for files: reads and writes that are never short, and files that are written whole or not at all.
 *
 * @module
 */

import { asFsync, isDiskFull } from "../errors.ts";
import type { FileHandle, Platform } from "./types.ts";

/** Fills `target` from byte `offset` on. Returns the number of bytes read: fewer only at the end of the file. */
export function readInto(handle: FileHandle, target: Uint8Array, offset: number): number {
  let got = 0;
  while (got < target.length) {
    const count = handle.read(got === 0 ? target : target.subarray(got), offset + got);
    if (count === 0) break;
    got += count;
  }
  return got;
}

/** Reads `lengthBytes` bytes at `offset`, or as many as there are before the end of the file. */
export function readUpTo(handle: FileHandle, lengthBytes: number, offset: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.max(0, Math.min(lengthBytes, handle.size() - offset)));
  const got = readInto(handle, bytes, offset);
  return got === bytes.length ? bytes : bytes.slice(0, got);
}

/** Writes all of `source` at byte `offset`. Throws `ENOSPC` if the disk takes no more bytes. */
export function writeAll(handle: FileHandle, source: Uint8Array, offset: number): void {
  let done = 0;
  while (done < source.length) {
    const count = handle.write(done === 0 ? source : source.subarray(done), offset + done);
    if (count === 0) throw Object.assign(new Error("the disk took no more bytes (is it full?)"), { code: "ENOSPC" });
    done += count;
  }
}

/**
 * Creates a file that holds `bytes`, and syncs it. Replaces a file that an interrupted attempt has left. If the disk is
 * full, removes the incomplete file, so that it takes up no space.
 */
export function writeDurably(platform: Platform, path: string, bytes: Uint8Array): void {
  removeIfThere(platform, path);
  const handle = platform.open(path, "create");
  try {
    writeAll(handle, bytes, 0);
    asFsync(path, () => handle.syncDataNow());
  } catch (error) {
    handle.close();
    if (isDiskFull(error)) removeIfThere(platform, path);
    throw error;
  } finally {
    handle.close();
  }
}

/** Removes a file if it exists. */
export function removeIfThere(platform: Platform, path: string): void {
  try {
    platform.remove(path);
  } catch (error) {
    if (!platform.isNotFound(error)) throw error;
  }
}

/** Renames a file if it exists. */
export function renameIfThere(platform: Platform, from: string, to: string): void {
  try {
    platform.rename(from, to);
  } catch (error) {
    if (!platform.isNotFound(error)) throw error;
  }
}

/** Closes a descriptor and ignores errors: other code may have closed it already, and further files must be closed. */
export function closeQuietly(close: () => void): void {
  try {
    close();
  } catch {
    // Nothing depends on it: see `FileHandle.close`.
  }
}

/** Removes files in the background. A file that cannot be removed stays. */
export class Removals {
  readonly #platform: Platform;
  #last: Promise<void> = Promise.resolve();

  /** Removes files through a platform. */
  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Begins to remove a file. */
  add(path: string): void {
    const removal = this.#platform.removeLater(path).catch(() => {});
    this.#last = this.#last.then(() => removal);
  }

  /** Resolves once the removals begun so far have ended. */
  async ended(): Promise<void> {
    await this.#last;
  }
}
