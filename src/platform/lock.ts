/**
 * What the runtimes' writer locks have in common: the text in LOCK, and whether LOCK still is the file that was locked.
 *
 * @module
 */

import { DECODER, ENCODER } from "./text.ts";
import type { FileHandle, Lock, Platform } from "./types.ts";

/** An open LOCK file. */
export interface LockFile {
  /** The open file. */
  handle: FileHandle;
  /** Asks the operating system for the lock; false if somebody has it. */
  tryLock(): boolean;
  /** Cuts the file. */
  truncate(sizeBytes: number): void;
  /** Device and inode of the open file, or of what is at its path now; undefined where the platform knows none. */
  identity(of: "handle" | "path"): string | undefined;
}

/** The most of a lock's text that is read back. */
const textLimitBytes = 1000;

/** Does what is left of `Platform.lock` once LOCK is open. Closes the file unless the lock is held. */
export function takeLock(platform: Platform, file: LockFile, text: string): Lock | { holder: string } {
  let held = false;
  try {
    if (!file.tryLock()) return { holder: readText(file.handle) };
    writeText(file, text);
    const lock = new HeldLock(platform, file);
    held = true;
    return lock;
  } finally {
    if (!held) file.handle.close();
  }
}

/** The text in a lock's file, for people; empty where it cannot be had. */
export function readTextAt(platform: Platform, path: string): string {
  let handle: FileHandle;
  try {
    handle = platform.open(path, "read");
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
    const bytes = new Uint8Array(textLimitBytes);
    return DECODER.decode(bytes.subarray(0, handle.read(bytes, 0))).trim();
  } catch {
    // Windows keeps others from reading a locked file.
    return "";
  }
}

function writeText(file: LockFile, text: string): void {
  const bytes = ENCODER.encode(`${text}\n`);
  try {
    // Never cut to nothing: a block that stays allocated can be written to on a full disk.
    file.handle.write(bytes, 0);
    file.truncate(bytes.length);
  } catch {
    // It is advice: the lock holds without it, and a full disk must not keep a store from opening.
  }
}

class HeldLock implements Lock {
  readonly #platform: Platform;
  readonly #file: LockFile;
  /** Of the open file, which stays the same; asked for once, as every group of writes compares it. */
  readonly #identity: string | undefined;
  #released = false;

  constructor(platform: Platform, file: LockFile) {
    this.#platform = platform;
    this.#file = file;
    this.#identity = file.identity("handle");
  }

  isCurrent(): boolean {
    if (this.#released) return false;
    try {
      return this.#identity === this.#file.identity("path");
    } catch (error) {
      if (this.#platform.isNotFound(error)) return false;
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
