/**
 * Breakages of the guarantee of one writer, and of the rules about locks.
 *
 * @module
 */

import type { Promised } from "./types.ts";

/** Guarantee 8. */
export const lockPromises: Promised[] = [
  {
    sentence: "A lock that was released can be taken at once, even while another thread starts a process.",
    mutants: [
      {
        id: "copy-of-a-released-lock-respected",
        in: "tryUntilFree",
        find: "if (file.handle.size() > EMPTIED_BYTES || performance.now() - start > MAX_COPY_MS) return false;",
        replace: "return false;",
        killers: [
          "fence: a lock that was released is asked for again, as a copy of the file may have it; one that is held is not",
        ],
      },
    ],
  },
  {
    sentence: "At most one writer at a time.",
    mutants: [
      {
        id: "lock-not-taken-by-deno",
        in: "openLock",
        find: "tryLock: () => file.tryLockSync(true),",
        replace: "tryLock: () => true,",
        killers: ["one lock at a time, and the loser learns whose it is"],
      },
      {
        id: "lock-shared-by-readers",
        in: "openLock",
        find: "file.tryLockSync(true)",
        replace: "file.tryLockSync(false)",
        killers: ["one lock at a time, and the loser learns whose it is"],
      },
      {
        id: "replaced-lock-not-noticed",
        in: "Log.checkLock",
        find: "if (loss !== undefined) throw",
        replace: "if (loss === null) throw",
        killers: ["lock: once LOCK has been removed, no write is acknowledged any more"],
      },
      {
        id: "acknowledged-without-a-look-at-the-lock",
        in: "Writer.write",
        find: "log.checkLock();",
        replace: "",
        killers: ["lock: once LOCK has been removed, no write is acknowledged any more"],
      },
    ],
  },
  {
    sentence:
      "Where the operating system's lock turns out not to hold, the former writer fails before it acknowledges anything more.",
    mutants: [
      {
        id: "fence-not-set",
        in: "HeldLock.constructor",
        find: "file.setTime(seconds);",
        replace: "void seconds;",
        killers: ["fence: of those who take the lock one after the other, the last has it, whatever the file system"],
      },
      {
        id: "fence-not-looked-at",
        in: "HeldLock.isCurrent",
        find: "changedMs === this.#own.changedMs",
        replace: "changedMs !== undefined",
        killers: [
          "fence: of those who take the lock one after the other, the last has it, whatever the file system",
        ],
      },
      {
        id: "fence-of-another-holder-believed",
        in: "HeldLock.constructor",
        find: "const isKept =",
        replace: "const isKept = file.look('handle').changedMs !== 1000 * seconds ||",
        killers: [
          "fence: whenever others take the lock between two steps, one has it at most, whatever the file system",
        ],
      },
      {
        id: "lost-lock-changed-at-its-release",
        in: "HeldLock.release",
        find: "if (this.#isCertainlyCurrent())",
        replace: "",
        killers: ["fence: a LOCK that anybody has changed or touched is lost, and its release leaves it as it is"],
      },
      {
        id: "manifest-replaced-without-a-look",
        in: "putInPlace",
        find: "const loss = lock && lossOf(lock, platform, directory);",
        replace: "const loss = lock && undefined;",
        killers: [
          "directory: whenever another writer takes a lock that lies, the former one replaces no MANIFEST that it has read",
        ],
      },
      {
        id: "unfinished-manifest-left-to-its-writer",
        in: "takeLock",
        find: "removeUnfinished(platform, directory, lock);",
        replace: "",
        killers: [
          "directory: whenever another writer takes a lock that lies, the former one replaces no MANIFEST that it has read",
        ],
      },
      {
        id: "unfinished-manifest-of-the-next-removed",
        in: "removeUnfinished",
        find: "if (loss !== undefined) throw loss;",
        replace: "",
        killers: ["fence: of a manifest that is being written, a former holder of the lock removes nothing"],
      },
      {
        id: "leftovers-removed-without-a-look",
        in: "openWriter",
        find: "log.checkLock();",
        replace: "",
        killers: ["fence: a writer that has lost the lock before it read MANIFEST removes no segment of the next one"],
      },
      {
        id: "overtaken-open-looks-like-damage",
        in: "releasedAfter",
        find: "return lossOf(lock, platform, directory) ?? error;",
        replace: "return error;",
        killers: ["fence: an open that another writer overtakes is FAILED, whatever it finds"],
      },
      {
        id: "destroyed-without-the-lock",
        in: "destroyOn",
        find: "if (loss !== undefined) throw loss;",
        replace: "",
        killers: ["fence: a destroy that loses the lock removes nothing more"],
      },
      {
        id: "temporary-manifest-shared-by-all",
        in: "temporaryOf",
        find: "`${directory}/${name}.${lock.token}.tmp`",
        replace: "`${directory}/${name}.tmp`",
        killers: [
          "directory: whenever another writer takes a lock that lies, the former one replaces no MANIFEST that it has read",
        ],
      },
    ],
  },
];

