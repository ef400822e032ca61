/**
 * What every user of file handles needs: reading and writing as much as was asked for, and files that are there whole
 * or not at all.
 *
 * @module
 */
import { asSync, isDiskFull } from "../errors.ts";
import type { FileHandle, Platform } from "./types.ts";

/** Fills `target` from `offset` on, however short the single reads are; returns how many bytes came. */
export function readInto(handle: FileHandle, target: Uint8Array, offset: number): number {
  let got = 0;
  while (got < target.length) {
    const count = handle.read(got === 0 ? target : target.subarray(got), offset + got);
    if (count === 0) break;
    got += count;
  }
  return got;
}

/** Reads `lengthBytes` at `offset`, or as many as there are before the end of the file. */
export function readUpTo(handle: FileHandle, lengthBytes: number, offset: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.max(0, Math.min(lengthBytes, handle.size() - offset)));
  const got = readInto(handle, bytes, offset);
  return got === bytes.length ? bytes : bytes.slice(0, got);
}

/** Writes all of `source` at `offset`, however short the single writes are. Throws if the disk takes no more. */
export function writeAll(handle: FileHandle, source: Uint8Array, offset: number): void {
  let done = 0;
  while (done < source.length) {
    const count = handle.write(done === 0 ? source : source.subarray(done), offset + done);
    if (count === 0) throw Object.assign(new Error("the disk took no more bytes (is it full?)"), { code: "ENOSPC" });
    done += count;
  }
}

/**
 * Writes a new file and syncs its bytes, in place of whatever an interrupted attempt left under that name. What the disk
 * has no room for in full does not take up the rest of it.
 */
export function writeDurably(platform: Platform, path: string, bytes: Uint8Array): void {
  removeIfThere(platform, path);
  const handle = platform.open(path, "create");
  try {
    writeAll(handle, bytes, 0);
    asSync(path, () => handle.syncDataNow());
  } catch (error) {
    handle.close();
    if (isDiskFull(error)) removeIfThere(platform, path);
    throw error;
  } finally {
    handle.close();
  }
}

/** Removes a file unless it is missing already. */
export function removeIfThere(platform: Platform, path: string): void {
  try {
    platform.remove(path);
  } catch (error) {
    if (!platform.isNotFound(error)) throw error;
  }
}

/** Renames a file unless it is missing. */
export function renameIfThere(platform: Platform, from: string, to: string): void {
  try {
    platform.rename(from, to);
  } catch (error) {
    if (!platform.isNotFound(error)) throw error;
  }
}

/** Closes a descriptor whatever that says: somebody else may have closed it, and the others have to be closed, too. */
export function closeQuietly(close: () => void): void {
  try {
    close();
  } catch {
    // Nothing rests on it: see `FileHandle.close`.
  }
}
