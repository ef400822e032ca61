/**
 * Breakages of what is promised of clocks that go forward and back.
 *
 * @module
 */
import type { Promised } from "./types.ts";

const AT_CLOSING =
  "clock: what an open store saw expire, or could have seen at closing, stays so when it is opened again";
const GOING_BACK = "clock: going back revives nothing, and keys that are set then live by the clock as it is then";
const BY_THE_CLOCK = "clock: what is set once it is right lives by it, whatever it once said";
const READER = "clock: a reader whose own was ahead keeps away what it saw expire, and sees what it reads later";
const READS_ANEW = "clock: a reader that has to read all anew leaves out what it saw expire";
const OVERTAKEN = "clock: a reader that the writer overtakes believes no floor that has been lowered meanwhile";
const WHATEVER_IT_SAYS = "clock: whatever it says, sums stay times, and what it says later counts";

/** What is promised of clocks that go forward and back. */
export const clockPromises: Promised[] = [
  {
    sentence:
      "If the clock goes back, no key returns that an open store has seen expire; across a crash, none that it had " +
      "seen expire when MANIFEST was last replaced.",
    mutants: [
      {
        id: "clock-believed",
        in: "Log.now",
        find: "return Math.max(timeBy(this.platform, this.clockFloor), this.clockFloor);",
        replace: "return timeBy(this.platform, this.clockFloor);",
        killers: [AT_CLOSING],
      },
      {
        id: "clock-floor-not-recorded-at-closing",
        in: "Log.recordClean",
        find: "clean ? latest.clockFloor === this.clockFloor :",
        replace: "clean ? latest.clockFloor >= 0 :",
        killers: [AT_CLOSING],
      },
      {
        id: "nobody-looks-at-the-clock-at-closing",
        in: "KvStore.#close",
        find: "engine.expire();",
        replace: "",
        killers: [AT_CLOSING],
      },
      {
        id: "clock-floor-not-written",
        in: "Log.#content",
        find: "clockFloor: this.clockFloor,",
        replace: "clockFloor: 0,",
        killers: [
          "clock: after a crash it holds as far as the manifest knows: since the last rotation at least",
          "expiry: a backup has the times of expiry and the clock floor",
        ],
      },
      {
        id: "clock-floor-not-raised",
        in: "Engine.expire",
        find: "log.clockFloor = now;",
        replace: "",
        killers: [GOING_BACK],
      },
    ],
  },
  {
    sentence:
      "A key that is set lives by the clock as it is then, whatever it said before: a clock that was ahead costs " +
      "at most the keys that it let expire.",
    mutants: [
      {
        id: "set-under-a-floor-that-is-ahead",
        in: "stage",
        find: "admitExpiry(engine, operation.expiresAt);",
        replace: "",
        killers: [BY_THE_CLOCK],
      },
      {
        id: "batch-under-a-floor-that-is-ahead",
        in: "stageBatch",
        find: "for (const { expiresAt } of operations) admitExpiry(engine, expiresAt);",
        replace: "",
        killers: [BY_THE_CLOCK],
      },
      {
        id: "ttl-from-the-clock-floor",
        in: "Writing.#now",
        find: "timeBy(this.#engine.log.platform, this.#engine.log.clockFloor)",
        replace: "this.#engine.log.now()",
        killers: [BY_THE_CLOCK],
      },
      {
        id: "no-tombstones-for-what-a-lower-floor-brings-back",
        in: "lowerFloor",
        find: "engine.stageDelete({ ...key, isString: index.isString });\n    writer.publish();",
        replace: "",
        killers: ["clock: what expired while it was ahead stays expired, by a delete in the log, after any end"],
      },
      {
        id: "tombstones-pending-when-the-floor-is-lowered",
        in: "lowerFloor",
        find: "const failure = writer.write();\n  if (failure !== undefined) throw failure;",
        replace: "",
        killers: ["clock: a write that is taken back takes no key back that has expired"],
      },
      {
        id: "lower-floor-recorded-before-its-tombstones",
        in: "lowerFloor",
        find: "if (log.manifestFile.latest.clockFloor > now) engine.flushNow();",
        replace: "",
        killers: [
          "clock: a power cut between the manifest with the lower floor and the next record brings no key back",
        ],
      },
      {
        id: "lower-floor-not-recorded",
        in: "Log.recordClean",
        find: ": latest.clockFloor <= this.clockFloor;",
        replace: ": true;",
        killers: ["clock: what expired while it was ahead stays expired, by a delete in the log, after any end"],
      },
      {
        id: "order-of-the-keys-saved-by-the-lower-floor",
        in: "OrderSaver.onTable",
        find: "Math.max(this.#expiredBy, this.#order.index.expired.now)",
        replace: "0",
        killers: [
          "order saver: it says which expired keys may be missing, though the clock floor is lowered meanwhile",
        ],
      },
    ],
  },
  {
    sentence:
      "A reader keeps away what it had read and seen expire, and what it reads later lives by the clock as it " +
      "is then.",
    mutants: [
      {
        id: "floor-of-a-reader-never-lowered",
        in: "floorAfter",
        find: "Math.min(log.clockFloor, timeBy(log.platform, log.clockFloor))",
        replace: "log.clockFloor",
        killers: [READER],
      },
      {
        id: "reader-brings-back-what-it-saw-expire",
        in: "advance",
        find: "keepExpired(store, next.clockFloor);",
        replace: "",
        killers: [READER],
      },
      {
        id: "reader-brings-back-what-it-reads-anew",
        in: "reload",
        find: "leaveOutExpired(store, opened);",
        replace: "",
        killers: [READS_ANEW],
      },
      {
        id: "refresh-silent-about-what-the-writer-saw-expire",
        in: "refreshReader",
        find: "isNews || keysNow(store) !== keys",
        replace: "isNews",
        killers: ["clock: a refresh says that something changed if keys go that the writer alone saw expire"],
      },
      {
        id: "reader-leaves-out-what-it-had-not-read",
        in: "leaveOutExpired",
        find: "cursor.next() && cursor.sequence <= follower.sequence",
        replace: "cursor.next()",
        killers: [READS_ANEW],
      },
      {
        id: "refresh-by-a-floor-that-is-lowered-meanwhile",
        in: "advance",
        find: "checkFloor(log.platform, log.directory, manifest);",
        replace: "",
        killers: [OVERTAKEN],
      },
      {
        id: "opened-by-a-floor-that-is-lowered-meanwhile",
        in: "openReader",
        find: "checkFloor(platform, directory, manifest);",
        replace: "",
        killers: [OVERTAKEN],
      },
    ],
  },
  {
    sentence:
      "A clock that says no time, and a clock floor that no clock ever said, leave every key that is set later " +
      "readable, and no time is above 2^53 − 1.",
    mutants: [
      {
        id: "no-time-taken-for-a-time",
        in: "timeBy",
        find: "Number.isFinite(time) ?",
        replace: "true ?",
        killers: [WHATEVER_IT_SAYS],
      },
      {
        id: "time-below-and-above-all-times",
        in: "timeBy",
        find: "Math.min(Math.max(1, time), Number.MAX_SAFE_INTEGER)",
        replace: "time",
        killers: [WHATEVER_IT_SAYS],
      },
      {
        id: "time-to-live-beyond-all-times",
        in: "expiryTimeOf",
        find: "Math.min(now() + Math.ceil(ttl), Number.MAX_SAFE_INTEGER)",
        replace: "now() + Math.ceil(ttl)",
        killers: [WHATEVER_IT_SAYS],
      },
    ],
  },
];
