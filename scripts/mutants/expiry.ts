/**
 * Breakages of what is promised of keys that expire.
 *
 * @module
 */
import type { Promised } from "./types.ts";

const IMAGE_TIMES = "image: times of expiry come back, those that are past too, and go on like any others";
const TO_THE_MILLISECOND =
  "expiry: a key is there until its time has come, and then no call sees it, to the millisecond";
const DOES_WHAT_A_MAP_DOES = "index: does what a Map does, as it grows, shrinks, is moved and expires";
const REJECTED = "expiry: a rejected write gives back what it replaced, unless that has expired meanwhile";

/** What is promised of keys that expire. */
export const expiryPromises: Promised[] = [
  {
    sentence: "Every call sees a key until the millisecond at which it expires, and no call sees it from then on.",
    mutants: [
      {
        id: "expired-value-read",
        in: "Engine.get",
        find: "return index.find(bytes, start, length) && !index.isExpired ? this.read(index, key) : undefined;",
        replace: "return index.find(bytes, start, length) ? this.read(index, key) : undefined;",
        killers: [TO_THE_MILLISECOND],
      },
      {
        id: "expired-value-read-by-first-guess",
        in: "Engine.get",
        find: "!index.isExpired && index.length <= MAX_GUESSED_BYTES",
        replace: "index.length <= MAX_GUESSED_BYTES",
        killers: [TO_THE_MILLISECOND],
      },
      {
        id: "expired-keys-counted",
        in: "Index.size",
        find: "return this.placed - this.expired.count;",
        replace: "return this.placed;",
        killers: [TO_THE_MILLISECOND],
      },
      {
        id: "expired-a-millisecond-late",
        in: "Engine.expire",
        find: "if (now < expired.next || now === expired.now) return;",
        replace: "if (now <= expired.next || now === expired.now) return;",
        killers: [TO_THE_MILLISECOND],
      },
      {
        id: "expiry-of-a-replaced-value-kept",
        in: "Index.point",
        find: "if (this.expiresAt !== 0) this.expired.unset(partition, id);",
        replace: "",
        killers: ["expiry: a later set replaces it, or takes it away"],
      },
      {
        id: "sinking-entry-passes-the-sooner-one",
        in: "Expiries.#sink",
        find: "if (time <= this.times[this.#heap[child]!]!) break;",
        replace: "if (time >= this.times[this.#heap[child]!]!) break;",
        killers: [DOES_WHAT_A_MAP_DOES],
      },
      {
        id: "entry-behind-a-removed-one-only-rises",
        in: "Expiries.unset",
        find: "this.#sink(this.#places[last]! - 1, last);",
        replace: "",
        killers: [DOES_WHAT_A_MAP_DOES],
      },
      {
        id: "times-lost-with-the-deleted-entries",
        in: "Partition.dropDeleted",
        find: "if (time !== 0) keptExpiries!.set(this.count, time, expiries!.hasCome(id));",
        replace: "if (time < 0) keptExpiries!.set(this.count, time, expiries!.hasCome(id));",
        killers: [DOES_WHAT_A_MAP_DOES],
      },
    ],
  },
  {
    sentence: "An expired record stays as a tombstone as long as an older value of its key may be in the log.",
    mutants: [
      {
        id: "expired-record-dropped",
        in: "Compaction.#take",
        find: "const isTombstone = isGrave || cursor.kind !== KIND.set;",
        replace: "const isTombstone = cursor.kind !== KIND.set;",
        killers: [
          "deleted keys stay deleted through compactions of any two subsets: …",
          "expiry: an older value does not come back when a newer one has expired and is compacted away",
        ],
      },
      {
        id: "delete-of-what-has-expired-passed-over",
        in: "Replay.#apply",
        find: "if (isOld && !mayHaveMoved) return;",
        replace: "if (isOld && (!mayHaveMoved || !isSet)) return;",
        killers: ["replay: a set that was known and is a delete now leaves no older copy standing, in any order"],
      },
      {
        id: "expired-record-kept-whole",
        in: "Compaction.#take",
        find: "if (isGrave) return this.#copier.bury(cursor);",
        replace: "if (isGrave) return void this.#copier.copy(cursor);",
        killers: ["compaction: what has expired stays as a tombstone where something older may be, its value does not"],
      },
      {
        id: "entry-of-an-expired-record-kept",
        in: "Compaction.#take",
        find: "if (isGrave) relocation.move(cursor.offset, 0);",
        replace: "",
        killers: ["compaction: what has expired leaves the index with its record"],
      },
      {
        id: "tombstones-of-expired-keys-thought-droppable",
        in: "keptBytesOf",
        find: "if (segment.highestSequence > droppable) keptBytes += segment.graveBytes;",
        replace: "",
        killers: ["choose: of what has expired all is won but a tombstone, and that, too, where it may go"],
      },
      {
        id: "nothing-won-of-what-has-expired",
        in: "keptBytesOf",
        find: "let keptBytes = segment.liveBytes - segment.expiredBytes;",
        replace: "let keptBytes = segment.liveBytes;",
        killers: ["time: what expires is compacted by itself, once enough of it has, and somebody called"],
      },
      {
        id: "nobody-told-that-much-has-expired",
        in: "Engine.expire",
        find: "(expired.bytes < wakeAtBytes && expired.next > now)",
        replace: "expired.bytes >= 0",
        killers: ["time: what expires is compacted by itself, once enough of it has, and somebody called"],
      },
      {
        id: "nobody-told-what-expires-in-tables-not-read",
        in: "Engine.expire",
        find: "(expired.bytes < wakeAtBytes && expired.next > now)",
        replace: "expired.bytes < wakeAtBytes",
        killers: ["index: what expires in tables that have not been read is compacted, while the store is open"],
      },
    ],
  },
  {
    sentence:
      "A snapshot or iterator keeps what was there when it was taken, even if that expires or is compacted away, or " +
      "later writes are rolled back.",
    mutants: [
      {
        id: "snapshots-go-by-the-present-time",
        in: "Views.find",
        find: "const now = view === undefined ? this.current.expired.now : view.now;",
        replace: "const now = view === undefined || view.now > 0 ? this.current.expired.now : view.now;",
        killers: [
          "expiry: a snapshot and an iterator keep what was there when they were taken, and nothing that was not",
        ],
      },
      {
        id: "expired-entry-removed-under-a-snapshot",
        in: "Index.relocate",
        find: "observer?.beforeChange(this.keyOf(ref), this);",
        replace: "",
        killers: ["expiry: compaction keeps times of expiry, and a snapshot keeps what expires while it is open"],
      },
      {
        id: "snapshot-counts-anew-behind-a-rollback",
        in: "Views.onRollback",
        find: "view.size = sizeAt(this.current, view.now);",
        replace: "view.size = this.current.size;",
        killers: [REJECTED],
      },
      {
        id: "expiry-not-given-back-by-a-rollback",
        in: "Engine.onRollback",
        find: "this.#changeable.put(keyIn(buffer, at, header), segment, offset, form, expiresAt);",
        replace: "this.#changeable.put(keyIn(buffer, at, header), segment, offset, form, Math.min(0, expiresAt));",
        killers: [REJECTED],
      },
    ],
  },
  {
    sentence: "Times of expiry last through compaction, recovery, the image of the index and the export.",
    mutants: [
      {
        id: "time-of-a-moved-record-lost",
        in: "Index.relocate",
        find: "expiries.timeOf(id)",
        replace: "0 * expiries.timeOf(id)",
        killers: ["expiry: compaction keeps times of expiry, and a snapshot keeps what expires while it is open"],
      },
      {
        id: "time-not-taken-from-the-log",
        in: "Replay.#apply",
        find: "const expiresAt = isSet ? cursor.expiresAt : 0;",
        replace: "const expiresAt = isSet ? 0 * cursor.expiresAt : 0;",
        killers: [TO_THE_MILLISECOND],
      },
      {
        id: "image-without-times",
        in: "ImageWriter.writeNext",
        find: "const expiry = times === undefined ? Infinity : lowestOf(times);",
        replace: "const expiry = times === undefined || times.length >= 0 ? Infinity : lowestOf(times);",
        killers: [IMAGE_TIMES],
      },
      {
        id: "lowest-time-of-a-table-believed",
        in: "isSound",
        find: "if (times !== undefined && !(times.every(isTime) && lowestOf(times) === expiry)) return false;",
        replace: "if (times !== undefined && !(times.every(isTime) && lowestOf(times) >= 0)) return false;",
        killers: ["image: numbers in the footer ask for no more memory than there is file"],
      },
      {
        id: "table-with-expired-keys-not-read",
        in: "ImageIndex.#loadDue",
        find: "if (expiry[number]! <= now) this.existing(number);",
        replace: "if (expiry[number]! < 0) this.existing(number);",
        killers: ["expiry: the image of the index knows times, and opening with it is as exact as without"],
      },
      {
        id: "export-without-times",
        in: "entryLine",
        find: 'const expiry = expiresAt === undefined ? "" : `,"expiresAt":${expiresAt}`;',
        replace: 'const expiry = expiresAt === undefined ? "" : "";',
        killers: ["cli notation: what an export writes, an import reads back"],
      },
    ],
  },
];
