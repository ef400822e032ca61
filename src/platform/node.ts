/**
 * Files by way of `node:fs`, for Node and Bun.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { codeOf } from "../kinds.ts";
import { closeQuietly } from "./files.ts";
import { type LockFile, readTextAt, takeLock } from "./lock.ts";
import { pooled } from "./pool.ts";
import { startTimer } from "./turn.ts";
import type { FileHandle, Lock, Platform } from "./types.ts";

/**
 * Bun leaves the descriptors of a worker open when the worker ends, and with LOCK's the lock: there the open files are
 * known here, and closed at the end. `Worker.terminate` runs nothing at all (Bun 1.4), and leaves them to the process.
 */
let leftOpen: Set<FileHandle> | undefined;

function isWorkerOfBun(): boolean {
  return (globalThis as { Bun?: { isMainThread?: boolean } }).Bun?.isMainThread === false;
}

/** Files that are closed behind all other listeners of the end, which may still write to them. */
function closedAtEnd(): Set<FileHandle> {
  const handles = new Set<FileHandle>();
  const close = () => handles.forEach((handle) => handle.close());
  process.on("exit", close);
  process.on("newListener", (event: string | symbol, listener: unknown) => {
    if (event !== "exit" || listener === close) return;
    process.off("exit", close);
    queueMicrotask(() => process.on("exit", close));
  });
  return handles;
}

class NodeHandle implements FileHandle {
  readonly #descriptor: number;
  /** Syncs under way on the thread pool. */
  #syncs = 0;
  #closed = false;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    if (isWorkerOfBun()) (leftOpen ??= closedAtEnd()).add(this);
  }

  read(target: Uint8Array, offset: number): number {
    // A single call takes no more than 2^31 - 1 bytes.
    return fs.readSync(this.#open(), target, 0, Math.min(target.length, 2 ** 30), offset);
  }

  write(source: Uint8Array, offset: number): number {
    return fs.writeSync(this.#open(), source, 0, source.length, offset);
  }

  syncData(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#open(), (error) => {
        this.#syncs--;
        if (this.#closed && this.#syncs === 0) closeQuietly(() => fs.closeSync(this.#descriptor));
        if (error) reject(error);
        else resolve();
      });
      this.#syncs++;
    });
  }

  syncDataNow(): void {
    fs.fdatasyncSync(this.#open());
  }

  size(): number {
    return fs.fstatSync(this.#open()).size;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    leftOpen?.delete(this);
    // A number given back under a running sync could be given out again, and the wrong file be synced.
    if (this.#syncs === 0) closeQuietly(() => fs.closeSync(this.#descriptor));
  }

  /** The descriptor, unless it was closed: by then its number may belong to another file. */
  #open(): number {
    if (this.#closed) throw new Error("the file is closed");
    return this.#descriptor;
  }
}

/**
 * A file to read from. Deno takes these, too: `node:fs` reads at a position in one call, where `Deno.FsFile` needs a seek
 * before it (measured on Deno: 140 bytes at random in 3.0 against 4.1 µs).
 */
export function openToRead(path: string): FileHandle {
  return new NodeHandle(fs.openSync(path, fs.constants.O_RDONLY));
}

/** `O_EXLOCK` of macOS, where opening can take the lock of flock(2) at once; not among Node's constants. Untested. */
const openLockedOnMac = 0x20;
/** libuv's `UV_FS_O_EXLOCK`: Windows shares the file with nobody as long as it is open. Untested. */
const openLockedOnWindows = 0x10000000;

/** What `open` must be told so that it takes the lock itself; 0 where the lock is taken afterwards. */
function openLockedFlags(): number {
  if (process.platform === "darwin") return openLockedOnMac | fs.constants.O_NONBLOCK;
  if (process.platform === "win32") return openLockedOnWindows;
  return 0;
}

/**
 * Takes flock(2) on an open file by the command of that name, since a lock belongs to the open file, not the process.
 * Where there is no such command (util-linux or busybox brings it) the store is refused: a file that claims the lock by
 * a process id would exclude nobody who holds it by flock(2), and would have to be removed by hand after a crash.
 */
function flock(descriptor: number): boolean {
  const { status, error, signal, stderr } = spawnSync("flock", ["-xn", "3"], {
    stdio: ["ignore", "ignore", "pipe", descriptor],
    windowsHide: true,
  });
  if (codeOf(error) === "ENOENT") {
    throw new Error(
      "the command 'flock' (of util-linux or busybox) is not installed: without it a second writer cannot be kept out",
    );
  }
  if (error) throw error;
  if (status === 0) return true;
  if (status === 1) return false;
  throw new Error(`the command 'flock' ended with ${signal ?? `status ${status}`}: ${String(stderr).trim()}`);
}

function openLock(path: string, flags: number): LockFile {
  const { O_RDWR, O_CREAT } = fs.constants;
  const descriptor = fs.openSync(path, O_RDWR | O_CREAT | flags, 0o600);
  return {
    handle: new NodeHandle(descriptor),
    tryLock: () => flags !== 0 || flock(descriptor),
    truncate: (sizeBytes) => fs.ftruncateSync(descriptor, sizeBytes),
    identity(of) {
      const { dev, ino } = of === "handle"
        ? fs.fstatSync(descriptor, { bigint: true })
        : fs.statSync(path, { bigint: true });
      return ino === 0n ? undefined : `${dev}:${ino}`;
    },
  };
}

/** The platform under Node and Bun. */
export const nodePlatform: Platform = pooled({
  absolute: (path) => resolve(path),

  open(path, mode) {
    const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL } = fs.constants;
    const flags = { read: O_RDONLY, write: O_RDWR, create: O_RDWR | O_CREAT | O_EXCL }[mode];
    return new NodeHandle(fs.openSync(path, flags, 0o600));
  },

  makeDirectory: (path) => fs.mkdirSync(path, { mode: 0o700 }),

  removeDirectory: (path) => fs.rmdirSync(path),

  list: (path) => fs.readdirSync(path),

  syncDirectory(path) {
    // Windows opens no directories as files.
    if (process.platform === "win32") return;
    const directory = fs.openSync(path, fs.constants.O_RDONLY);
    try {
      fs.fsyncSync(directory);
    } finally {
      fs.closeSync(directory);
    }
  },

  rename: (from, to) => fs.renameSync(from, to),

  remove: (path) => fs.unlinkSync(path),

  removeLater: (path) => fs.promises.unlink(path),

  lock(path, text): Lock | { holder: string } {
    const flags = openLockedFlags();
    let file: LockFile;
    try {
      file = openLock(path, flags);
    } catch (error) {
      const isHeld = flags !== 0 && (codeOf(error) === "EAGAIN" || codeOf(error) === "EBUSY");
      if (isHeld) return { holder: readTextAt(nodePlatform, path) };
      throw error;
    }
    return takeLock(nodePlatform, file, text);
  },

  isNotFound: (error) => codeOf(error) === "ENOENT",

  isAlreadyThere: (error) => codeOf(error) === "EEXIST",

  // Looked up at each call: a test that fakes the time of day moves expiry, too.
  now: () => Date.now(),

  startTimer,
});
