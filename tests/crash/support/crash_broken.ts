/**
 * Stores that are broken on purpose: the platform between them and the disk leaves something out. The sweeps have to
 * catch each of them, or they would not catch a mistake in the store either.
 *
 * @module
 */

import type { FileHandle, OpenMode, Platform } from "../../../src/platform/types.ts";
import type { MemoryPlatform } from "../../support/memory_platform.ts";

/** What a broken platform does differently with files. */
type BreakHandle = (handle: FileHandle, path: string, mode: OpenMode) => Partial<FileHandle>;

/** A platform with some of its methods replaced, those that are not as they are. */
function withMethods(platform: MemoryPlatform, methods: (platform: MemoryPlatform) => Partial<Platform>): Platform {
  return inFrontOf<Platform>(platform, methods(platform));
}

function inFrontOf<T extends object>(inner: T, methods: Partial<T>): T {
  return new Proxy(inner, {
    get(_, name) {
      if (name in methods) return methods[name as keyof T];
      const value = inner[name as keyof T];
      return typeof value === "function" ? value.bind(inner) : value;
    },
  });
}

function withHandles(platform: MemoryPlatform, change: BreakHandle): Platform {
  return withMethods(platform, () => ({
    open: (path, mode) => {
      const handle = platform.open(path, mode);
      return inFrontOf<FileHandle>(handle, change(handle, path, mode));
    },
  }));
}

/** Nothing is left out: the control. */
export const SOUND = (platform: MemoryPlatform): Platform => withHandles(platform, () => ({}));

/** Directories are never synced. */
export const WITHOUT_DIRECTORY_SYNC = (platform: MemoryPlatform): Platform =>
  withMethods(platform, () => ({ syncDirectory: () => {} }));

/** A manifest takes its name before its bytes are durable. */
export const WITHOUT_MANIFEST_SYNC = (platform: MemoryPlatform): Platform =>
  withHandles(platform, (_, path) => path.includes("MANIFEST") ? { syncDataNow: () => {} } : {});

/** A segment counts before its bytes are durable: that of a compaction, of recovery, of a rotation. */
export const WITHOUT_SEGMENT_SYNC = (platform: MemoryPlatform): Platform =>
  withHandles(platform, (handle, path) => {
    if (!path.endsWith(".seg")) return {};
    let isHalf = true;
    return {
      syncDataNow: () => {},
      // The first sync of a segment made by compaction is that of its header.
      syncData: () => {
        if (!isHalf) return handle.syncData();
        isHalf = false;
        return Promise.resolve();
      },
    };
  });

/** The sync before a new segment is begun is left out: it has a descriptor of its own, of a file that was there. */
export const WITHOUT_BARRIER = (platform: MemoryPlatform): Platform =>
  withHandles(
    platform,
    (_, path, mode) => path.endsWith(".seg") && mode === "write" ? { syncDataNow: () => {} } : {},
  );

/** Writes are acknowledged before they are durable. */
export const ACKNOWLEDGING_EARLY = (platform: MemoryPlatform): Platform =>
  withHandles(platform, () => ({ syncData: () => Promise.resolve() }));

/** A sync that fails is tried again, and what it says the second time is believed. */
export const TRYING_AGAIN = (platform: MemoryPlatform): Platform =>
  withHandles(platform, (handle) => ({
    syncData: () => handle.syncData().catch(() => handle.syncData()),
    syncDataNow: () => {
      try {
        handle.syncDataNow();
      } catch {
        handle.syncDataNow();
      }
    },
  }));

/** How much of a write went is not looked at. */
export const BELIEVING_WRITES = (platform: MemoryPlatform): Platform =>
  withHandles(platform, (handle) => ({
    write: (source, offset) => {
      handle.write(source, offset);
      return source.length;
    },
  }));

/** A rename that fails is taken for done. */
export const BELIEVING_RENAMES = (platform: MemoryPlatform): Platform =>
  withMethods(platform, () => ({
    rename: (from, to) => {
      try {
        platform.rename(from, to);
      } catch {
        // Nobody hears of it.
      }
    },
  }));
