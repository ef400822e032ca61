/**
 * Breakages of the guarantees about deletes, and about every instruction at which the power may go.
 *
 * @module
 */

import type { Promised } from "./types.ts";

const POWER_CUTS =
  "rotation: whenever the power goes, what was acknowledged is there, and nothing that came after what is lost";

/** Guarantees 5 and 6. */
export const stepPromises: Promised[] = [
  {
    sentence: "Deleted keys stay deleted through any sequence of compactions, crashes and reopens.",
    mutants: [
      {
        id: "tombstone-dropped-at-once",
        in: "Compaction.#needs",
        find: "tombstone.sequence > this.#droppableUpTo &&",
        replace: "tombstone.sequence > Math.max(this.#droppableUpTo, this.#asOf) &&",
        killers: ["compaction: a tombstone stays as long as a segment outside holds what it deleted"],
      },
      {
        id: "clear-forgotten-at-open",
        in: "Replay.finish",
        find: "const isCleared = this.#cleared > this.#known.sequence;",
        replace: "const isCleared = this.#known.sequence > this.#cleared;",
        killers: ["replay: a clear removes what is older, also what is read after it"],
      },
      {
        id: "keys-of-lost-segments-kept",
        in: "Replay.#sweep",
        find: "segment.liveBytes += lengthOf(partition.entries[at + 3]!); continue;",
        replace:
          "segment.liveBytes += lengthOf(partition.entries[at + 3]!); continue; } if (segment === undefined) { continue;",
        killers: ["replay: keys whose segment is gone without a copy were deleted"],
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
        in: "compactGroup",
        find: 'await engine.writer!.reached("sync");',
        replace: "await Promise.resolve();",
        killers: ["compaction: what made a record stale is durable before the record goes"],
      },
      {
        id: "old-segment-forgotten-by-a-rotation",
        in: "Log.#after",
        find: "former?.isVoid === true",
        replace: "former !== undefined",
        killers: ["writer: a failed append takes back the whole group, youngest first, and only that"],
      },
      {
        id: "rotation-seals-what-is-not-synced",
        in: "rotate",
        find: "active && sync(active)",
        replace: "active",
        killers: [POWER_CUTS],
      },
      {
        id: "rotation-lists-a-segment-without-a-name",
        in: "rotate",
        find: "await asNamesSync(() => log.platform.syncDirectoryLater(log.directory), log.fail);",
        replace: "",
        killers: [POWER_CUTS],
      },
      {
        id: "rotation-trusts-a-name-too-early",
        in: "rotate",
        find: "await log.syncNames(); if (log.successor !== next) return undefined; log.successor",
        replace: "log.successor",
        killers: [POWER_CUTS],
      },
      {
        id: "rotation-in-place",
        in: "Writer.#turn",
        find: "if (this.#log.successor !== undefined && !endsRotation) return;",
        replace: "",
        killers: ["rotation: no sync blocks, whatever is written, and everything is read at once"],
      },
      {
        id: "records-of-a-rotation-that-failed-kept",
        in: "Writer.refuse",
        find: "this.#log.giveUpRotation();",
        replace: "",
        killers: ["rotation: if it fails, those that wait for it are refused, and the next write tries again"],
      },
      {
        id: "failed-append-forgotten-by-a-rotation-that-failed",
        in: "Log.giveUpRotation",
        find: "this.mustRotate = true;",
        replace: "",
        killers: ["rotation: one that fails behind a failed append leaves the segment alone all the same"],
      },
      {
        id: "two-prepared-manifests-with-one-name",
        in: "ManifestFile.prepare",
        find: "this.#prepared = manifest;",
        replace: "this.#prepared ??= manifest;",
        killers: ["log: a manifest that was prepared before another one is not used"],
      },
      {
        id: "recovered-copy-not-synced",
        in: "WriteBehind.finishNow",
        find: "asFsync(this.#file.name, () => this.#file.handle.syncDataNow());",
        replace: "asFsync(this.#file.name, () => this.#file.handle.size());",
        killers: ["a second crash at every operation of recovery"],
      },
      {
        id: "found-manifest-not-made-durable",
        in: "openWriter",
        find: 'asFsync("the store\'s directory", () => platform.syncDirectory(directory));',
        replace: "",
        killers: ["open: what is removed because of a manifest that was found cannot outlast it"],
      },
      {
        id: "new-directory-not-made-durable",
        in: "createDirectory",
        find: "} platform.syncDirectory(parent);",
        replace: "}",
        killers: ["open: the directories above a new store survive a power cut"],
      },
    ],
  },
];
