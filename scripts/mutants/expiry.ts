/**
 * Breakages of what is promised of keys that expire.
 *
 * @module
 */
import type { Promised } from "./types.ts";

const EXPIRY = "tests/contract/expiry.ts";
const KEPT = "tests/contract/expiry_kept.ts";
const CLOCK = "tests/contract/expiry_clock.ts";
const INDEX = "tests/property/index_test.ts";
const IMAGE = "tests/image/image_test.ts";
const CHOOSE = "tests/engine/choose_test.ts";
const TOMBSTONES = "tests/crash/tombstone_test.ts";

const IMAGE_TIMES = "image: times of expiry come back, those that are past too, and go on like any others";
const AT_CLOSING =
  "clock: what an open store saw expire, or could have seen at closing, stays so when it is opened again";
const TO_THE_MILLISECOND =
  "expiry: a key is there until its time has come, and then no call sees it, to the millisecond";
const DOES_WHAT_A_MAP_DOES = "index: does what a Map does, as it grows, shrinks, is moved and expires";
const REJECTED = "expiry: a rejected write gives back what it replaced, unless that has expired meanwhile";

/** What is promised of keys that expire. */
export const expiryPromises: Promised[] = [
  {
    sentence:
      "A key that expires is there for every call until its time has come, and for none from then on, to the millisecond.",
    mutants: [
      {
        id: "expired-value-read",
        file: "src/engine/engine.ts",
        find: "return index.find(bytes, start, length) && !index.isExpired ? this.read(index, key) : undefined;",
        replace: "return index.find(bytes, start, length) ? this.read(index, key) : undefined;",
        killers: [[EXPIRY, TO_THE_MILLISECOND]],
      },
      {
        id: "expired-value-read-from-the-cache",
        file: "src/engine/engine.ts",
        find: "const source = index.isExpired ? undefined : this.log.segment(index.segment);",
        replace: "const source = this.log.segment(index.segment);",
        killers: [[EXPIRY, TO_THE_MILLISECOND]],
      },
      {
        id: "expired-keys-counted",
        file: "src/engine/index.ts",
        find: "return this.#size - this.#expired;",
        replace: "return this.#size;",
        killers: [[EXPIRY, TO_THE_MILLISECOND]],
      },
      {
        id: "expired-a-millisecond-late",
        file: "src/engine/engine.ts",
        find: "if (now < index.nextExpiry || now === index.now) return;",
        replace: "if (now <= index.nextExpiry || now === index.now) return;",
        killers: [[EXPIRY, TO_THE_MILLISECOND]],
      },
      {
        id: "expiry-of-a-replaced-value-kept",
        file: "src/engine/index.ts",
        find: "if (this.expiresAt !== 0) this.unexpire(partition, id);",
        replace: "",
        killers: [[EXPIRY, "expiry: a later set replaces it, or takes it away"]],
      },
      {
        id: "sinking-entry-passes-the-sooner-one",
        file: "src/engine/expiries.ts",
        find: "if (time <= this.times[this.#heap[child]!]!) break;",
        replace: "if (time >= this.times[this.#heap[child]!]!) break;",
        killers: [[INDEX, DOES_WHAT_A_MAP_DOES]],
      },
      {
        id: "entry-behind-a-removed-one-only-rises",
        file: "src/engine/expiries.ts",
        find: "this.#sink(this.#places[last]! - 1, last);",
        replace: "",
        killers: [[INDEX, DOES_WHAT_A_MAP_DOES]],
      },
      {
        id: "times-lost-with-the-deleted-entries",
        file: "src/engine/partition.ts",
        find: "if (time !== 0) keptExpiries!.set(this.count, time, expiries!.hasCome(id));",
        replace: "if (time < 0) keptExpiries!.set(this.count, time, expiries!.hasCome(id));",
        killers: [[INDEX, DOES_WHAT_A_MAP_DOES]],
      },
    ],
  },
  {
    sentence:
      "The clock going back revives nothing that an open store has seen expire, and, across a crash, nothing that had " +
      "been seen when MANIFEST was last replaced.",
    mutants: [
      {
        id: "clock-believed",
        file: "src/engine/log.ts",
        find: "return Math.max(this.platform.now(), this.clockFloor);",
        replace: "return this.platform.now();",
        killers: [[CLOCK, "clock: while a store is open, going back revives nothing, and no key lives shorter for it"]],
      },
      {
        id: "clock-floor-not-recorded-at-closing",
        file: "src/engine/log.ts",
        find: "return this.#clean && this.#recordedFloor === this.clockFloor;",
        replace: "return this.#clean && this.#recordedFloor >= 0;",
        killers: [[CLOCK, AT_CLOSING]],
      },
      {
        id: "nobody-looks-at-the-clock-at-closing",
        file: "src/store.ts",
        find: "core.expire();\n      await this.#background.writeImage();",
        replace: "await this.#background.writeImage();",
        killers: [[CLOCK, AT_CLOSING]],
      },
      {
        id: "clock-floor-not-written",
        file: "src/engine/log.ts",
        find: "clockFloor: this.clockFloor,",
        replace: "clockFloor: 0,",
        killers: [
          [CLOCK, "clock: after a crash it holds as far as the manifest knows: since the last rotation at least"],
          [CLOCK, "expiry: a backup has the times of expiry and the clock floor"],
        ],
      },
      {
        id: "clock-floor-not-raised",
        file: "src/engine/engine.ts",
        find: "log.clockFloor = now;",
        replace: "",
        killers: [[CLOCK, "clock: while a store is open, going back revives nothing, and no key lives shorter for it"]],
      },
      {
        id: "clock-floor-forgotten-at-a-refresh",
        file: "src/follow/refresh.ts",
        find: "next.clockFloor = Math.max(next.clockFloor, core.log.clockFloor);",
        replace: "",
        killers: [[CLOCK, "clock: a reader that has refreshed does not forget what it saw expire"]],
      },
    ],
  },
  {
    sentence: "An expired record stays as a tombstone as long as an older value of its key may be in the log.",
    mutants: [
      {
        id: "expired-record-dropped",
        file: "src/engine/compactor.ts",
        find: "const isTombstone = isGrave || cursor.kind !== KIND.set;",
        replace: "const isTombstone = cursor.kind !== KIND.set;",
        killers: [
          [TOMBSTONES, "deleted keys stay deleted through compactions of any two subsets: …"],
          [KEPT, "expiry: an older value does not come back when a newer one has expired and is compacted away"],
        ],
      },
      {
        id: "delete-of-what-has-expired-passed-over",
        file: "src/engine/replay.ts",
        find: "if (isOld && (!isUnknownSegment || (taken",
        replace: "if (isOld && (!isUnknownSegment || !isSet || (taken",
        killers: [[
          "tests/engine/replay_test.ts",
          "replay: a set that was known and is a delete now leaves no older copy standing, in any order",
        ]],
      },
      {
        id: "expired-record-kept-whole",
        file: "src/engine/compactor.ts",
        find: "const isSet = isCurrent && !isGrave;",
        replace: "const isSet = isCurrent;",
        killers: [[
          KEPT,
          "expiry: compaction wins the values of expired keys even where their tombstones have to stay",
        ]],
      },
      {
        id: "entry-of-an-expired-record-kept",
        file: "src/engine/compactor.ts",
        find: "if (isGrave) this.#hasGraves = true;",
        replace: "",
        killers: [[
          "tests/engine/expired_test.ts",
          "compaction: what has expired leaves the index with its record",
        ]],
      },
      {
        id: "tombstones-of-expired-keys-thought-droppable",
        file: "src/engine/choose.ts",
        find: "keptBytes += input.highestSequence <= droppable ? 0 : input.graveBytes;",
        replace: "",
        killers: [[
          CHOOSE,
          "choose: of what has expired all is won but a tombstone, and that, too, where it may go",
        ]],
      },
      {
        id: "nothing-won-of-what-has-expired",
        file: "src/engine/choose.ts",
        find: "keptBytes += input.liveBytes - input.expiredBytes;",
        replace: "keptBytes += input.liveBytes;",
        killers: [[
          "tests/model/time_test.ts",
          "time: what expires is compacted by itself, once enough of it has, and somebody called",
        ]],
      },
      {
        id: "nobody-told-that-much-has-expired",
        file: "src/engine/engine.ts",
        find: "if (index.expiredBytes < this.wakeAtBytes) return;",
        replace: "if (index.expiredBytes >= 0) return;",
        killers: [[
          "tests/model/time_test.ts",
          "time: what expires is compacted by itself, once enough of it has, and somebody called",
        ]],
      },
    ],
  },
  {
    sentence:
      "A snapshot or iterator keeps what was there when it was taken, though it expires, is compacted away, or what was " +
      "written since is taken back.",
    mutants: [
      {
        id: "snapshots-go-by-the-present-time",
        file: "src/views/views.ts",
        find: "const now = view === undefined ? this.current.now : view.now;",
        replace: "const now = view === undefined || view.now > 0 ? this.current.now : view.now;",
        killers: [[
          EXPIRY,
          "expiry: a snapshot and an iterator keep what was there when they were taken, and nothing that was not",
        ]],
      },
      {
        id: "expired-entry-removed-under-a-snapshot",
        file: "src/engine/index.ts",
        find: "beforeRemoval?.(partition!.key(id), this);",
        replace: "",
        killers: [[
          KEPT,
          "expiry: compaction keeps times of expiry, and a snapshot keeps what expires while it is open",
        ]],
      },
      {
        id: "snapshot-counts-anew-behind-a-rollback",
        file: "src/views/views.ts",
        find: "view.size = this.current.sizeAt(view.now);",
        replace: "view.size = this.current.size;",
        killers: [[KEPT, REJECTED]],
      },
      {
        id: "expiry-not-given-back-by-a-rollback",
        file: "src/engine/engine.ts",
        find: "this.index.put(keyIn(buffer, at, header), segment, offset, form, expiresAt);",
        replace: "this.index.put(keyIn(buffer, at, header), segment, offset, form, Math.min(0, expiresAt));",
        killers: [[KEPT, REJECTED]],
      },
    ],
  },
  {
    sentence: "Times of expiry last through compaction, recovery, the image of the index and the export.",
    mutants: [
      {
        id: "time-of-a-moved-record-lost",
        file: "src/engine/index.ts",
        find: "if (time !== 0) this.expireAt(partition!, id, time);",
        replace: "",
        killers: [[
          KEPT,
          "expiry: compaction keeps times of expiry, and a snapshot keeps what expires while it is open",
        ]],
      },
      {
        id: "time-not-taken-from-the-log",
        file: "src/engine/replay.ts",
        find: "const expiresAt = isSet ? cursor.expiresAt : 0;",
        replace: "const expiresAt = isSet ? 0 * cursor.expiresAt : 0;",
        killers: [[EXPIRY, TO_THE_MILLISECOND]],
      },
      {
        id: "image-without-times",
        file: "src/image/image.ts",
        find: "const expiry = times === undefined ? Infinity : lowestOf(times);",
        replace: "const expiry = times === undefined || times.length >= 0 ? Infinity : lowestOf(times);",
        killers: [[IMAGE, IMAGE_TIMES]],
      },
      {
        id: "lowest-time-of-a-table-believed",
        file: "src/image/image.ts",
        find: "if (times !== undefined && !(times.every(isTime) && lowestOf(times) === expiry)) return false;",
        replace: "if (times !== undefined && !(times.every(isTime) && lowestOf(times) >= 0)) return false;",
        killers: [[IMAGE, "image: numbers in the footer ask for no more memory than there is file"]],
      },
      {
        id: "table-with-expired-keys-not-read",
        file: "src/engine/index.ts",
        find: "if (expiry[number]! <= this.now) this.existing(number);",
        replace: "if (expiry[number]! < 0) this.existing(number);",
        killers: [[
          CLOCK,
          "expiry: the image of the index knows times, and opening with it is as exact as without",
        ]],
      },
      {
        id: "export-without-times",
        file: "src/cli/notation.ts",
        find: 'const expiry = expiresAt === undefined ? "" : `,"expiresAt":${expiresAt}`;',
        replace: 'const expiry = expiresAt === undefined ? "" : "";',
        killers: [["tests/cli/notation_test.ts", "cli notation: what an export writes, an import reads back"]],
      },
    ],
  },
];
