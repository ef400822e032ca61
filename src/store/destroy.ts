/**
 * Removing a store.
 *
 * @module
 */
import { asIo } from "../errors.ts";
import { lossOf } from "../platform/lock.ts";
import { MANIFEST_NAME } from "../engine/manifest.ts";
import { removeIfThere } from "../platform/files.ts";
import { platform as systemPlatform } from "../platform/mod.ts";
import { pathOf } from "../platform/path.ts";
import { paced } from "../platform/turn.ts";
import type { Platform } from "../platform/types.ts";
import { findStore, takeLock } from "./directory.ts";
import { booleanOf, checkNames } from "./options.ts";
import { isStoreFile, LOCK_NAME } from "./names.ts";

/**
 * Deletes the store in a directory, intact or damaged. Files that do not belong to the store stay, as does what repair
 * has moved aside. If nothing stays, the directory is removed too. No process may have the store open for writing;
 * read-only stores can still read the files that they have open. If a call is cut off, another one completes it.
 *
 * @param options `lock` is that of `KvStore.open`
 * @returns whether there was a store; without one, nothing is touched
 * @throws {KvStoreError} `LOCKED`, `NO_LOCK`, `IO`, and `FAILED` if another process takes the lock meanwhile
 */
export function destroyStore(directory: string | URL, options: { lock?: boolean } = {}): Promise<boolean> {
  return paced(() => {
    checkNames("destroyStore", options, ["lock"]);
    return destroyOn(systemPlatform, systemPlatform.absolute(pathOf(directory)), options);
  });
}

/** Deletes a store on any platform. See `destroyStore`. */
export function destroyOn(platform: Platform, directory: string, options: { lock?: boolean } = {}): boolean {
  if (findStore(platform, directory) === "none") return false;
  const lock = takeLock(platform, directory, booleanOf("lock", options.lock, true));
  try {
    const files = asIo(`list ${directory}`, () => platform.list(directory)).filter(isStoreFile);
    const others = files.filter((name) => name !== MANIFEST_NAME && name !== LOCK_NAME);
    // The manifest goes first: segments without one never open as a store. The lock goes last, while it is held: a
    // process that waits for it then sees that the file has lost its name.
    for (const name of [MANIFEST_NAME, ...others, LOCK_NAME]) {
      const loss = lossOf(lock, platform, directory);
      if (loss !== undefined) throw loss;
      asIo(`remove ${name}`, () => removeIfThere(platform, `${directory}/${name}`));
    }
  } finally {
    lock.release();
  }
  removeDirectoryIfEmpty(platform, directory);
  return true;
}

function removeDirectoryIfEmpty(platform: Platform, directory: string): void {
  if (asIo(`list ${directory}`, () => platform.list(directory)).length > 0) return;
  asIo(`remove ${directory}`, () => platform.removeDirectory(directory));
}
