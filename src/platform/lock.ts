/**
 * The part of the writer lock that all runtimes share: the text in LOCK, and whether LOCK is still the file that was
 * locked.
 *
 * @module
 */

import { asIo, KvStoreError } from "../errors.ts";
import { codeOf } from "../kinds.ts";
import type { System } from "./pool.ts";
import { DECODER, ENCODER } from "./text.ts";
import type { FileHandle, Lock, Platform } from "./types.ts";

/** An open LOCK file. */
export interface LockFile {
  /** The open file. */
  handle: FileHandle;
  /** Asks the operating system for the lock. Returns false if someone else holds it. */
  tryLock(): boolean;
  /** Truncates the file. */
  truncate(sizeBytes: number): void;
  /** Device and inode of the open file, or of the file at its path now; `undefined` where there are no inodes. */
  identity(of: "handle" | "path"): string | undefined;
}

/** The most bytes of a lock's text that are read. */
const MAX_TEXT_BYTES = 1000;

/** Implements `Platform.lock`; `open` opens the LOCK file, or creates it. */
export function lockFile(
  system: Pick<System, "open" | "isNotFound">,
  open: (path: string) => LockFile,
  { path, text }: { path: string; text: string },
): Lock | { holder: string } {
  let file: LockFile;
  try {
    file = open(path);
  } catch (error) {
    // macOS and Windows can refuse to open a file that another process has locked. Untested.
    if (["EAGAIN", "EBUSY"].includes(String(codeOf(error)))) return { holder: readTextAt(system, path) };
    throw error;
  }
  let held = false;
  try {
    if (!file.tryLock()) return { holder: readText(file.handle) };
    writeText(file, text);
    const lock = new HeldLock(system, file);
    held = true;
    return lock;
  } finally {
    if (!held) file.handle.close();
  }
}

/** The error for a lock on a directory that is lost, as somebody removed or replaced LOCK; `undefined` if it is held. */
export function lossOf(lock: Lock, platform: Platform, directory: string): KvStoreError | undefined {
  if (asIo("look at LOCK", () => lock.isCurrent())) return undefined;
  const reason = isGone(platform, directory)
    ? `the directory ${directory} was removed while the store was open`
    : `the LOCK file in ${directory} was replaced: another writer may be there`;
  return new KvStoreError("FAILED", reason);
}

function isGone(platform: Platform, directory: string): boolean {
  try {
    platform.list(directory);
    return false;
  } catch (error) {
    return platform.isNotFound(error);
  }
}

function readTextAt(system: Pick<System, "open">, path: string): string {
  let handle: FileHandle;
  try {
    handle = system.open(path, "read");
  } catch {
    return "";
  }
  try {
    return readText(handle);
  } finally {
    handle.close();
  }
}

function readText(handle: FileHandle): string {
  try {
    const bytes = new Uint8Array(MAX_TEXT_BYTES);
    return DECODER.decode(bytes.subarray(0, handle.read(bytes, 0))).trim();
  } catch {
    // Windows does not let others read a locked file.
    return "";
  }
}

function writeText(file: LockFile, text: string): void {
  const bytes = ENCODER.encode(`${text}\n`);
  try {
    // Written first and truncated afterwards: a block that stays allocated can be written even if the disk is full.
    file.handle.write(bytes, 0);
    file.truncate(bytes.length);
  } catch {
    // The text is only advice. The lock holds without it, and a full disk must not keep a store from opening.
  }
}

class HeldLock implements Lock {
  readonly #system: Pick<System, "isNotFound">;
  readonly #file: LockFile;
  /** Identity of the open file. It never changes and is compared for every group of writes, so it is read only once. */
  readonly #identity: string | undefined;
  #released = false;

  constructor(system: Pick<System, "isNotFound">, file: LockFile) {
    this.#system = system;
    this.#file = file;
    this.#identity = file.identity("handle");
  }

  isCurrent(): boolean {
    if (this.#released) return false;
    try {
      return this.#identity === this.#file.identity("path");
    } catch (error) {
      if (this.#system.isNotFound(error)) return false;
      throw error;
    }
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    writeText(this.#file, "");
    this.#file.handle.close();
  }
}