/** Rules about locks. */
export const lockRules: Promised[] = [
  {
    sentence: "The existence of LOCK is no lock, whatever the file contains.",
    mutants: [
      {
        id: "existence-as-lock",
        in: "openLock",
        find: "const file = openOrCreate(path);",
        replace: "const file = create(path);",
        killers: ["a lock file that is empty, garbage or huge is no lock"],
      },
      {
        id: "lock-file-unlinked",
        in: "KvStore.#close",
        find: 'if (this.#lock !== undefined) asIo("release the lock", () => this.#lock!.release());',
        replace: 'if (this.#lock !== undefined) asIo("release the lock", () => this.#lock!.release());\n' +
          '        if (this.#lock !== undefined) engine.log.platform.remove(engine.log.path("LOCK"));',
        killers: ["lock: is free after close, after a failed open, and after the holder's death; LOCK stays"],
      },
    ],
  },
  {
    sentence: "Process ids are used again: the text in LOCK is advice, and the lock is the operating system's.",
    mutants: [
      {
        id: "lock-text-believed",
        in: "lockFile",
        find: "if (isAsked && !asNoLock(() => tryUntilFree(file))) return { holder: readText(file.handle) };",
        replace: 'if (!file.tryLock() || readText(file.handle) !== "") return { holder: readText(file.handle) };',
        killers: ["a lock file that is empty, garbage or huge is no lock"],
      },
      {
        id: "held-directory-not-forgotten",
        in: "takeLock",
        find: "held.delete(directory);",
        replace: "void held;",
        killers: ["LOCKED: another open store of this process is named as that, as long as it is open"],
      },
    ],
  },
  {
    sentence: "Deno, Node and Bun exclude each other.",
    mutants: [
      {
        id: "lock-not-taken-by-node",
        in: "asked",
        find: "if (status === 1) return false;",
        replace: "if (status === 1) return true;",
        killers: ["one lock at a time, and the loser learns whose it is"],
      },
      {
        id: "lock-of-its-own-for-node",
        in: "asked",
        find: 'spawnSync("flock", ["-xn", "3"], {',
        replace: 'spawnSync("flock", ["-xn", "/dev/null", "true"], {',
        killers: ["a lock held by … is refused to all, until SIGKILL"],
      },
      {
        id: "lock-not-taken-by-bun",
        in: "called",
        find: "symbols.flock(descriptor, LOCK_NOW) === 0",
        replace: "symbols.flock(descriptor, LOCK_NOW) <= 0",
        killers: ["a lock held here is refused to …, until its release"],
      },
      {
        id: "lock-shared-by-bun",
        in: "LOCK_NOW",
        find: "2 | 4",
        replace: "1 | 4",
        killers: ["bun locks without the command flock, in a worker too, and excludes the others"],
      },
      {
        id: "lock-taken-for-had-where-nobody-says",
        in: "asNoLock",
        find: "if (isOutOfDescriptors(error)) throw error;",
        replace: "if (!isOutOfDescriptors(error)) return true;",
        killers: ["node with a command flock …: NO_LOCK, rather than guessing who holds the lock"],
      },
    ],
  },
];
