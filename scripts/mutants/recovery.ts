/**
 * Breakages of the rules about recovery.
 *
 * @module
 */

import type { Promised } from "./types.ts";

const LOCKING = "tests/contract/locking.ts";
const RECOVERY = "tests/contract/recovery.ts";
const FIND_TAIL = "tests/engine/recovery_test.ts";
const OPENING = "tests/contract/opening.ts";

/** Rules about recovery. */
export const recoveryRules: Promised[] = [
  {
    sentence: "Nothing is appended behind a torn tail: recovery goes on in a new segment.",
    mutants: [
      {
        id: "appended-behind-a-torn-tail",
        file: "src/engine/open.ts",
        find:
          "if (last !== undefined && tail !== undefined) recoverTail(log, built.index, { last, tail, known: manifest.mark });",
        replace: "if (last !== undefined && tail !== undefined) {\n" +
          "      last.endBytes = tail.fileBytes;\n" +
          "      log.resume(last);\n" +
          "    }",
        killers: [[RECOVERY, "recovery: a torn tail is reported with bytes, segment and reason, and only once"]],
      },
      {
        id: "torn-tail-written-over",
        file: "src/engine/open.ts",
        find:
          "if (last !== undefined && tail !== undefined) recoverTail(log, built.index, { last, tail, known: manifest.mark });",
        replace: "if (last !== undefined && tail !== undefined) {\n" +
          "      last.endBytes = tail.endBytes;\n" +
          "      log.resume(last);\n" +
          "    }",
        killers: [[
          "tests/crash/crash_test.ts",
          "what a store acknowledges after the death of its predecessor survives a power cut",
        ]],
      },
      {
        id: "bytes-behind-a-clean-end-appended-to",
        file: "src/engine/open.ts",
        find: "last.sealed = true;\n      else log.resume(last);",
        replace: "log.resume(last);\n      else log.resume(last);",
        killers: [[
          "tests/contract/failed_writes.ts",
          "failed append: what was rejected before a clean close never comes back, even behind a later record",
        ]],
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
        file: "src/engine/recovery.ts",
        find: "isThere = cursor.search(from, { marksOnly: true });\n      if (!isThere) break;",
        replace: "if (from > 0) break;",
        killers: [[
          FIND_TAIL,
          "recovery: a bad byte before a mark is damage, also if the mark lies behind the bad byte",
        ]],
      },
      {
        id: "records-behind-a-hole-taken",
        file: "src/engine/recovery.ts",
        find: "while (cursor.next() && cursor.checkValue()) {",
        replace:
          "while ((cursor.next() && cursor.checkValue()) || cursor.search(cursor.offset + 1, { marksOnly: false })) {",
        killers: [[
          FIND_TAIL,
          "recovery: a bad byte past the mark ends the log, valid records behind it notwithstanding",
        ]],
      },
      {
        id: "marks-in-the-log-ignored",
        file: "src/engine/recovery.ts",
        find: "if (mark.segment === segment.number && mark.offset > highest) highest = mark.offset;",
        replace: "if (mark.segment === segment.number && mark.offset > fileBytes) highest = mark.offset;",
        killers: [[FIND_TAIL, "recovery: only marks on this segment count, and none that is damaged"]],
      },
      {
        id: "no-marks-written",
        file: "src/engine/writer.ts",
        find: "if (active === undefined || mustRotate || syncedBytes <= this.#markedBytes) return;",
        replace: "if (active === undefined || mustRotate || syncedBytes >= this.#markedBytes) return;",
        killers: [["tests/engine/writer_test.ts", "writer: a group ends with what was durable when it was written"]],
      },
      {
        id: "mark-ahead-of-the-disk",
        file: "src/engine/writer.ts",
        find: "writeMark(this.tail.view, at, { segment: active.number, offset: syncedBytes });",
        replace: "writeMark(this.tail.view, at, { segment: active.number, offset: active.endBytes });",
        killers: [[
          "tests/engine/writer_test.ts",
          "writer: a mark says what has been synced, not what was merely written",
        ]],
      },
    ],
  },
  {
    sentence: "Zeros or garbage behind the end are no records: an all-zero header does not check out.",
    mutants: [
      {
        id: "zeros-taken-for-a-header",
        file: "src/engine/record.ts",
        find: "if (kind < KIND.set || kind > KIND.mark || (flags & ~KNOWN_FLAGS) !== 0) return false;",
        replace: "if (kind > KIND.mark || (flags & ~KNOWN_FLAGS) !== 0) return false;",
        killers: [[
          "tests/engine/record_test.ts",
          "record: zeros are no header, nor is anything with an impossible field",
        ]],
      },
      {
        id: "garbage-taken-for-values",
        file: "src/engine/recovery.ts",
        find: "while (cursor.next() && cursor.checkValue()) {",
        replace: "while (cursor.next() && cursor.loadValue()) {",
        killers: [[
          FIND_TAIL,
          "recovery: a bad byte past the mark ends the log, valid records behind it notwithstanding",
        ]],
      },
    ],
  },
  {
    sentence: "No length is used before it is bounded by what is left of the file.",
    mutants: [
      {
        id: "length-trusted-before-its-checksum",
        file: "src/engine/record.ts",
        find: "if (header.valueLength > MAX_VALUE_BYTES || header.length > leftBytes) return false;",
        replace: "if (header.valueLength > MAX_VALUE_BYTES && header.length > leftBytes) return false;",
        killers: [[
          "tests/engine/record_test.ts",
          "record: zeros are no header, nor is anything with an impossible field",
        ]],
      },
      {
        id: "footer-length-trusted",
        file: "src/image/image.ts",
        find: "if (length > Math.min(MAX_FOOTER_BYTES, size - TRAILER_BYTES)) return undefined;",
        replace: "",
        killers: [[
          "tests/image/image_test.ts",
          "image: numbers in the footer ask for no more memory than there is file",
        ]],
      },
    ],
  },
  {
    sentence: "A batch whose end never reached the disk is not applied, nor is a part of it.",
    mutants: [
      {
        id: "batch-applied-early",
        file: "src/engine/recovery.ts",
        find: "if ((cursor.flags & FLAG_MORE) !== 0) continue;",
        replace: "if ((cursor.flags & FLAG_MORE) !== 0 && tail.records < 0) continue;",
        killers: [[FIND_TAIL, "recovery: a batch without its end is not taken, nor is anything of it"]],
      },
    ],
  },
  {
    sentence: "Numbers of segments and sequence numbers only grow, across every reopening.",
    mutants: [
      {
        id: "segment-number-not-reserved",
        file: "src/engine/log.ts",
        find: "if (number >= this.#reservedBelow) this.replaceManifest({ clean: false });",
        replace: "if (number >= this.#reservedBelow) this.#reservedBelow = number + 1;",
        killers: [["tests/engine/log_test.ts", "log: a segment's number is reserved, durably, before a file has it"]],
      },
      {
        id: "segment-number-reused",
        file: "src/engine/log.ts",
        find: "if (this.platform.isAlreadyThere(error)) continue;",
        replace: "if (this.platform.isAlreadyThere(error)) {\n" +
          "          this.platform.remove(path);\n" +
          "          this.#nextSegment--;\n" +
          "          continue;\n" +
          "        }",
        killers: [[
          "tests/engine/log_test.ts",
          "log: a file that is there already is left alone, and its number is not used",
        ]],
      },
      {
        id: "sequence-numbers-reused-after-a-crash",
        file: "src/engine/open.ts",
        find: "log.nextSequence += SEQUENCE_SKIP;",
        replace: "log.nextSequence += 0;",
        killers: [[OPENING, "open: sequence numbers that a power cut lost are not used again"]],
      },
      {
        id: "sequence-numbers-of-rejected-writes-reused",
        file: "src/engine/writer.ts",
        find: "const starts = this.tail.starts(from, to);",
        replace: "const starts = this.tail.starts(from, to);\n      this.#log.nextSequence -= starts.length;",
        killers: [[
          "tests/contract/failed_writes.ts",
          "failed append: sequence numbers of what was rejected are not used again",
        ]],
      },
    ],
  },
  {
    sentence: "An open that fails gives the lock back and leaves nothing half-made.",
    mutants: [
      {
        id: "failed-open-keeps-the-lock",
        file: "src/store.ts",
        find: "lock.release();\n      throw error;",
        replace: "throw error;",
        killers: [[
          LOCKING,
          "lock: is free after close, after a failed open, and after the holder's death; LOCK stays",
        ]],
      },
      {
        id: "failed-open-keeps-files-open",
        file: "src/engine/open.ts",
        find:
          "recovery: recoveryOf(manifest, last, tail) };\n  } catch (error) {\n    log.closeFiles();\n    throw error;",
        replace: "recovery: recoveryOf(manifest, last, tail) };\n  } catch (error) {\n    throw error;",
        killers: [[
          "tests/contract/faults.ts",
          "faults: at whichever operation opening after a crash fails, nothing is held, and the next open has all",
        ]],
      },
    ],
  },
  {
    sentence: "No key is taken from an unchecked record.",
    mutants: [
      {
        id: "key-from-an-unchecked-record",
        file: "src/engine/cursor.ts",
        find:
          'return headerIsIntact(this, this.at, this, this.seed) ? undefined : "checksum of a record\'s header and key";',
        replace: "return undefined;",
        killers: [["tests/engine/cursor_test.ts", "cursor: a bad header ends the walk, a bad value does not"]],
      },
    ],
  },
];
