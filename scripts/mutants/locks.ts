/**
 * Breakages of the rules about locks.
 *
 * @module
 */

import type { Promised } from "./types.ts";

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
        find: "if (!file.tryLock()) return { holder: readText(file.handle) };",
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
        in: "flock",
        find: "if (status === 1) return false;",
        replace: "if (status === 1) return true;",
        killers: ["one lock at a time, and the loser learns whose it is"],
      },
      {
        id: "lock-of-its-own-for-node",
        in: "flock",
        find: 'spawnSync("flock", ["-xn", "3"], {',
        replace: 'spawnSync("flock", ["-xn", "/dev/null", "true"], {',
        killers: ["a lock held by … is refused to all, until SIGKILL"],
      },
    ],
  },
];
