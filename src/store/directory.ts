/**
 * The directory of a store: how it is created, made durable and locked, and what is in it.
 *
 * @module
 */
import { asIo, corrupt, ioError, KvStoreError } from "../errors.ts";
import { messageOf } from "../kinds.ts";
import { startsWith } from "../bytes.ts";
import {
  decodeManifest,
  type Manifest,
  MANIFEST_MAGIC,
  MANIFEST_NAME,
  manifestBytes,
  MAX_SEGMENTS,
} from "../engine/manifest.ts";
import { writeManifest } from "../engine/manifest_file.ts";
import { segmentNumberOf, STORE_ID_BYTES } from "../engine/segment.ts";
import { readUpTo, removeIfThere } from "../platform/files.ts";
import { lossOf } from "../platform/lock.ts";
import type { FileHandle, Lock, Platform } from "../platform/types.ts";
import { isUnfinishedManifest, LOCK_NAME } from "./names.ts";

export { pathOf } from "../platform/path.ts";

const HELD = Symbol.for("@kvstore/kvstore/locked-directories");

/**
 * Takes the writer lock, for which the operating system is asked unless `isAsked` is `false`. Throws `LOCKED`, and names
 * the holder as far as known, or `NO_LOCK`. If there was a holder whose lock did not hold, it cannot replace MANIFEST any
 * more once this has returned: see `replaceDurably`.
 */
