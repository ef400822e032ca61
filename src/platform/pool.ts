/**
 * A pool of files that share a fixed number of descriptors, however many segments a store has.
 *
 * A file in the pool can be used like an open one. It has a descriptor while there is room; if it has lost it, the next
 * read opens the file again. The clock algorithm picks the file that loses its descriptor, as in the block cache, so a
 * read of an open file costs only one more assignment.
 *
 * @module
 */

import { ioError, isOutOfDescriptors } from "../errors.ts";
import type { FileHandle, Platform } from "./types.ts";

/**
 * The number of files that a process keeps open for all its stores: half of the lowest limit that systems start
 * programs with (256, on macOS), and enough for 8 GiB in segments of 64 MiB.
 */
export const MAX_OPEN_FILES = 128;
/** When a process runs out of descriptors the pool halves its limit, but not below this number. */
const MIN_OPEN_FILES = 4;

/** The calls of a platform that has no pool yet. */
export type System = Omit<Platform, "pool">;

/** Adds a pool to a platform. If no descriptor is left for a call, the pool gives some up. */
export function pooled(system: System): Platform {
  const pool = new FilePool(system);
  return {
    ...system,
    pool,
    open: (path, mode) => pool.withRoom(() => system.open(path, mode)),
    list: (path) => pool.withRoom(() => system.list(path)),
    syncDirectory: (path) => pool.withRoom(() => system.syncDirectory(path)),
    syncDirectoryLater: (path) =>
      system.syncDirectoryLater(path).catch((error) => {
        if (!isOutOfDescriptors(error)) throw error;
        pool.withRoom(() => system.syncDirectory(path));
      }),
    lock: (path, text, isAsked) => pool.withRoom(() => system.lock(path, text, isAsked)),
  };
}

/** The files of a process that are only read, so that they can be closed and opened again at any time. */
export class FilePool {
  readonly #system: Pick<System, "open" | "isNotFound">;
  /** The number of files that may be open at the same time. */
  limit: number;
  /** The files that have a descriptor, in no particular order. */
  readonly #open: PooledFile[] = [];
  #hand = 0;

  /** Creates a pool that keeps at most `limit` files open. */
  constructor(system: Pick<System, "open" | "isNotFound">, limit: number = MAX_OPEN_FILES) {
    this.#system = system;
    this.limit = limit;
  }

  /**
   * Opens a file for reading. The pool may close it and open it again, so its bytes must not be overwritten, nor its
   * name given to another file. If the file is missing now, throws the platform's error; if it is missing later, the
   * next call on it throws the error that `missing` returns.
   */
  open(path: string, missing: () => Error): FileHandle {
    const file = new PooledFile(this, path, missing);
    this.#admit(file, this.#openNow(path));
    return file;
  }

  /** Takes in an open file that is being written. It keeps its descriptor until it is released. */
  keep(handle: FileHandle, path: string, missing: () => Error): FileHandle {
    const file = new PooledFile(this, path, missing);
    file.handle = handle;
    return file;
  }

  /** Lets a kept file lose its descriptor, as it is only read from now on. */
  release(file: FileHandle): void {
    if (!(file instanceof PooledFile) || file.handle === undefined || file.place >= 0) return;
    this.#makePlace();
    this.#admit(file, file.handle);
  }

  /** Opens a file again that has lost its descriptor. */
  reopen(file: PooledFile): FileHandle {
    let handle: FileHandle;
    try {
      handle = this.#openNow(file.path);
    } catch (error) {
      throw this.#system.isNotFound(error) ? file.missing() : ioError(`open ${file.path}`, error);
    }
    this.#admit(file, handle);
    return handle;
  }

  /** Closes a file's descriptor, if it has one. */
  drop(file: PooledFile): void {
    if (file.place >= 0) {
      const last = this.#open.pop()!;
      last.place = file.place;
      if (last !== file) this.#open[file.place] = last;
      file.place = -1;
    }
    file.handle?.close();
    file.handle = undefined;
  }

  /** Runs an action that needs a descriptor. If none is left, closes half of the pool's files and runs it once more. */
  withRoom<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (!isOutOfDescriptors(error) || this.#open.length === 0) throw error;
      const left = Math.floor(this.#open.length / 2);
      // The limit stays lower: otherwise the pool would fill up again and leave none for the rest of the program.
      this.limit = Math.min(this.limit, Math.max(left, MIN_OPEN_FILES));
      while (this.#open.length > left) this.#evict();
      return action();
    }
  }

  #openNow(path: string): FileHandle {
    this.#makePlace();
    return this.withRoom(() => this.#system.open(path, "read"));
  }

  #makePlace(): void {
    while (this.#open.length >= this.limit) this.#evict();
  }

  #admit(file: PooledFile, handle: FileHandle): void {
    file.handle = handle;
    file.place = this.#open.push(file) - 1;
  }

  /** Closes a file that was not used lately. */
  #evict(): void {
    for (;;) {
      if (this.#hand >= this.#open.length) this.#hand = 0;
      // `drop` moves the file that was opened last to this place. The hand is past it, so it is not the next to go.
      const file = this.#open[this.#hand++]!;
      if (!file.wasUsed) return this.drop(file);
      file.wasUsed = false;
    }
  }
}

/** A file that is opened when it is used. Only a pool creates one. */
export class PooledFile implements FileHandle {
  /** Path of the file. */
  readonly path: string;
  /** Makes the error to throw if the file has been removed. */
  readonly missing: () => Error;
  /** The open file; `undefined` while it has no descriptor. */
  handle: FileHandle | undefined;
  /** Index in the pool's list of files that may lose their descriptors; -1 if it is not in it. */
  place = -1;
  /** Whether it was used again since it was opened, or since the clock's hand last passed it. */
  wasUsed = false;
  readonly #pool: FilePool;
  #isClosed = false;

  /** Creates a file that is not open yet. */
  constructor(pool: FilePool, path: string, missing: () => Error) {
    this.#pool = pool;
    this.path = path;
    this.missing = missing;
  }

  read(target: Uint8Array, offset: number): number {
    return this.#use().read(target, offset);
  }

  write(source: Uint8Array, offset: number): number {
    return this.#use().write(source, offset);
  }

  syncData(): Promise<void> {
    try {
      return this.#use().syncData();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  syncDataNow(): void {
    this.#use().syncDataNow();
  }

  size(): number {
    return this.#use().size();
  }

  close(): void {
    this.#isClosed = true;
    this.#pool.drop(this);
  }

  #use(): FileHandle {
    if (this.handle !== undefined) {
      this.wasUsed = true;
      return this.handle;
    }
    if (this.#isClosed) throw new Error("the file is closed");
    return this.#pool.reopen(this);
  }
}
