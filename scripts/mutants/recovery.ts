/**
 * Breakages of the rules about recovery.
 *
 * @module
 */

import type { Promised } from "./types.ts";

/** Rules about recovery. */
export const recoveryRules: Promised[] = [
  {
    sentence: "Nothing is appended behind a torn tail: recovery goes on in a new segment.",
    mutants: [
      {
        id: "appended-behind-a-torn-tail",
        in: "openWriter",
        find: "if (end !== undefined) keepRecovered(log, built.index, end);",
        replace: "if (last !== undefined && end !== undefined) {\n" +
          "      last.endBytes = end.fileBytes;\n" +
          "      log.resume();\n" +
          "    }",
        killers: ["recovery: a torn tail is reported with bytes, segment and reason, and only once"],
      },
      {
        id: "torn-tail-written-over",
        in: "openWriter",
        find: "if (end !== undefined) keepRecovered(log, built.index, end);",
        replace: "if (last !== undefined && end !== undefined) {\n" +
          "      last.endBytes = end.endBytes;\n" +
          "      log.noteSynced(end.endBytes);\n" +
          "      log.resume();\n" +
          "    }",
        killers: ["what a store acknowledges after the death of its predecessor survives a power cut"],
      },
      {
        id: "bytes-behind-a-clean-end-appended-to",
        in: "openWriter",
        find: "log.sealActive();",
        replace: "log.resume();",
        killers: ["failed append: what was rejected before a clean close never comes back, even behind a later record"],
      },
    ],
  },
  {
    sentence:
      "The durable mark decides, not what follows: a bad byte before it is damage, one at or past it ends the log, valid " +
      "records behind it notwithstanding.",
    mutants: [
      {
        id: "marks-behind-a-hole-ignored",
        in: "highestMark",
        find: "while (cursor.next() || cursor.search(cursor.offset + 1, { marksOnly: true })) {",
        replace: "while (cursor.next()) {",
        killers: ["recovery: a bad byte before a mark is damage, also if the mark lies behind the bad byte"],
      },
      {
        id: "records-behind-a-hole-taken",
        in: "findEnd",
        find: "while (cursor.next() && cursor.checkValue()) {",
        replace:
          "while ((cursor.next() && cursor.checkValue()) || cursor.search(cursor.offset + 1, { marksOnly: false })) {",
        killers: ["recovery: a bad byte past the mark ends the log, valid records behind it notwithstanding"],
      },
      {
        id: "marks-in-the-log-ignored",
        in: "highestMark",
        find: "if (mark.segment === segment.number && mark.offset > highest) highest = mark.offset;",
        replace: "if (mark.segment === segment.number && mark.offset > fileBytes) highest = mark.offset;",
        killers: ["recovery: only marks on this segment count, and none that is damaged"],
      },
      {
        id: "no-marks-written",
        in: "Writer.#appendMark",
        find: "syncedBytes <= active.markedBytes",
        replace: "syncedBytes >= active.markedBytes",
        killers: ["writer: a group ends with what was durable when it was written"],
      },
      {
        id: "mark-ahead-of-the-disk",
        in: "Writer.#appendMark",
        find: "writeMark(this.tail.view, at, { segment: active.number, offset: syncedBytes });",
        replace: "writeMark(this.tail.view, at, { segment: active.number, offset: active.endBytes });",
        killers: ["writer: a mark says what has been synced, not what was merely written"],
      },
    ],
  },
  {
    sentence: "Zeros or garbage behind the end are no records: an all-zero header does not check out.",
    mutants: [
      {
        id: "zeros-taken-for-a-header",
        in: "readHeader",
        find: "if (kind < KIND.set || kind > KIND.mark || (flags & ~KNOWN_FLAGS) !== 0) return false;",
        replace: "if (kind > KIND.mark || (flags & ~KNOWN_FLAGS) !== 0) return false;",
        killers: ["record: zeros are no header, nor is anything with an impossible field"],
      },
      {
        id: "garbage-taken-for-values",
        in: "findEnd",
        find: "while (cursor.next() && cursor.checkValue()) {",
        replace: "while (cursor.next() && cursor.loadValue()) {",
        killers: ["recovery: a bad byte past the mark ends the log, valid records behind it notwithstanding"],
      },
    ],
  },
  {
    sentence: "No length is used before it is bounded by what is left of the file.",
    mutants: [
      {
        id: "length-trusted-before-its-checksum",
        in: "readHeader",
        find: "if (header.valueLength > MAX_VALUE_BYTES || header.length > leftBytes) return false;",
        replace: "if (header.valueLength > MAX_VALUE_BYTES && header.length > leftBytes) return false;",
        killers: ["record: zeros are no header, nor is anything with an impossible field"],
      },
      {
        id: "footer-length-trusted",
        in: "readFooter",
        find: "if (length > Math.min(MAX_FOOTER_BYTES, size - TRAILER_BYTES)) return undefined;",
        replace: "",
        killers: ["image: numbers in the footer ask for no more memory than there is file"],
      },
    ],
  },
  {
    sentence: "A batch whose end never reached the disk is not applied, nor is a part of it.",
    mutants: [
      {
        id: "batch-applied-early",
        in: "findEnd",
        find: "if ((cursor.flags & FLAG_MORE) !== 0) continue;",
        replace: "if ((cursor.flags & FLAG_MORE) !== 0 && end.records < 0) continue;",
        killers: ["recovery: a batch without its end is not taken, nor is anything of it"],
      },
    ],
  },
  {
    sentence: "Numbers of segments and sequence numbers only grow, across every reopening.",
    mutants: [
      {
        id: "segment-number-not-reserved",
        in: "Log.createSegment",
        find: "if (!this.manifestFile.isReserved(number)) this.replaceManifest({ clean: false });",
        replace: "",
        killers: ["log: a segment's number is reserved, durably, before a file has it"],
      },
      {
        id: "segment-number-reused",
        in: "createSegmentFile",
        find: "if (place.platform.isAlreadyThere(error)) return undefined;",
        replace: "if (place.platform.isAlreadyThere(error)) {\n" +
          "      place.platform.remove(`${place.directory}/${segmentName(header.number)}`);\n" +
          "      return createSegmentFile(place, header);\n" +
          "    }",
        killers: ["log: a file that is there already is left alone, and its number is not used"],
      },
      {
        id: "sequence-numbers-reused-after-a-crash",
        in: "openWriter",
        find: "log.nextSequence += SEQUENCE_SKIP;",
        replace: "log.nextSequence += 0;",
        killers: ["open: sequence numbers that a power cut lost are not used again"],
      },
      {
        id: "sequence-numbers-of-rejected-writes-reused",
        in: "Writer.#takeBack",
        find: "const starts = this.tail.starts(from, to);",
        replace: "const starts = this.tail.starts(from, to);\n      this.#log.nextSequence -= starts.length;",
        killers: ["failed append: sequence numbers of what was rejected are not used again"],
      },
    ],
  },
  {
    sentence: "An open that fails releases the lock and leaves nothing half-made.",
    mutants: [
      {
        id: "failed-open-keeps-the-lock",
        in: "releasedAfter",
        find: "lock.release();",
        replace: "",
        killers: ["lock: is free after close, after a failed open, and after the holder's death; LOCK stays"],
      },
      {
        id: "failed-open-keeps-files-open",
        in: "openWriter",
        find: "log.closeFiles();",
        replace: "",
        killers: [
          "faults: at whichever operation opening after a crash fails, nothing is held, and the next open has all",
        ],
      },
    ],
  },
  {
    sentence: "No key is taken from an unchecked record.",
    mutants: [
      {
        id: "key-from-an-unchecked-record",
        in: "RecordCursor.#readHere",
        find: "if (headerIsIntact(this, this.at, this, this.seed)) return undefined;",
        replace: "if (this.length >= 0) return undefined;",
        killers: ["cursor: a bad header ends the walk, a bad value does not"],
      },
    ],
  },
];
