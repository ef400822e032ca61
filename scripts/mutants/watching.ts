/**
 * Breakages of what watches and history promise.
 *
 * @module
 */

import type { Promised } from "./types.ts";

const WATCHING = "tests/contract/watching.ts";
const SINCE = "tests/contract/watching_since.ts";
const ENDS = "tests/contract/watching_ends.ts";
const READERS = "tests/contract/watching_readers.ts";
const HISTORY = "tests/contract/history.ts";

/** What watches and history promise. */
export const watchPromises: Promised[] = [
  {
    sentence: "A watch tells of what is durable and of nothing else, and of a batch either none or all.",
    mutants: [
      {
        id: "told-before-it-is-durable",
        file: "src/engine/log.ts",
        find: "return sealed ? endBytes : this.syncedBytes;",
        replace: "return sealed || endBytes > 0 ? endBytes : this.syncedBytes;",
        killers: [[WATCHING, "watch: nothing is told before it is durable, of a batch nothing before all of it"]],
      },
      {
        id: "reader-takes-the-written-for-durable",
        file: "src/engine/open.ts",
        find: "log.syncedBytes = tail?.markBytes ?? last?.endBytes ?? 0;",
        replace: "log.syncedBytes = last?.endBytes ?? 0;",
        killers: [[
          READERS,
          "watch: a reader's tells nothing that is only written, and all of it once its writer has recovered",
        ]],
      },
      {
        id: "reader-forgets-the-marks",
        file: "src/follow/refresh.ts",
        find: "markAmong(segment, known, marked)",
        replace: "marked",
        killers: [[
          "tests/watch/watch_test.ts",
          "watch: a reader's hears of a write within two seconds, and of one merely written within two of its sync",
        ]],
      },
      {
        id: "news-that-wakes-nobody",
        file: "src/engine/log.ts",
        find: "this.syncedBytes = endBytes;\n    this.onDurable();",
        replace: "this.syncedBytes = endBytes;",
        killers: [[WATCHING, "watch: nothing is told before it is durable, of a batch nothing before all of it"]],
      },
    ],
  },
  {
    sentence:
      "A watch tells of every change above the sequence number that it began with, once and in the order of the writes, " +
      "wherever compaction and recovery have put the records.",
    mutants: [
      {
        id: "begins-behind-what-is-pending",
        file: "src/watch/durable.ts",
        find: "(writer.firstPending ?? log.nextSequence) - 1",
        replace: "log.nextSequence - 1",
        killers: [[
          WATCHING,
          "watch: begins with what becomes durable after the call, written or pending before it or not",
        ]],
      },
      {
        id: "begins-behind-what-is-written",
        file: "src/watch/durable.ts",
        find: "if (cursor.next()) return cursor.sequence - 1;",
        replace: "if (cursor.next() && writer === undefined) return cursor.sequence - 1;",
        killers: [[
          WATCHING,
          "watch: begins with what becomes durable after the call, written or pending before it or not",
        ]],
      },
      {
        id: "one-segment-after-the-other",
        file: "src/watch/changes.ts",
        find: "!(lowest !== undefined && lowest.cursor.sequence < next.lowestSequence)",
        replace: "lowest === undefined",
        killers: [[
          "tests/watch/changes_test.ts",
          "changes: all segments together in the order of the sequence numbers, each change once, without marks",
        ]],
      },
      {
        id: "disorder-above-the-history-floor",
        file: "src/engine/compactor.ts",
        find: "!isKept || isGrave || cursor.sequence < this.#highestCopied",
        replace: "!isKept || isGrave",
        killers: [[
          "tests/engine/copy_order_test.ts",
          "compaction: above the history floor, every segment has its records in the order of the writes",
        ]],
      },
      {
        id: "tombstone-told-for-what-expired",
        file: "src/watch/changes.ts",
        find: "one.segment.number < other.segment.number",
        replace: "one.segment.number > other.segment.number",
        killers: [[
          SINCE,
          "watch: a set tells when it expires, and the expiry is no change; not even where compaction made a tombstone of it",
        ]],
      },
      {
        id: "place-lost-at-a-rest",
        file: "src/watch/changes.ts",
        find: "cursor.offset + (isBehind ? cursor.length : 0)",
        replace: "cursor.offset + cursor.length",
        killers: [["tests/watch/changes_test.ts"]],
      },
    ],
  },
  {
    sentence:
      "Where compaction drops what a watch has not seen, it is kept for it, four segments at most; beyond that the watch " +
      "ends with `TRIMMED`. It never passes over a change.",
    mutants: [
      {
        id: "dropped-changes-not-kept",
        file: "src/watch/watches.ts",
        find: "if (position < historyFloor && position < highestSequence) return true;",
        replace: "if (position < historyFloor && position < highestSequence) return false;",
        killers: [[
          SINCE,
          "watch: one that is a little behind sees all that compaction drops meanwhile, and then gives it back",
        ]],
      },
      {
        id: "kept-for-ever",
        file: "src/watch/watches.ts",
        find: "if (bytes > this.#keptBytes) watching",
        replace: "if (bytes > this.#keptBytes * 1000) watching",
        killers: [[
          SINCE,
          "watch: one that stands still holds up no writer, pins four segments at most, and ends with TRIMMED",
        ]],
      },
      {
        id: "number-ahead-waited-for",
        file: "src/watch/watch.ts",
        find: "if (state.position >= nextSequence) {",
        replace: "if (state.position < 0) {",
        killers: [[
          ENDS,
          "watch: a number that the store has not come to is TRIMMED, as one that it has gone past: begin again",
        ]],
      },
      {
        id: "begins-below-the-history-floor",
        file: "src/watch/watch.ts",
        find: "if (state.position < historyFloor) state",
        replace: "if (state.position < 0) state",
        killers: [[
          SINCE,
          "watch: with a compaction at any point, it sees every change from the history floor on, and TRIMMED below it",
        ]],
      },
      {
        id: "history-floor-not-raised",
        file: "src/engine/compactor.ts",
        find: "log.historyFloor = Math.max(historyFloor, this.#historyFloor);",
        replace: "log.historyFloor = historyFloor;",
        killers: [[
          SINCE,
          "watch: with a compaction at any point, it sees every change from the history floor on, and TRIMMED below it",
        ]],
      },
      {
        id: "reader-passes-over-what-it-missed",
        file: "src/follow/refresh.ts",
        find: "if (next.historyFloor > watches.durableSequence) watches",
        replace: "if (next.historyFloor < 0) watches",
        killers: [[
          READERS,
          "watch: a reader's that is behind keeps what its writer replaces; what it cannot have seen is TRIMMED",
        ]],
      },
      {
        id: "damaged-header-passed-over",
        file: "src/watch/watch.ts",
        find: 'error.code === "CORRUPT") this.end();',
        replace: 'error.code === "CORRUPT") return "end";',
        killers: [[
          ENDS,
          "watch: a damaged value is CORRUPT, and it goes on behind it; behind a damaged header it ends",
        ]],
      },
      {
        id: "sources-kept-after-a-failed-read",
        file: "src/watch/changes.ts",
        find: "      this.rest();\n      throw error;",
        replace: "      throw error;",
        killers: [[
          "tests/watch/changes_test.ts",
          "changes: where one reading fails, the next step makes it again, and nothing is lost or twice",
        ]],
      },
      {
        id: "change-passed-over-whose-value-could-not-be-read",
        file: "src/watch/watch.ts",
        find: "this.#changes.back();",
        replace: "",
        killers: [[
          "tests/watch/watch_test.ts",
          "watch: where one reading fails, the next call makes it again, and every change is told once, as it was",
        ]],
      },
      {
        id: "kept-by-a-store-that-is-closed",
        file: "src/watch/watches.ts",
        find: "    this.wake();\n    this.#open.clear();",
        replace: "    this.wake();",
        killers: [[
          "tests/watch/watch_test.ts",
          "watch: closing the store removes what was kept for one that is behind",
        ]],
      },
      {
        id: "looks-for-nobody",
        file: "src/watch/watches.ts",
        find: "if (this.isEmpty) this.#stopLooking();",
        replace: "",
        killers: [[
          "tests/watch/watch_test.ts",
          "watch: a reader stays as it is from the end of its last watch on",
        ]],
      },
      {
        id: "abandoned-watch-kept",
        file: "src/watch/watch.ts",
        find: "ABANDONED.register(this, () => state.end(), this);",
        replace: "",
        killers: [[
          "tests/watch/watch_test.ts",
          "watch: one that is abandoned gives its segments back when it is collected; one that waits is not collected",
        ]],
      },
    ],
  },
  {
    sentence: "A version that is restored is what it was, byte for byte, and is checked like any other.",
    mutants: [
      {
        id: "restored-as-bytes",
        file: "src/watch/history.ts",
        find: "type: valueTypeOf(cursor.flags)",
        replace: "type: valueTypeOf(0)",
        killers: [[
          HISTORY,
          "restore: writes a version back byte for byte, as a new one, whatever kind of value it is",
        ]],
      },
      {
        id: "restored-unchecked",
        file: "src/watch/history.ts",
        find: "if (!cursor.checkValue()) throw",
        replace: "if (!cursor.loadValue()) throw",
        killers: [[
          HISTORY,
          "restore: a version that is gone, another key's or no set is NOT_FOUND, a damaged one CORRUPT",
        ]],
      },
      {
        id: "restored-only-to-be-gone",
        file: "src/store.ts",
        find: "expiresAt > this.#now() ? expiresAt : 0",
        replace: "expiresAt",
        killers: [[
          HISTORY,
          "history: a version that has expired does not count; restored, it has its time again only if that is to come",
        ]],
      },
    ],
  },
];
