/**
 * What the store asks of the machine below it. Everything that touches files goes through these two interfaces, so
 * that one implementation a runtime, and one that keeps everything in memory, are all there is to write and to trust.
 *
 * Reads and writes are synchronous (1 to 1.5 µs from the page cache, against 45 to 60 µs for an asynchronous call on
 * the runtimes' thread pools); waiting for the disk is not, except where a caller must not go on before it is done.
 * Methods throw whatever the runtime throws; the callers say what they were doing.
 *
 * @module
 */

import type { FilePool } from "./pool.ts";

/**
 * A file that is open for positional reads and, if it was opened so, writes.
 *
 * @experimental
 */
export interface FileHandle {
  /** Reads into `target` from byte `offset` on; returns how many bytes came, 0 at the end of the file. May be short. */
  read(target: Uint8Array, offset: number): number;
  /** Writes `source` at byte `offset`; returns how many bytes went. May be short, as on a disk that is filling up. */
  write(source: Uint8Array, offset: number): number;
  /** `fdatasync`: resolves once everything written so far, and the size, would survive a power cut. */
  syncData(): Promise<void>;
  /** `fdatasync`, waiting in place. */
  syncDataNow(): void;
  /** The file's size in bytes. */
  size(): number;
  /** Gives the descriptor back. Closing twice is harmless. Never throws: what was written is made durable by syncs. */
  close(): void;
}

/** The writer lock on a directory, held until `release` or the end of the process. */
export interface Lock {
  /** Whether the file at the lock's path still is the one that was locked. */
  isCurrent(): boolean;
  /** Releases the lock. The file stays. */
  release(): void;
}

/** A timer that was started. */
export interface Timer {
  /** Keeps its action from running. */
  stop(): void;
}

/** How a file is opened: it must exist (`read`, `write`), or must not (`create`: mode 0600, readable and writable). */
export type OpenMode = "read" | "write" | "create";

/** The operating system, as far as the store knows it. */
export interface Platform {
  /** Opens files that are only read for as long as there is room. */
  readonly pool: FilePool;
  /** Makes a path absolute. */
  absolute(path: string): string;
  /** Opens a file. Throws an error for which `isNotFound` or `isAlreadyThere` tells the two usual reasons. */
  open(path: string, mode: OpenMode): FileHandle;
  /** Creates one directory, mode 0700. Its parent must exist. */
  makeDirectory(path: string): void;
  /** Removes a directory, which must be empty. */
  removeDirectory(path: string): void;
  /** Names of the entries of a directory, in no order. */
  list(path: string): string[];
  /**
   * Makes creations, renames and removals in a directory survive a power cut. Nothing where that cannot be asked for.
   */
  syncDirectory(path: string): void;
  /** Renames a file over another, atomically. */
  rename(from: string, to: string): void;
  /** Removes a file. */
  remove(path: string): void;
  /** Removes a file without blocking: giving the pages of a large file back takes a while (64 MiB: 15 ms). */
  removeLater(path: string): Promise<void>;
  /**
   * Takes the writer lock on the file at `path`, creating it if it is missing, or returns the text that the holder
   * left in it if somebody else has it. `text` says who we are: advice for people, never judged.
   */
  lock(path: string, text: string): Lock | { holder: string };
  /** Whether an error of this platform says that a file or directory is not there. */
  isNotFound(error: unknown): boolean;
  /** Whether an error of this platform says that a file is there already. */
  isAlreadyThere(error: unknown): boolean;
  /** The time of day, in milliseconds since 1970: what keys expire by. It may go back. */
  now(): number;
  /** Runs `action` once after `delayMs`, unless stopped before. The process may end without waiting for it. */
  startTimer(delayMs: number, action: () => void): Timer;
}
