/**
 * Files that are open only while they are read often: however many a store has, a fixed number of descriptors does.
 *
 * A file in the pool looks like an open one. It has a descriptor while there is room; one that has lost it is opened
 * again by the next read. Which file loses its descriptor is found by the clock algorithm, as in the block cache: so a
 * read of a file that is open costs one assignment more.
 *
 * @module
 */
import { ioError, isOutOfDescriptors } from "../errors.ts";
import type { FileHandle, Platform } from "./types.ts";

/**
 * So many files of all stores of a process are open at a time: half of the smallest limit that systems start programs
 * with (256, on macOS), and at 64 MiB a segment enough for stores of 8 GiB to be open as a whole.
 */
export const MAX_OPEN_FILES = 128;
/** Where a process has run out of descriptors, the pool makes do with half of what it had, but never with fewer. */
const MIN_OPEN_FILES = 4;

/** A platform before it has a pool. */
export type System = Omit<Platform, "pool">;

/** Adds a pool to a platform. Whatever needs a descriptor where there is none left gets one from the pool. */
export function pooled(system: System): Platform {
  const pool = new FilePool(system);
  return {
    ...system,
    pool,
    open: (path, mode) => pool.withRoom(() => system.open(path, mode)),
    list: (path) => pool.withRoom(() => system.list(path)),
    syncDirectory: (path) => pool.withRoom(() => system.syncDirectory(path)),
    lock: (path, text) => pool.withRoom(() => system.lock(path, text)),
  };
}

/** The files of a process that can be opened again at any time. */
export class FilePool {
  readonly #system: Pick<System, "open" | "isNotFound">;
  /** At most so many files are open at a time. */
  limit: number;
  /** Those that have a descriptor, in no order. */
  readonly #open: PooledFile[] = [];
  #hand = 0;

  /** A pool with at most `limit` files open. */
  constructor(system: Pick<System, "open" | "isNotFound">, limit: number = MAX_OPEN_FILES) {
    this.#system = system;
    this.limit = limit;
  }

  /**
   * Opens a file for reading. Nobody may write to it in place of what is there, or put another file under its name. If it
   * is missing now, throws what the platform throws; if it is missing when it is opened again, what `missing` returns.
   */
  open(path: string, missing: () => Error): FileHandle {
    const file = new PooledFile(this, path, missing);
    this.#admit(file, this.#openNow(path));
    return file;
  }

  /** Takes an open file in that keeps its descriptor, for writing, until it is released. */
  keep(handle: FileHandle, path: string, missing: () => Error): FileHandle {
    const file = new PooledFile(this, path, missing);
    file.handle = handle;
    return file;
  }

  /** From now on a file that was kept may lose its descriptor: it is only read. */
  release(file: FileHandle): void {
    if (!(file instanceof PooledFile) || file.handle === undefined || file.place >= 0) return;
    this.#makePlace();
    this.#admit(file, file.handle);
  }

  /** Gives a file its descriptor back. */
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

  /** Closes the descriptor of a file, if it has one. */
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

  /** Does what needs a descriptor; where the process has none left, once more after giving up half of those in here. */
  withRoom<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (!isOutOfDescriptors(error) || this.#open.length === 0) throw error;
      const left = Math.floor(this.#open.length / 2);
      // For good: else the pool would fill up again, and the rest of the program be refused.
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

  /** Takes the descriptor from a file that was not used lately. */
  #evict(): void {
    for (;;) {
      if (this.#hand >= this.#open.length) this.#hand = 0;
      // Its place is taken by the file that was opened last, which is not to go next.
      const file = this.#open[this.#hand++]!;
      if (!file.wasUsed) return this.drop(file);
      file.wasUsed = false;
    }
  }
}

/** A file that is opened when it is used. Only its pool makes any. */
export class PooledFile implements FileHandle {
  /** Where it is. */
  readonly path: string;
  /** Makes the error for a file that was there and is not any more. */
  readonly missing: () => Error;
  /** The open file, if it is open now. */
  handle: FileHandle | undefined;
  /** Its place among those that may lose their descriptors; -1: none. */
  place = -1;
  /** Whether it was used once more since it was opened, or last looked at for its descriptor. */
  wasUsed = false;
  readonly #pool: FilePool;
  #isClosed = false;

  /** A file that is not open yet. */
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
