/**
 * The directory of a store: created and made durable, locked, and what is in it.
 *
 * @module
 */
import { asIo, corrupt, ioError, KvStoreError } from "../errors.ts";
import { messageOf } from "../kinds.ts";
import { type Manifest, MANIFEST_NAME, newManifest, readManifest, writeManifest } from "../engine/manifest.ts";
import { segmentNumberOf } from "../engine/segment.ts";
import type { Lock, Platform } from "../platform/types.ts";
import { LOCK_NAME } from "./names.ts";

const HELD = Symbol.for("@kvstore/kvstore/locked-directories");

/** Takes the writer lock. Throws `LOCKED`, naming the holder as far as it is known. */
export function takeLock(platform: Platform, directory: string): Lock {
  const text = JSON.stringify({ process: processId(), since: new Date().toISOString() });
  const lock = asIo(`lock ${directory}`, () => platform.lock(`${directory}/${LOCK_NAME}`, text));
  if (!("release" in lock)) throw new KvStoreError("LOCKED", lockedMessage(directory, lock.holder));
  const held = heldHere();
  held.add(directory);
  return {
    isCurrent: () => lock.isCurrent(),
    release() {
      held.delete(directory);
      lock.release();
    },
  };
}

/**
 * The directories that stores of this realm hold the lock of, in all copies of this module: a program may import and
 * require it, and `bun --hot` loads it again while the old stores stay open. It serves messages alone.
 */
function heldHere(): Set<string> {
  const realm = globalThis as { [HELD]?: Set<string> };
  return realm[HELD] ??= new Set();
}

function processId(): number | undefined {
  return (globalThis as { process?: { pid: number } }).process?.pid;
}

/** Who has the lock, as far as its text tells: it is advice, may be anything, and a process id may be used again. */
function lockedMessage(directory: string, text: string): string {
  const { process, since } = holderIn(text);
  let who = "another process or open store is";
  if (heldHere().has(directory)) who = "another open store of this process is";
  else if (process !== undefined && process === processId()) {
    who = "a worker of this process, or other code in it, seems to be";
  }
  const sinceWhen = typeof since === "string" && !Number.isNaN(Date.parse(since)) ? `, since ${since}` : "";
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

/** Creates the directory, and those above it, each durable in its parent. False if it was there. */
export function ensureDirectory(platform: Platform, directory: string): boolean {
  if (isThere(platform, directory)) return false;
  try {
    createDirectory(platform, directory);
    return true;
  } catch (error) {
    const message = `cannot create ${directory}, or make it durable in its parent; create the directory first`;
    throw new KvStoreError("IO", `${message}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function createDirectory(platform: Platform, directory: string): void {
  const parent = parentOf(directory);
  if (!isThere(platform, parent)) createDirectory(platform, parent);
  // Before anything is created: a parent that cannot be synced could lose the whole store in a power cut.
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

function isThere(platform: Platform, directory: string): boolean {
  try {
    platform.list(directory);
    return true;
  } catch (error) {
    if (platform.isNotFound(error)) return false;
    throw ioError(`list ${directory}`, error);
  }
}

/** What a directory holds: nothing of ours, segments without a manifest, or a store. */
export function findStore(platform: Platform, directory: string): "none" | "headless" | "store" {
  if (!isThere(platform, directory)) return "none";
  const names = asIo(`list ${directory}`, () => platform.list(directory));
  if (names.includes(MANIFEST_NAME)) return "store";
  return names.some((name) => segmentNumberOf(name) !== undefined) ? "headless" : "none";
}

/** The manifest of a directory; a new store's if there is nothing. Throws `NOT_FOUND`, `CORRUPT` or `FORMAT`. */
export function manifestOf(platform: Platform, directory: string, create: boolean): Manifest {
  const found = readManifest(platform, directory);
  if (found !== undefined) return found;
  if (findStore(platform, directory) === "headless") {
    throw corrupt(MANIFEST_NAME, 0, "it is missing, but there are segments");
  }
  if (!create) throw new KvStoreError("NOT_FOUND", `there is no store in ${directory}`);
  const manifest = newManifest();
  syncAbove(platform, directory);
  writeManifest(platform, directory, manifest);
  return manifest;
}

/** Makes a directory that was there durable: it may be the work of a process that died before that. */
export function syncAbove(platform: Platform, directory: string): void {
  try {
    platform.syncDirectory(parentOf(directory));
  } catch (error) {
    // Then it was made by somebody else, who has to have seen to it.
    if (!isNotPermitted(error)) throw ioError(`sync the directory above ${directory}`, error);
  }
}
