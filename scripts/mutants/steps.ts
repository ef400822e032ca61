/**
 * Breakages of the guarantees about deletes, and about every instruction at which the power may go.
 *
 * @module
 */

import type { Promised } from "./types.ts";

const OPENING = "tests/contract/opening.ts";
const COMPACTOR = "tests/engine/compactor_test.ts";

/** Guarantees 5 and 6. */
export const stepPromises: Promised[] = [
  {
    sentence: "Deleted keys stay deleted through any sequence of compactions, crashes and reopens.",
    mutants: [
      {
        id: "tombstone-dropped-at-once",
        file: "src/engine/compactor.ts",
        find: "tombstone.sequence > this.#droppableUpTo &&",
        replace: "tombstone.sequence > Math.max(this.#droppableUpTo, this.#asOf) &&",
        killers: [[COMPACTOR, "compaction: a tombstone stays as long as a segment outside holds what it deleted"]],
      },
      {
        id: "clear-forgotten-at-open",
        file: "src/engine/replay.ts",
        find: "const isCleared = this.#cleared > this.#known.sequence;",
        replace: "const isCleared = this.#known.sequence > this.#cleared;",
        killers: [["tests/engine/replay_test.ts", "replay: a clear removes what is older, also what is read after it"]],
      },
      {
        id: "keys-of-lost-segments-kept",
        file: "src/engine/replay.ts",
        find: "const isGone = !this.#segments.has(number);",
        replace: "const isGone = number === 0;",
        killers: [["tests/engine/replay_test.ts", "replay: keys whose segment is gone without a copy were deleted"]],
      },
    ],
  },
  {
    sentence:
      "A crash at any instruction of compaction, rotation, recovery or open leaves a store that opens with the same " +
      "contents.",
    mutants: [
      {
        id: "log-not-synced-before-the-switch",
        file: "src/engine/compactor.ts",
        find: "await host.flush();",
        replace: "await Promise.resolve();",
        killers: [[COMPACTOR, "compaction: what made a record stale is durable before the record goes"]],
      },
      {
        id: "old-segment-forgotten-by-a-rotation",
        file: "src/engine/log.ts",
        find: "if (old !== undefined && isOldVoid) this.segments.delete(old.number);",
        replace: "if (old !== undefined) this.segments.delete(old.number);",
        killers: [[
          "tests/engine/writer_test.ts",
          "writer: a failed append takes back the whole group, youngest first, and only that",
        ]],
      },
      {
        id: "recovered-copy-not-synced",
        file: "src/engine/copier.ts",
        find: "asSync(this.segment.name, () => this.segment.handle.syncDataNow());",
        replace: "asSync(this.segment.name, () => this.segment.handle.size());",
        killers: [["tests/crash/crash_test.ts", "a second crash at every operation of recovery"]],
      },
      {
        id: "found-manifest-not-made-durable",
        file: "src/engine/open.ts",
        find: 'asSync("the store\'s directory", () => platform.syncDirectory(directory));',
        replace: "",
        killers: [[
          "tests/engine/open_test.ts",
          "open: what is removed because of a manifest that was found cannot outlast it",
        ]],
      },
      {
        id: "new-directory-not-made-durable",
        file: "src/engine/directory.ts",
        find: "    if (!platform.isAlreadyThere(error)) throw error;\n  }\n  platform.syncDirectory(parent);",
        replace: "    if (!platform.isAlreadyThere(error)) throw error;\n  }",
        killers: [[OPENING, "open: the directories above a new store survive a power cut"]],
      },
    ],
  },
];
