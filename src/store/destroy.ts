/**
 * Removing a store.
 *
 * @module
 */
import { asIo } from "../errors.ts";
import { MANIFEST_NAME } from "../engine/manifest.ts";
import { removeIfThere } from "../platform/files.ts";
import { platform as systemPlatform } from "../platform/mod.ts";
import { pathOf } from "../platform/path.ts";
import type { Platform } from "../platform/types.ts";
import { findStore, takeLock } from "./directory.ts";
import { isStoreFile, LOCK_NAME } from "./names.ts";

/**
 * Deletes the store in a directory, intact or damaged, and the directory unless something else is in it: files that are
 * not the store's stay, and so does what repair moved aside. Nobody may have the store open for writing; read-only ones
 * go on with the files that they have open. A destroy that was cut off is finished by another one.
 *
 * @returns whether there was a store; where there is none, nothing is touched
 * @throws {KvStoreError} `LOCKED`, `IO`
 */
// deno-lint-ignore require-await -- what is thrown must come out as a rejection
export async function destroyStore(directory: string | URL): Promise<boolean> {
  return destroyOn(systemPlatform, systemPlatform.absolute(pathOf(directory)));
}

/** Does it on any platform. */
export function destroyOn(platform: Platform, directory: string): boolean {
  if (findStore(platform, directory) === "none") return false;
  const lock = takeLock(platform, directory);
  try {
    // The manifest first: what is left of a store without one never opens.
    removeIfThere(platform, `${directory}/${MANIFEST_NAME}`);
    const names = asIo(`list ${directory}`, () => platform.list(directory)).filter(isStoreFile);
    for (const name of names) {
      if (name !== LOCK_NAME) asIo(`remove ${name}`, () => removeIfThere(platform, `${directory}/${name}`));
    }
    // Last, and while it is held: whoever waits for it finds that it is not the file of that name any more.
    asIo(`remove ${LOCK_NAME}`, () => removeIfThere(platform, `${directory}/${LOCK_NAME}`));
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
