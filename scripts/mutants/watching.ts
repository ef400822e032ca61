/**
 * Breakages of what watches and history promise.
 *
 * @module
 */

import type { Promised } from "./types.ts";

/** What watches and history promise. */
export const watchPromises: Promised[] = [
  {
    sentence: "A watch reports only what is durable, and of a batch either all changes or none.",
    mutants: [
      {
        id: "told-before-it-is-durable",
        in: "durableEnd",
        find: "return sealed ? endBytes : syncedBytes;",
        replace: "return sealed || endBytes > 0 ? endBytes : syncedBytes;",
        killers: ["watch: nothing is told before it is durable, of a batch nothing before all of it"],
      },
      {
        id: "reader-takes-the-written-for-durable",
        in: "recoverLast",
        find: "log.noteSynced(end.markOffset);",
        replace: "log.noteSynced(log.isWriter ? end.markOffset : end.endBytes);",
        killers: ["watch: a reader's tells nothing that is only written, and all of it once its writer has recovered"],
      },
      {
        id: "reader-forgets-the-marks",
        in: "advance",
        find: ": recoverEnd(segment, known)",
        replace: ": { ...recoverEnd(segment, known), markOffset }",
        killers: [
          "watch: a reader's hears of a write within two seconds, and of one merely written within two of its sync",
        ],
      },
      {
        id: "news-that-wakes-nobody",
        in: "Log.noteSynced",
        find: "this.onDurable();",
        replace: "",
        killers: ["watch: nothing is told before it is durable, of a batch nothing before all of it"],
      },
    ],
  },
  {
    sentence:
      "A watch reports every change above the sequence number at which it began, once and in the order of the writes, " +
      "wherever compaction and recovery have put the records.",
    mutants: [
      {
        id: "begins-behind-what-is-pending",
        in: "durableSequence",
        find: "if (writer.tail.length === 0) return log.nextSequence - 1;",
        replace: "if (writer.tail.length >= 0) return log.nextSequence - 1;",
        killers: ["watch: begins with what becomes durable after the call, written or pending before it or not"],
      },
      {
        id: "begins-behind-what-is-written",
        in: "durableSequence",
        find: "if (cursor.next()) return cursor.sequence - 1;",
        replace: "if (cursor.next() && writer === undefined) return cursor.sequence - 1;",
        killers: ["watch: begins with what becomes durable after the call, written or pending before it or not"],
      },
      {
        id: "one-segment-after-the-other",
        in: "ChangeCursor.#move",
        find: "!(lowest !== undefined && lowest.cursor.sequence < next.lowestSequence)",
        replace: "lowest === undefined",
        killers: [
          "changes: all segments together in the order of the sequence numbers, each change once, without marks",
        ],
      },
      {
        id: "disorder-above-the-history-floor",
        in: "Compaction.#take",
        find: "!isKept || isGrave || cursor.sequence < this.#highestCopied",
        replace: "!isKept || isGrave",
        killers: ["compaction: above the history floor, every segment has its records in the order of the writes"],
      },
      {
        id: "tombstone-told-for-what-expired",
        in: "isBefore",
        find: "one.segment.number < other.segment.number",
        replace: "one.segment.number > other.segment.number",
        killers: [
          "watch: a set tells when it expires, and the expiry is no change; not even where compaction made a tombstone of it",
        ],
      },
      {
        id: "place-lost-at-a-rest",
        in: "ChangeCursor.#saveOffset",
        find: "cursor.offset + (isBehind ? cursor.length : 0)",
        replace: "cursor.offset + cursor.length",
        killers: ["changes: from every sequence number on, and with a rest after every step, nothing is lost or twice"],
      },
    ],
  },
  {
    sentence:
      "Changes that compaction drops before a watch has seen them are kept for it, in four segments at most; beyond " +
      "that the watch ends with `TRIMMED`. It never skips one.",
    mutants: [
      {
        id: "dropped-changes-not-kept",
        in: "Watches.needs",
        find: "if (position < historyFloor && position < highestSequence) return true;",
        replace: "if (position < historyFloor && position < highestSequence) return false;",
        killers: [
          "watch: one that is a little behind sees all that compaction drops meanwhile, and then gives it back",
        ],
      },
      {
        id: "kept-for-ever",
        in: "Watches.beforeSweep",
        find: "if (bytes > this.#keptBytes) watching",
        replace: "if (bytes > this.#keptBytes * 1000) watching",
        killers: ["watch: one that stands still holds up no writer, pins four segments at most, and ends with TRIMMED"],
      },
      {
        id: "number-ahead-waited-for",
        in: "watchStore",
        find: "if (state.position >= nextSequence) {",
        replace: "if (state.position < 0) {",
        killers: [
          "watch: a number that the store has not come to is TRIMMED, as one that it has gone past: begin again",
        ],
      },
      {
        id: "begins-below-the-history-floor",
        in: "watchStore",
        find: "if (state.position < historyFloor) state",
        replace: "if (state.position < 0) state",
        killers: [
          "watch: with a compaction at any point, it sees every change from the history floor on, and TRIMMED below it",
        ],
      },
      {
        id: "history-floor-not-raised",
        in: "Compaction.switchOver",
        find: "historyFloor: this.#historyFloor",
        replace: "historyFloor: 0",
        killers: [
          "watch: with a compaction at any point, it sees every change from the history floor on, and TRIMMED below it",
        ],
      },
      {
        id: "reader-passes-over-what-it-missed",
        in: "follow",
        find: "if (next.historyFloor > watches.durableSequence) watches",
        replace: "if (next.historyFloor < 0) watches",
        killers: [
          "watch: a reader's that is behind keeps what its writer replaces; what it cannot have seen is TRIMMED",
        ],
      },
      {
        id: "damaged-header-passed-over",
        in: "WatchState.#step",
        find: 'error.code === "CORRUPT") this.end();',
        replace: 'error.code === "CORRUPT") return "end";',
        killers: ["watch: a damaged value is CORRUPT, and it goes on behind it; behind a damaged header it ends"],
      },
      {
        id: "sources-kept-after-a-failed-read",
        in: "ChangeCursor.step",
        find: "this.closeCursors();",
        replace: "",
        killers: ["changes: where one reading fails, the next step makes it again, and nothing is lost or twice"],
      },
      {
        id: "change-passed-over-whose-value-could-not-be-read",
        in: "WatchState.#checkValue",
        find: "this.#changes.stepBack();",
        replace: "",
        killers: [
          "watch: where one reading fails, the next call makes it again, and every change is told once, as it was",
        ],
      },
      {
        id: "kept-by-a-store-that-is-closed",
        in: "Watches.close",
        find: "this.#open.clear();",
        replace: "",
        killers: ["watch: closing the store removes what was kept for one that is behind"],
      },
      {
        id: "looks-for-nobody",
        in: "Watches.remove",
        find: "if (this.isEmpty) this.#stopChecking();",
        replace: "",
        killers: ["watch: a reader stays as it is from the end of its last watch on"],
      },
      {
        id: "abandoned-watch-kept",
        in: "ChangeIterator.constructor",
        find: "ABANDONED.register(this, () => state.end(), this);",
        replace: "",
        killers: [
          "watch: one that is abandoned gives its segments back when it is collected; one that waits is not collected",
        ],
      },
    ],
  },
  {
    sentence: "A restored version equals the original, byte for byte, and is checked like any other.",
    mutants: [
      {
        id: "restored-as-bytes",
        in: "versionOf",
        find: "type: valueTypeOf(cursor.flags)",
        replace: "type: valueTypeOf(0)",
        killers: ["restore: writes a version back byte for byte, as a new one, whatever kind of value it is"],
      },
      {
        id: "restored-unchecked",
        in: "versionOf",
        find: "if (!cursor.checkValue()) throw",
        replace: "if (!cursor.loadValue()) throw",
        killers: ["restore: a version that is gone, another key's or no set is NOT_FOUND, a damaged one CORRUPT"],
      },
      {
        id: "restored-only-to-be-gone",
        in: "Writing.restore",
        find: "expiresAt > this.#now() ? expiresAt : 0",
        replace: "expiresAt",
        killers: [
          "history: a version that has expired does not count; restored, it has its time again only if that is to come",
        ],
      },
    ],
  },
];
