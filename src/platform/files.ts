/**
 * Helpers for files: reads and writes that are never short, and files that are written whole or not at all.
 *
 * @module
 */

import { asFsync, asIo, isDiskFull, noSpace } from "../errors.ts";
import { lossOf } from "./lock.ts";
import type { FileHandle, Lock, Platform } from "./types.ts";

/** How much `rewriteDurably` holds in memory. */
const REWRITTEN_BYTES = 1024 * 1024;

/** So much memory is allocated without asking first whether the file is that long. */
const UNASKED_BYTES = 64 * 1024;

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
  const isLong = lengthBytes > UNASKED_BYTES;
  const bytes = new Uint8Array(isLong ? Math.max(0, Math.min(lengthBytes, handle.size() - offset)) : lengthBytes);
  const got = readInto(handle, bytes, offset);
  return got === bytes.length ? bytes : bytes.slice(0, got);
}

/** Writes all of `source` at byte `offset`. Throws `ENOSPC` if the disk takes no more bytes. */
export function writeAll(handle: FileHandle, source: Uint8Array, offset: number): void {
  let done = 0;
  while (done < source.length) {
    const count = handle.write(done === 0 ? source : source.subarray(done), offset + done);
    if (count === 0) throw noSpace("the disk took no more bytes (is it full?)");
    done += count;
  }
}

/** A file of a directory that is replaced. */
export interface ReplacedFile {
  /** The directory, absolute. */
  directory: string;
  /** The file's name in it. */
  name: string;
  /** The lock on the directory; `undefined` for one that nobody else knows of. */
  lock: Lock | undefined;
}

/** What such a file is replaced by. */
export interface Replacement extends ReplacedFile {
  /** All bytes of the new file. */
  bytes: Uint8Array;
}

/**
 * Replaces a file so that after a crash either the whole old one or the whole new one is there: writes a temporary file,
 * syncs it, renames it, and syncs the directory. When this returns, the new file is durable.
 *
 * If the lock is lost, the file stays what its new holder has made of it. The temporary file has the lock's token in its
 * name, and whoever takes the lock removes all such files (`isTemporary`) before it reads anything. So either this holder
 * sees at its look that the lock is lost; or the look came before the next holder's removal, and then that one finds the
 * renamed file, or has removed the temporary one, which makes the rename fail.
 *
 * @throws {KvStoreError} `FAILED` if the lock is lost or a sync fails; otherwise the platform's errors
 */
export function replaceDurably(platform: Platform, replacement: Replacement): void {
  const { directory } = replacement;
  const handle = createTemporary(platform, replacement);
  try {
    asFsync(temporaryOf(replacement), () => handle.syncDataNow());
  } finally {
    handle.close();
  }
  putInPlace(platform, replacement);
  asFsync("the store's directory", () => platform.syncDirectory(directory));
}

/**
 * The first part of `replaceDurably`, without blocking while the disk works: writes and syncs the temporary file. It is
 * there until the same file is replaced, or prepared, the next time. Resolves to `false` if the disk is full. Rejects
 * with `FAILED` if the sync fails.
 */
export async function prepareReplacement(platform: Platform, replacement: Replacement): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = createTemporary(platform, replacement);
  } catch (error) {
    if (isDiskFull(error)) return false;
    throw error;
  }
  try {
    await asFsync(temporaryOf(replacement), () => handle.syncData());
    return true;
  } finally {
    handle.close();
  }
}

/** Gives the temporary file its name, unless the lock is lost. Until the directory is synced a crash may undo that. */
export function putInPlace(platform: Platform, file: ReplacedFile): void {
  const { directory, name, lock } = file;
  const loss = lock && lossOf(lock, platform, directory);
  if (loss !== undefined) throw loss;
  platform.rename(temporaryOf(file), `${directory}/${name}`);
}

/**
 * Creates and writes the temporary file. Replaces one that an interrupted attempt has left. If the disk is full, removes
 * the incomplete file, so that it takes up no space.
 */
function createTemporary(platform: Platform, replacement: Replacement): FileHandle {
  const path = temporaryOf(replacement);
  removeIfThere(platform, path);
  const handle = platform.open(path, "create");
  try {
    writeAll(handle, replacement.bytes, 0);
    return handle;
  } catch (error) {
    handle.close();
    if (isDiskFull(error)) removeIfThere(platform, path);
    throw error;
  }
}

function temporaryOf({ directory, name, lock }: ReplacedFile): string {
  return lock === undefined ? `${directory}/${name}.tmp` : `${directory}/${name}.${lock.token}.tmp`;
}

/**
 * Writes bytes of a file over themselves, which takes no room, and syncs them. If an earlier sync failed, the kernel may
 * hold pages as clean that the disk does not have. Writing them again makes them dirty, so that this sync covers them.
 */
export function rewriteDurably(name: string, handle: FileHandle, from: number, to: number): void {
  for (let at = from; at < to; at += REWRITTEN_BYTES) {
    const bytes = readUpTo(handle, Math.min(REWRITTEN_BYTES, to - at), at);
    asIo(`write ${name}`, () => writeAll(handle, bytes, at));
  }
  asFsync(name, () => handle.syncDataNow());
}

/** Whether a name is that of a temporary file with which `replaceDurably` replaces the file `name`. */
export function isTemporary(name: string, candidate: string): boolean {
  const middle = candidate.slice(name.length, -".tmp".length);
  return candidate === `${name}${middle}.tmp` && /^(\.[0-9a-f]+)?$/.test(middle);
}

/** Removes a file if it exists. */
export function removeIfThere(platform: Platform, path: string): void {
  try {
    platform.remove(path);
  } catch (error) {
    if (!platform.isNotFound(error)) throw error;
  }
}

/** Removes a file if that is possible. */
export function removeQuietly(platform: Platform, path: string): void {
  try {
    platform.remove(path);
  } catch {
    // Nobody relies on it.
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
