/**
 * The part of the writer lock that all runtimes share: the text in LOCK, and the fence.
 *
 * The operating system's lock may not hold: LOCK may have been removed, and a program that locks may only claim to have
 * done so. So whoever takes the lock sets the time of LOCK's last change to a random one, and looks for every group of
 * writes whether it is still there. It is in the file's attributes, so that setting it takes no space on a full disk, and
 * the look that tells a replaced file finds it without another system call.
 *
 * @module
 */

import { asIo, isOutOfDescriptors, KvStoreError } from "../errors.ts";
import { codeOf, messageOf } from "../kinds.ts";
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
  /** Sets the time of the last change, in seconds since 1970. Throws where the file belongs to another user. */
  setTime(seconds: number): void;
  /** The open file, or the file at its path now. */
  look(of: "handle" | "path"): LockFileState;
}

/** What tells a lock's file from another, and one holder from the next. */
export interface LockFileState {
  /** Device and inode, where there are inodes. */
  identity: string;
  /** The time of the last change, in milliseconds since 1970. */
  changedMs: number;
}

/** The most bytes of a lock's text that are read. */
const MAX_TEXT_BYTES = 1000;
/**
 * Fences are even numbers of seconds from here on, in 1987, up to 2021. FAT, the coarsest of file systems, keeps even
 * seconds from 1980 on. No change that really happens sets a time so long ago.
 */
const FIRST_FENCE_SECONDS = 2 ** 29;
/** There are 2 to this power of them. */
const FENCE_BITS = 29;
/** How long a lock that was released is asked for again. A machine that is busy may take that long to start a process. */
const MAX_COPY_MS = 1000;
/** The size of LOCK when its text is empty: a line feed is left. */
const EMPTIED_BYTES = 1;
const NEVER_WOKEN = new Int32Array(new SharedArrayBuffer(4));

/** Implements `Platform.lock`; `open` opens the LOCK file, or creates it. */
export function lockFile(
  system: Pick<System, "open" | "isNotFound">,
  open: (path: string, isAsked: boolean) => LockFile,
  { path, text, isAsked }: { path: string; text: string; isAsked: boolean },
): Lock | { holder: string } {
  let file: LockFile;
  try {
    file = open(path, isAsked);
  } catch (error) {
    // macOS and Windows can refuse to open a file that another process has locked. Untested.
    if (["EAGAIN", "EBUSY"].includes(String(codeOf(error)))) return { holder: readTextAt(system, path) };
    throw error;
  }
  let held = false;
  try {
    if (isAsked && !asNoLock(() => tryUntilFree(file))) return { holder: readText(file.handle) };
    writeText(file, text);
    const lock = new HeldLock(system, file, text);
    held = true;
    return lock;
  } finally {
    if (!held) file.handle.close();
  }
}

/**
 * Asks for the lock. A holder that has released it has emptied the text. If it is held all the same, a process is being
 * started, which has a copy of every open file until it runs its own program. That takes a millisecond or some.
 */
function tryUntilFree(file: LockFile): boolean {
  const start = performance.now();
  while (!file.tryLock()) {
    // Its size tells also on Windows, which does not let others read a locked file.
    if (file.handle.size() > EMPTIED_BYTES || performance.now() - start > MAX_COPY_MS) return false;
    Atomics.wait(NEVER_WOKEN, 0, 0, 1);
  }
  return true;
}

/** Runs `ask`, which asks for the lock, and turns an error into `NO_LOCK`, unless more descriptors would help. */
function asNoLock(ask: () => boolean): boolean {
  try {
    return ask();
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    const advice = "the option lock: false, or --nolock, does without it where there is certainly one writer";
    const message = `it cannot be found out whether there is another writer: ${messageOf(error)}; ${advice}`;
    throw new KvStoreError("NO_LOCK", message, { cause: error });
  }
}

/** The error for a lock on a directory that is lost, as somebody changed or removed LOCK; `undefined` if it is held. */
export function lossOf(lock: Lock, platform: Platform, directory: string): KvStoreError | undefined {
  if (asIo("look at LOCK", () => lock.isCurrent())) return undefined;
  const reason = isGone(platform, directory)
    ? `the directory ${directory} was removed while the store was open`
    : `the LOCK file in ${directory} was replaced, or touched: another writer may be there`;
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
  readonly token: string;
  readonly #system: Pick<System, "isNotFound">;
  readonly #file: LockFile;
  /** What every look must find. */
  readonly #own: LockFileState;
  #released = false;

  constructor(system: Pick<System, "isNotFound">, file: LockFile, text: string) {
    this.#system = system;
    this.#file = file;
    const before = file.look("handle");
    const fence = crypto.getRandomValues(new Uint32Array(1))[0]! >>> (32 - FENCE_BITS);
    this.token = fence.toString(16);
    const seconds = FIRST_FENCE_SECONDS + 2 * fence;
    try {
      file.setTime(seconds);
    } catch {
      // LOCK belongs to another user.
    }
    // Where the time cannot be set, the text has just set it to the present, which is a fence as well, if a coarse one.
    // In any other case only ours counts: if somebody has set another time since, the first look finds the lock lost.
    const isKept = readText(file.handle) === text && file.look("handle").changedMs === before.changedMs;
    this.#own = isKept ? before : { ...before, changedMs: 1000 * seconds };
  }

  isCurrent(): boolean {
    if (this.#released) return false;
    try {
      const { identity, changedMs } = this.#file.look("path");
      return identity === this.#own.identity && changedMs === this.#own.changedMs;
    } catch (error) {
      if (this.#system.isNotFound(error)) return false;
      throw error;
    }
  }

  release(): void {
    if (this.#released) return;
    // Another holder would take a change of the file for the loss of its lock.
    if (this.#isCertainlyCurrent()) writeText(this.#file, "");
    this.#released = true;
    this.#file.handle.close();
  }

  #isCertainlyCurrent(): boolean {
    try {
      return this.isCurrent();
    } catch {
      return false;
    }
  }
}
