/**
 * The platform for Node and Bun, and most of the one for Deno: files by way of `node:fs`.
 *
 * @module
 */

import fs from "node:fs";
import { basename, resolve } from "node:path";
import process from "node:process";
import { corrupt, type KvStoreError } from "../errors.ts";
import { codeOf } from "../kinds.ts";
import { closeQuietly } from "./files.ts";
import { flock } from "./flock.ts";
import { type LockFile, lockFile } from "./lock.ts";
import { pooled, type System } from "./pool.ts";
import { startTimer } from "./turn.ts";
import type { FileHandle, FileKind, Platform } from "./types.ts";

/**
 * Files to close when a worker of Bun ends. Bun leaves a worker's descriptors open, and with LOCK's descriptor the lock
 * stays held. `Worker.terminate` runs no code in the worker (Bun 1.4): its files stay open until the process ends.
 */
let leftOpen: Set<FileHandle> | undefined;

function isWorkerOfBun(): boolean {
  return (globalThis as { Bun?: { isMainThread?: boolean } }).Bun?.isMainThread === false;
}

/** A set of files that are closed at exit, after all other listeners have run: those may still write. */
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

/** An open file of `node:fs`. */
export class NodeHandle implements FileHandle {
  readonly #descriptor: number;
  /** Syncs that are running on the thread pool. */
  #syncs = 0;
  #closed = false;

  /** Takes over a descriptor. */
  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    if (isWorkerOfBun()) (leftOpen ??= closedAtEnd()).add(this);
  }

  read(target: Uint8Array, offset: number): number {
    // A single call reads at most 2^31 - 1 bytes.
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
    // While a sync runs the descriptor stays open: its number could be reused, and the sync reach another file.
    if (this.#syncs === 0) closeQuietly(() => fs.closeSync(this.#descriptor));
  }

  /** The descriptor. Throws if it was closed: its number may belong to another file by now. */
  #open(): number {
    if (this.#closed) throw new Error("the file is closed");
    return this.#descriptor;
  }
}

/** Flags for opening a file without following a link, and without waiting for the other end of a FIFO. Windows has none. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants as Partial<typeof fs.constants>;

/** A long record is read ahead in pieces of this size, which takes no more memory. */
const READ_AHEAD_BYTES = 1 << 18;

function kindOf(path: string): FileKind | undefined {
  const found = fs.lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (found.isFile()) return "a regular file";
  if (found.isDirectory()) return "a directory";
  if (found.isSymbolicLink()) return "a symbolic link";
  return found.isFIFO() ? "a FIFO" : "a device or a socket";
}

/** The error for a path that does not name a regular file; `undefined` if it does by now, or names nothing. */
export function irregular(path: string): KvStoreError | undefined {
  const kind = kindOf(path);
  if (kind === undefined || kind === "a regular file") return undefined;
  return corrupt(basename(path), 0, `it is ${kind}, not a regular file`);
}

/** The error for a file that was another one when it was looked at. */
export function exchanged(path: string): Error {
  return irregular(path) ?? new Error(`${path} was replaced while it was opened`);
}

/**
 * Opens a file by its own name. Somebody else may have prepared the directory: a symbolic link leads out of it, and
 * opening a FIFO waits for ever. A FIFO that is open all the same has to be told from a file afterwards.
 */
export function openUnfollowed(path: string, flags: number): number {
  const early = O_NOFOLLOW === 0 ? irregular(path) : undefined;
  if (early !== undefined) throw early;
  try {
    return fs.openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600);
  } catch (error) {
    throw irregular(path) ?? error;
  }
}

/** Opens a regular file, and no other. */
function openRegular(path: string, flags: number): number {
  const descriptor = openUnfollowed(path, flags);
  if (fs.fstatSync(descriptor).isFile()) return descriptor;
  fs.closeSync(descriptor);
  throw exchanged(path);
}

