/**
 * Breakages of the rules about open files.
 *
 * @module
 */

import type { Promised } from "./types.ts";

/** Rules about open files. */
export const fileRules: Promised[] = [
  {
    sentence:
      "A store needs a fixed number of descriptors, however many segments it has, and gives some up when the process has none left.",
    mutants: [
      {
        id: "files-never-closed",
        in: "FilePool.#makePlace",
        find: "while (this.#open.length >= this.limit) this.#evict();",
        replace: "while (this.#open.length > this.limit * 1000) this.#evict();",
        killers: [
          "pool: however many files are read, no more than the limit are open",
          "many segments: every call works with a fixed number of open files",
        ],
      },
      {
        id: "sealed-file-kept-open",
        in: "Log.#enter",
        find: "this.platform.pool.release(segment.handle);",
        replace: "",
        killers: ["many segments: every call works with a fixed number of open files"],
      },
      {
        id: "no-descriptor-given-up",
        in: "FilePool.withRoom",
        find: "if (!isOutOfDescriptors(error) || this.#open.length === 0) throw error;",
        replace: "if (error !== undefined || this.#open.length === 0) throw error;",
        killers: ["pool: where the process has no descriptor left, the pool gives up half of its own, for good"],
      },
      {
        id: "file-in-use-closed-first",
        in: "FilePool.#evict",
        find: "if (!file.wasUsed) return this.drop(file);",
        replace: "if (file.place >= 0) return this.drop(file);",
        killers: ["pool: a file that is read again and again stays open while others come and go"],
      },
      {
        id: "closed-file-opened-again",
        in: "PooledFile.#use",
        find: 'if (this.#isClosed) throw new Error("the file is closed");',
        replace: "void this.#isClosed;",
        killers: [
          "pool: what is closed stays closed, whether it had its descriptor or not, and closing twice is harmless",
        ],
      },
    ],
  },
  {
    sentence:
      "If the writer has removed a file that a reader needs, the reader reads a newer state or says so: it reports neither damage nor another value.",
    mutants: [
      {
        id: "removed-file-called-damaged",
        in: "missingFile",
        find: "if (isListed) return corrupt(name, 0,",
        replace: "if (isListed || manifest.generation > 0) return corrupt(name, 0,",
        killers: ["removed files: snapshots and iterators say that they cannot go on; new ones can"],
      },
      {
        id: "missing-file-called-removed",
        in: "missingFile",
        find: "manifest.segments.some((listed) => listed.number === number)",
        replace: "manifest.segments.some((listed) => listed.number === number && number > 2 ** 31)",
        killers: ["removed files: a file that is gone and still listed is damage, to a reader and to the writer"],
      },
      {
        id: "present-not-read-again",
        in: "Reading.#retryIfTrimmed",
        find: "if (this.#view !== undefined || !isTrimmed(error)) throw error;",
        replace: "if (error !== undefined) throw error;",
        killers: ["removed files: get and getMany read what is there now, all of it as of one moment"],
      },
      {
        id: "snapshot-of-another-moment",
        in: "Reading.#retryIfTrimmed",
        find:
          "if (this.#view !== undefined || !isTrimmed(error)) throw error; refreshReader(this.#engine); return read();",
        replace:
          "if (!isTrimmed(error)) throw error;\n    refreshReader(this.#engine);\n    return this.#view === undefined ? read() : undefined as T;",
        killers: ["removed files: snapshots and iterators say that they cannot go on; new ones can"],
      },
      {
        id: "watch-ended-by-a-removed-file",
        in: "WatchState.#advance",
        find: "if (!isTrimmed(error)) throw error;",
        replace: "if (error !== undefined) throw error;",
        killers: ["removed files: a watch goes on where all versions are left"],
      },
    ],
  },
];