export function takeLock(platform: Platform, directory: string, isAsked: boolean = true): Lock {
  const text = JSON.stringify({ process: processId(), since: new Date().toISOString() });
  const lock = asIo(`lock ${directory}`, () => platform.lock(`${directory}/${LOCK_NAME}`, text, isAsked));
  if (!("release" in lock)) throw new KvStoreError("LOCKED", lockedMessage(directory, lock.holder));
  try {
    removeUnfinished(platform, directory, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
  const held = heldHere();
  held.add(directory);
  return {
    token: lock.token,
    isCurrent: () => lock.isCurrent(),
    release() {
      held.delete(directory);
      lock.release();
    },
  };
}

/**
 * Releases the lock after an error, and returns the error to report: that the lock is lost, if it is. What another writer
 * does meanwhile may look like damage.
 */
export function releasedAfter(error: unknown, lock: Lock, platform: Platform, directory: string): unknown {
  try {
    return lossOf(lock, platform, directory) ?? error;
  } catch {
    return error;
  } finally {
    lock.release();
  }
}

/** Removes what former holders of the lock have left of a manifest, and nothing of a later one. */
function removeUnfinished(platform: Platform, directory: string, lock: Lock): void {
  const names = asIo(`list ${directory}`, () => platform.list(directory)).filter(isUnfinishedManifest);
  // Who takes the lock after this look has none of these files: they are named after their holders.
  const loss = lossOf(lock, platform, directory);
  if (loss !== undefined) throw loss;
  for (const name of names) asIo(`remove ${name}`, () => removeIfThere(platform, `${directory}/${name}`));
}

/**
 * The directories that stores of this realm have locked. All copies of this module share the set: a program may both
 * import and require the module, and `bun --hot` reloads it while stores stay open. Only error messages depend on it.
 */
function heldHere(): Set<string> {
  const realm = globalThis as { [HELD]?: Set<string> };
  return realm[HELD] ??= new Set();
}

function processId(): number | undefined {
  return (globalThis as { process?: { pid: number } }).process?.pid;
}

/** Names the holder of the lock. The text in LOCK is only a hint: it may hold anything, and process ids are reused. */
function lockedMessage(directory: string, text: string): string {
  const { process, since } = holderIn(text);
  let who = "another process or open store is";
  if (heldHere().has(directory)) who = "another open store of this process is";
  else if (process !== undefined && process === processId()) {
    who = "a worker of this process, or other code in it, seems to be";
  }
  // Written anew: dates may have comments, which may hold anything.
  const begun = typeof since === "string" ? Date.parse(since) : NaN;
  const sinceWhen = Number.isNaN(begun) ? "" : `, since ${new Date(begun).toISOString()}`;
  const holder = typeof process === "number" ? ` (process ${process}${sinceWhen})` : "";
  return `${who} writing to ${directory}${holder}`;
}

function holderIn(text: string): { process?: unknown; since?: unknown } {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/**
 * Creates a directory and its parents, each durable in its parent. Returns `undefined`; if the directory existed, returns
 * the names in it.
 */
export function ensureDirectory(platform: Platform, directory: string): string[] | undefined {
  const names = namesIn(platform, directory);
  if (names !== undefined) return names;
  try {
    createDirectory(platform, directory);
    return undefined;
  } catch (error) {
    const message = `cannot create ${directory}, or make it durable in its parent; create the directory first`;
    throw new KvStoreError("IO", `${message}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function createDirectory(platform: Platform, directory: string): void {
  const parent = parentOf(directory);
  if (namesIn(platform, parent) === undefined) createDirectory(platform, parent);
  // Sync the parent before creating anything: if that fails, a power cut could lose the whole store.
  platform.syncDirectory(parent);
  try {
    platform.makeDirectory(directory);
  } catch (error) {
    if (!platform.isAlreadyThere(error)) throw error;
  }
  platform.syncDirectory(parent);
}

function parentOf(path: string): string {
  return path.replace(/[/\\][^/\\]*$/, "") || "/";
}

function isNotPermitted(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: string };
  return ["NotCapable", "PermissionDenied"].includes(name ?? "") || ["EACCES", "EPERM"].includes(code ?? "");
}

/** The names in a directory; `undefined` if there is none. */
export function namesIn(platform: Platform, directory: string): string[] | undefined {
  try {
    return platform.list(directory);
  } catch (error) {
    if (platform.isNotFound(error)) return undefined;
    throw ioError(`list ${directory}`, error);
  }
}

/** Whether a directory holds a store, segments without a manifest (`"headless"`), or neither. */
export function findStore(platform: Platform, directory: string): "none" | "headless" | "store" {
  const names = namesIn(platform, directory) ?? [];
  if (names.includes(MANIFEST_NAME)) return "store";
  return hasSegments(names) ? "headless" : "none";
}

function hasSegments(names: string[]): boolean {
  return names.some((name) => segmentNumberOf(name) !== undefined);
}

/** A manifest for a new store. */
export function newManifest(): Manifest {
  return {
    storeId: crypto.getRandomValues(new Uint8Array(STORE_ID_BYTES)),
    generation: 1,
    clean: true,
    nextSegment: 1,
    nextSequence: 1,
    mark: { segment: 0, offset: 0 },
    historyFloor: 0,
    clockFloor: 0,
    segments: [],
  };
}

/** Reads the manifest of a directory; `undefined` if there is none. Throws `CORRUPT`, `FORMAT` or `IO`. */
export function readManifest(platform: Platform, directory: string): Manifest | undefined {
  let handle: FileHandle | undefined;
  try {
    handle = platform.open(`${directory}/${MANIFEST_NAME}`, "read");
    const size = handle.size();
    const mostBytes = manifestBytes(MAX_SEGMENTS);
    if (size > mostBytes) throw corrupt(MANIFEST_NAME, mostBytes, "larger than any manifest");
    const bytes = readUpTo(handle, size, 0);
    const isForeign = bytes.length > 0 && bytes[0] !== 0 && !startsWith(bytes, MANIFEST_MAGIC);
    if (isForeign && !hasSegments(platform.list(directory))) {
      throw new KvStoreError("FORMAT", `${MANIFEST_NAME} is not that of a store, and no segments are beside it`);
    }
    return decodeManifest(bytes);
  } catch (error) {
    if (platform.isNotFound(error)) return undefined;
    throw ioError(`read ${MANIFEST_NAME}`, error);
  } finally {
    handle?.close();
  }
}

/**
 * Reads the manifest. If there is none, whoever has the lock, `creator`, creates that of a new store. Throws `NOT_FOUND`,
 * `CORRUPT` or `FORMAT`.
 */
export function manifestOf(platform: Platform, directory: string, creator?: Lock): Manifest {
  const found = readManifest(platform, directory);
  if (found !== undefined) return found;
  if (findStore(platform, directory) === "headless") {
    throw corrupt(MANIFEST_NAME, 0, "it is missing, but there are segments");
  }
  if (creator === undefined) throw new KvStoreError("NOT_FOUND", `there is no store in ${directory}`);
  const manifest = newManifest();
  syncAbove(platform, directory);
  writeManifest({ platform, directory, lock: creator }, manifest);
  return manifest;
}

/** Makes an existing directory durable in its parent. A process that died may have created it without doing so. */
export function syncAbove(platform: Platform, directory: string): void {
  try {
    platform.syncDirectory(parentOf(directory));
  } catch (error) {
    // We may not open the parent, so another program created the directory, and had to make it durable.
    if (!isNotPermitted(error)) throw ioError(`sync the directory above ${directory}`, error);
  }
}
