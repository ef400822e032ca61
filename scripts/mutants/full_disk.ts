/**
 * Breakages of what leads out of a full volume.
 *
 * @module
 */

import type { Promised } from "./types.ts";

const RESERVE_SHARES = "writes of values never take the reserve, nor do deletes take what MANIFEST needs";
const HALF = "a full volume of … MiB: what … took comes back…";
const EARLIER = "a volume four times as large as the data never stays full, as segments are compacted earlier then";
const RESERVE_TAIL = "a tail that there is no room to copy is made durable where it is";

/** What holds on a full volume. */
export const fullDiskPromises: Promised[] = [
  {
    sentence: "A store on a full volume can be opened, deleted from and compacted.",
    mutants: [
      {
        id: "reserve-not-given-up",
        in: "Reserve.lend",
        find:
          "if (!isDiskFull(error) || !this.#covers(needBytes, isForCopy) || !this.#remove(this.#path)) throw error;",
        replace: "throw error;",
        killers: [RESERVE_SHARES],
      },
      {
        id: "reserve-not-taken-back",
        in: "Reserve.lend",
        find: "this.#heldBytes = this.#fill(this.#path, bytes);",
        replace: "",
        killers: [RESERVE_SHARES],
      },
      {
        id: "reserve-lent-to-values",
        in: "Tail.tombstoneBytes",
        find: "if (header.kind === KIND.set) return Infinity;",
        replace: "",
        killers: [RESERVE_SHARES],
      },
      {
        id: "reserve-used-up-by-deletes",
        in: "Reserve.#covers",
        find: "* BLOCK_BYTES >= keptBytes;",
        replace: "* BLOCK_BYTES >= 0;",
        killers: [RESERVE_SHARES],
      },
      {
        id: "tail-on-a-full-disk-refused",
        in: "keepRecovered",
        find: "if (!isDiskFull(error)) throw error;",
        replace: "throw error;",
        killers: [RESERVE_TAIL],
      },
      {
        id: "tail-not-written-again",
        in: "rewriteDurably",
        find: "asIo(`write ${name}`, () => writeAll(handle, bytes, at));",
        replace: "if (bytes.length < 0) writeAll(handle, bytes, at);",
        killers: [RESERVE_TAIL],
      },
      {
        id: "tail-written-again-and-not-synced",
        in: "rewriteDurably",
        find: "asFsync(name, () => handle.syncDataNow());",
        replace: "",
        killers: [RESERVE_TAIL],
      },
      {
        id: "compaction-ends-at-the-first-group-without-room",
        in: "Maintenance.#compactGroup",
        find: "if (!isDiskFull(error)) throw error;",
        replace: "throw error;",
        killers: ["on a full disk, compaction begins with what takes the least room"],
      },
      {
        id: "segments-large-on-a-volume-that-fills-up",
        in: "Reserve.segmentLimit",
        find: "return Math.min(mostBytes, Math.max(MIN_SEGMENT_BYTES, this.#shareBytes()));",
        replace: "return mostBytes;",
        killers: [HALF, EARLIER],
      },
      {
        id: "deletes-leave-nothing-for-copies",
        in: "Reserve.#covers",
        find: "(isForCopy ? 0 : COPY_BYTES)",
        replace: "(isForCopy ? 0 : 0)",
        killers: [HALF],
      },
      {
        id: "space-looked-up-once",
        in: "Reserve.roomIn",
        find: "segment !== this.#last || endBytes >= this.#nextLook",
        replace: "this.#nextLook === 0",
        killers: [HALF],
      },
      {
        id: "compaction-as-late-as-on-a-large-volume",
        in: "Maintenance.#compactNext",
        find: "compaction.minStaleBytes * segmentBytes / this.#settings.segmentBytes",
        replace: "compaction.minStaleBytes",
        killers: [EARLIER],
      },
    ],
  },
];
