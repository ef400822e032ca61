/**
 * What the store needs from an operating system. Everything that touches files goes through these interfaces. There is
 * one implementation for each runtime, and one for tests that keeps everything in memory.
 *
 * Reads and writes are synchronous: they take 1 to 1.5 µs from the page cache, and an asynchronous call through a
 * runtime's thread pool takes 45 to 60 µs. Waiting for the disk is asynchronous, except where the caller must not go on
 * before the bytes are durable. Methods throw the runtime's own errors; callers add what they were doing.
 *
 * @module
 */

import type { FilePool } from "./pool.ts";

/**
 * An open file with positional reads and, if it was opened for writing, positional writes.
 *
 * @experimental
 */
export interface FileHandle {
  /** Reads into `target` from byte `offset` on. Returns the number of bytes read: 0 at the end, and it may be short. */
  read(target: Uint8Array, offset: number): number;
  /** Writes `source` at byte `offset`. Returns the number of bytes written, which may be short on a full disk. */
  write(source: Uint8Array, offset: number): number;
  /** Calls `fdatasync`. Resolves once the bytes written so far, and the size, would survive a power cut. */
  syncData(): Promise<void>;
  /** Calls `fdatasync`, and blocks until it returns. */
  syncDataNow(): void;
  /** The file's size in bytes. */
  size(): number;
  /** Closes the descriptor. Closing twice is harmless. Never throws: only a sync tells whether bytes are durable. */
  close(): void;
}

/** The writer lock on a directory, held until `release` or the end of the process. */
export interface Lock {
  /** A random word, which no other holder has: for the names of files that only this one may use. */
  readonly token: string;
  /** Whether nobody else has taken the lock since, and the file at its path is still the one that was locked. */
  isCurrent(): boolean;
  /** Releases the lock. The file stays where it is. */
  release(): void;
}

/** A running timer. */
export interface Timer {
  /** Stops the timer, so that its action does not run. */
  stop(): void;
}

/** A part of a file. */
export interface Extent {
  /** The path of the file. */
  path: string;
  /** Where the part begins, in bytes. */
  offset: number;
  /** How many bytes it has. */
  length: number;
}

/** How to open a file: `read` and `write` need an existing one, `create` makes a new one (mode 0600) to read and write. */
export type OpenMode = "read" | "write" | "create";

/** What a path names, in words for messages. */
export type FileKind = "a regular file" | "a directory" | "a symbolic link" | "a FIFO" | "a device or a socket";

/** The calls of the operating system that the store uses. */
export interface Platform {
  /** The files that are only read, of which a fixed number is open at a time. */
  readonly pool: FilePool;
  /** Where backups go, if not to the same disk. */
  readonly outside?: Platform;
  /** Makes a path absolute. */
  absolute(path: string): string;
  /** What a path names, without following it if that is a symbolic link; `undefined` if there is nothing. */
  kindOf(path: string): FileKind | undefined;
  /**
   * Opens a file. `isNotFound` and `isAlreadyThere` recognise the two usual errors. Throws `CORRUPT` for what is not a
   * regular file: it follows no symbolic link, and waits for no FIFO.
   */
  open(path: string, mode: OpenMode): FileHandle;
  /** Creates one directory with mode 0700. Its parent must exist. */
  makeDirectory(path: string): void;
  /** Removes an empty directory. */
  removeDirectory(path: string): void;
  /** The names in a directory, in no particular order. */
  list(path: string): string[];
  /** Makes the entries of a directory survive a power cut as they are now. Does nothing on Windows, which cannot. */
  syncDirectory(path: string): void;
  /** Does what `syncDirectory` does without blocking; resolves once the entries that there are now are durable. */
  syncDirectoryLater(path: string): Promise<void>;
  /** Renames a file atomically, replacing any file that has the new name. */
  rename(from: string, to: string): void;
  /** Removes a file. */
  remove(path: string): void;
  /** Removes a file without blocking: freeing a large file takes the system a while (15 ms for 64 MiB). */
  removeLater(path: string): Promise<void>;
  /** Reads a part of a file on another thread, so that the operating system has it in its cache. Keeps nothing. */
  readAhead(extent: Extent): Promise<void>;
  /**
   * Takes the writer lock on the file at `path`, and creates the file if it is missing. If the lock is held, returns
   * the holder's text. `text` tells people who holds the lock from now on; no program relies on it.
   *
   * If `isAsked` is `false` (default `true`), the operating system is not asked: then only the fence keeps two writers
   * apart, and it is always the former one that fails.
   *
   * @throws {KvStoreError} `NO_LOCK` if the operating system does not say whether somebody holds the lock
   */
  lock(path: string, text: string, isAsked?: boolean): Lock | { holder: string };
  /** Bytes that new files on the volume of a directory can take; `undefined` if that is unknown. Never throws. */
  availableBytes(directory: string): number | undefined;
  /** Whether an error of this platform means that a file or directory does not exist. */
  isNotFound(error: unknown): boolean;
  /** Whether an error of this platform means that a file or directory already exists. */
  isAlreadyThere(error: unknown): boolean;
  /** The time by which keys expire, in milliseconds since 1970. It may go back. */
  now(): number;
  /** Runs `action` once after `delayMs` milliseconds. The process may end without waiting for the timer. */
  startTimer(delayMs: number, action: () => void): Timer;
}