/** `O_EXLOCK` of macOS: opens a file and takes its flock(2) lock in one step. Node has no constant for it. Untested. */
const openLockedOnMac = 0x20;
/** libuv's `UV_FS_O_EXLOCK`: Windows lets nobody else open the file while it is open. Untested. */
const openLockedOnWindows = 0x10000000;

/** The flags with which opening a file also locks it; 0 on systems that have none. */
function openLockedFlags(): number {
  if (process.platform === "darwin") return openLockedOnMac | fs.constants.O_NONBLOCK;
  if (process.platform === "win32") return openLockedOnWindows;
  return 0;
}

function openLock(path: string, isAsked: boolean): LockFile {
  const { O_RDWR, O_CREAT } = fs.constants;
  const flags = isAsked ? openLockedFlags() : 0;
  const descriptor = openRegular(path, O_RDWR | O_CREAT | flags);
  return {
    handle: new NodeHandle(descriptor),
    tryLock: () => flags !== 0 || flock(descriptor),
    truncate: (sizeBytes) => fs.ftruncateSync(descriptor, sizeBytes),
    setTime: (seconds) => fs.futimesSync(descriptor, seconds, seconds),
    look(of) {
      const { dev, ino, mtimeMs } = of === "handle"
        ? fs.fstatSync(descriptor, { bigint: true })
        : fs.lstatSync(path, { bigint: true });
      return { identity: `${dev}:${ino}`, changedMs: Number(mtimeMs) };
    },
  };
}

/** The calls of the platform for Node and Bun, without a pool. */
export const nodeSystem: System = {
  absolute: (path) => resolve(path),

  kindOf,

  open(path, mode) {
    const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL } = fs.constants;
    if (mode === "create") return new NodeHandle(fs.openSync(path, O_RDWR | O_CREAT | O_EXCL, 0o600));
    return new NodeHandle(openRegular(path, mode === "read" ? O_RDONLY : O_RDWR));
  },

  makeDirectory: (path) => fs.mkdirSync(path, { mode: 0o700 }),

  removeDirectory: (path) => fs.rmdirSync(path),

  list: (path) => fs.readdirSync(path),

  syncDirectory(path) {
    // Windows does not open directories as files.
    if (process.platform === "win32") return;
    const directory = fs.openSync(path, fs.constants.O_RDONLY);
    try {
      fs.fsyncSync(directory);
    } finally {
      fs.closeSync(directory);
    }
  },

  async syncDirectoryLater(path) {
    if (process.platform === "win32") return;
    const directory = await fs.promises.open(path, fs.constants.O_RDONLY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },

  rename: (from, to) => fs.renameSync(from, to),

  remove: (path) => fs.unlinkSync(path),

  removeLater: (path) => fs.promises.unlink(path),

  async readAhead({ path, offset, length }) {
    const file = await fs.promises.open(path, fs.constants.O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const piece = new Uint8Array(Math.min(length, READ_AHEAD_BYTES));
      for (let at = 0; at < length; at += piece.length) await file.read(piece, 0, piece.length, offset + at);
    } finally {
      await file.close();
    }
  },

  lock: (path, text, isAsked = true) => lockFile(nodeSystem, openLock, { path, text, isAsked }),

  availableBytes(directory) {
    try {
      const { bsize, blocks, bfree, bavail } = fs.statfsSync(directory);
      // `bavail` leaves out what ext4 keeps for root. If it is 0, nobody but root writes on, and that is what is left.
      const bytes = (bavail || bfree) * bsize;
      return blocks > 0 && bytes >= 0 ? bytes : undefined;
    } catch {
      // The runtime or the file system cannot tell.
      return undefined;
    }
  },

  isNotFound: (error) => codeOf(error) === "ENOENT",

  isAlreadyThere: (error) => codeOf(error) === "EEXIST",

  // Not `now: Date.now`: a test that replaces `Date.now` by a fake moves expiry too.
  now: () => Date.now(),

  startTimer,
};

/** The platform for Node and Bun. */
export const nodePlatform: Platform = pooled(nodeSystem);
