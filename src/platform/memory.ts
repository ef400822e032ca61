/**
 * A disk in memory, for stores that end with the process. Nothing is shared between two of them.
 *
 * @module
 */
import { pooled } from "./pool.ts";
import { startTimer } from "./turn.ts";
import type { FileHandle, Lock, OpenMode, Platform } from "./types.ts";

/** What is thrown for a file or directory that is missing. */
class NotFound extends Error {}
/** What is thrown for one that is already there. */
class AlreadyThere extends Error {}

/** The bytes of a file. Every handle of it has the same object. */
class MemoryFile implements FileHandle {
  #bytes = new Uint8Array(4096);
  #size = 0;

  read(target: Uint8Array, offset: number): number {
    const found = this.#bytes.subarray(offset, Math.min(this.#size, offset + target.length));
    target.set(found);
    return found.length;
  }

  write(source: Uint8Array, offset: number): number {
    const end = offset + source.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = larger;
    }
    this.#bytes.set(source, offset);
    this.#size = Math.max(this.#size, end);
    return source.length;
  }

  syncData(): Promise<void> {
    return Promise.resolve();
  }

  syncDataNow(): void {}

  size(): number {
    return this.#size;
  }

  close(): void {}
}

/** Makes an empty disk. Its only directory is `/`. Backups of a store on it go to `outside`. */
export function memoryPlatform(outside: Platform): Platform {
  const files = new Map<string, MemoryFile>();
  const directories = new Set(["/"]);
  const at = (path: string): MemoryFile => {
    const file = files.get(path);
    if (file === undefined) throw new NotFound(`there is no file ${path}`);
    return file;
  };
  const remove = (path: string) => {
    at(path);
    files.delete(path);
  };
  return pooled({
    outside,
    absolute: (path) => path.startsWith("/") ? path : `/${path}`,
    kindOf: (path) => files.has(path) ? "a regular file" : directories.has(path) ? "a directory" : undefined,
    open(path: string, mode: OpenMode): FileHandle {
      if (mode !== "create") return at(path);
      if (files.has(path)) throw new AlreadyThere(`there is a file ${path}`);
      const file = new MemoryFile();
      files.set(path, file);
      return file;
    },
    makeDirectory(path) {
      if (directories.has(path)) throw new AlreadyThere(`there is a directory ${path}`);
      directories.add(path);
    },
    removeDirectory: (path) => void directories.delete(path),
    list(path) {
      if (!directories.has(path)) throw new NotFound(`there is no directory ${path}`);
      const start = path === "/" ? path : `${path}/`;
      const names = [...files.keys(), ...directories].filter((one) => one.startsWith(start) && one !== start);
      return names.map((one) => one.slice(start.length)).filter((name) => !name.includes("/"));
    },
    syncDirectory() {},
    syncDirectoryLater: () => Promise.resolve(),
    rename(from, to) {
      const file = at(from);
      files.delete(from);
      files.set(to, file);
    },
    remove,
    removeLater: (path) => Promise.resolve().then(() => remove(path)),
    readAhead: () => Promise.resolve(),
    lock: (): Lock => ({ token: "0", isCurrent: () => true, release() {} }),
    availableBytes: () => undefined,
    isNotFound: (error) => error instanceof NotFound,
    isAlreadyThere: (error) => error instanceof AlreadyThere,
    now: () => Date.now(),
    startTimer,
  });
}
