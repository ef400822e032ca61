/**
 * Files by way of `Deno.FsFile`. Nothing of Deno is touched before the first call, so that other runtimes can import
 * it.
 *
 * @module
 */

import { resolve } from "node:path";
import { codeOf } from "../kinds.ts";
import { closeQuietly } from "./files.ts";
import { type LockFile, takeLock } from "./lock.ts";
import { openToRead } from "./node.ts";
import { pooled } from "./pool.ts";
import { startTimer } from "./turn.ts";
import type { FileHandle, Platform } from "./types.ts";

/** The part of `Deno.FileInfo` that is used. */
interface DenoFileInfo {
  size: number;
  dev: number;
  ino: number | null;
}

/** The part of `Deno.FsFile` that is used. */
interface DenoFile {
  readSync(target: Uint8Array): number | null;
  writeSync(source: Uint8Array): number;
  seekSync(offset: number, whence: number): number;
  truncateSync(length?: number): void;
  syncData(): Promise<void>;
  syncDataSync(): void;
  syncSync(): void;
  statSync(): DenoFileInfo;
  tryLockSync(exclusive?: boolean): boolean;
  close(): void;
}

/** The part of `Deno.OpenOptions` that is used. */
interface DenoOpenOptions {
  read?: boolean;
  write?: boolean;
  create?: boolean;
  createNew?: boolean;
  mode?: number;
}

/** The part of `Deno` that is used: declared here, for there are no types of Deno where the npm package is built. */
export interface DenoNamespace {
  build: { os: string };
  openSync(path: string, options?: DenoOpenOptions): DenoFile;
  mkdirSync(path: string, options?: { mode?: number }): void;
  readDirSync(path: string): Iterable<{ name: string }>;
  renameSync(from: string, to: string): void;
  removeSync(path: string): void;
  remove(path: string): Promise<void>;
  statSync(path: string): DenoFileInfo;
}

declare const Deno: DenoNamespace;

const seekFromStart = 0;

class DenoHandle implements FileHandle {
  readonly #file: DenoFile;
  /** Where the descriptor stands, so that runs of reads or writes do without a seek each; NaN when unknown. */
  #position = 0;
  #closed = false;

  constructor(file: DenoFile) {
    this.#file = file;
  }

  read(target: Uint8Array, offset: number): number {
    this.#seek(offset);
    const count = this.#file.readSync(target) ?? 0;
    this.#position = offset + count;
    return count;
  }

  write(source: Uint8Array, offset: number): number {
    this.#seek(offset);
    const count = this.#file.writeSync(source);
    this.#position = offset + count;
    return count;
  }

  syncData(): Promise<void> {
    return this.#file.syncData();
  }

  syncDataNow(): void {
    this.#file.syncDataSync();
  }

  size(): number {
    return this.#file.statSync().size;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeQuietly(() => this.#file.close());
  }

  #seek(offset: number): void {
    if (this.#position !== offset) this.#file.seekSync(offset, seekFromStart);
    // A call that throws may have moved the descriptor: only one that returns says where it stands.
    this.#position = NaN;
  }
}

function openLock(path: string): LockFile {
  const file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
  return {
    handle: new DenoHandle(file),
    tryLock: () => file.tryLockSync(true),
    truncate: (sizeBytes) => file.truncateSync(sizeBytes),
    identity(of) {
      const info = of === "handle" ? file.statSync() : Deno.statSync(path);
      return info.ino === null ? undefined : `${info.dev}:${info.ino}`;
    },
  };
}

/** The platform under Deno. Asks for permission to read and write the paths it is given, and for nothing else. */
export const denoPlatform: Platform = pooled({
  absolute: (path) => resolve(path),

  open(path, mode) {
    switch (mode) {
      case "read":
        return openToRead(path);
      case "write":
        return new DenoHandle(Deno.openSync(path, { read: true, write: true }));
      case "create":
        return new DenoHandle(Deno.openSync(path, { read: true, write: true, createNew: true, mode: 0o600 }));
    }
  },

  makeDirectory: (path) => Deno.mkdirSync(path, { mode: 0o700 }),

  removeDirectory: (path) => Deno.removeSync(path),

  list: (path) => Array.from(Deno.readDirSync(path), (entry) => entry.name),

  syncDirectory(path) {
    // Windows opens no directories as files.
    if (Deno.build.os === "windows") return;
    const directory = Deno.openSync(path, { read: true });
    try {
      directory.syncSync();
    } finally {
      directory.close();
    }
  },

  rename: (from, to) => Deno.renameSync(from, to),

  remove: (path) => Deno.removeSync(path),

  removeLater: (path) => Deno.remove(path),

  lock(path, text) {
    let file: LockFile;
    try {
      file = openLock(path);
    } catch (error) {
      // Untested: on Windows, Node holds the lock by sharing the file with nobody.
      if (codeOf(error) === "EBUSY") return { holder: "" };
      throw error;
    }
    return takeLock(denoPlatform, file, text);
  },

  isNotFound: (error) => codeOf(error) === "ENOENT",

  isAlreadyThere: (error) => codeOf(error) === "EEXIST",

  // Looked up at each call: a test that fakes the time of day moves expiry, too.
  now: () => Date.now(),

  startTimer,
});
