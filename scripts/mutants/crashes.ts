/**
 * Breakages of the guarantees about what a crash may take: durability, batches, torn tails, and damage told from them.
 *
 * @module
 */

import type { Promised } from "./types.ts";

/** Guarantees 1 to 3. */
export const crashPromises: Promised[] = [
  {
    sentence: "A write acknowledged under a durability survives what that durability names.",
    mutants: [
      {
        id: "sync-not-awaited",
        in: "Writer.reached",
        find: 'if (durability === "write") {',
        replace: "if (durability !== undefined) {",
        killers: ['durability "sync": what was acknowledged survives a power cut'],
      },
      {
        id: "write-not-awaited",
        in: "Writer.reached",
        find: "return this.#waiters.written();",
        replace: "return Promise.resolve();",
        killers: ["failed append: every kind of write rejects with IO and its cause, and the state returns"],
      },
      {
        id: "background-sync-forgotten",
        in: "Writer.#idle",
        find: "if (this.unsyncedBytes > 0) this.#sync();",
        replace: "if (this.unsyncedBytes > 0) return;",
        killers: ['durability "write": is synced in the background within about a second'],
      },
      {
        id: "clean-end-believed-after-new-writes",
        in: "Log.recordClean",
        find: "if (latest.clean !== clean || !isFloorRecorded) this.replaceManifest({ clean });",
        replace: "if (clean) this.replaceManifest({ clean });\n    else latest.clean = false;",
        killers: [
          "durability: what is written after a clean close and a new opening survives the death of the process",
        ],
      },
    ],
  },
  {
    sentence: "Nothing acknowledged is ever dropped silently.",
    mutants: [
      {
        id: "rotation-without-sync",
        in: "Log.rotate",
        find: "this.syncActive();",
        replace: "",
        killers: ["writer: a segment is synced before the next one gets a record, whatever the durability"],
      },
      {
        id: "recovered-records-dropped",
        in: "copyRecovered",
        find: "if (cursor.kind === KIND.mark || !cursor.loadValue()) continue;",
        replace: "if (cursor.kind === KIND.mark || end.records < 2 || !cursor.loadValue()) continue;",
        killers: ["recovery: writing, dying and opening again many times loses nothing"],
      },
    ],
  },
  {
    sentence: "A batch is there whole or not at all.",
    mutants: [
      {
        id: "batch-unmarked",
        in: "Writer.#announce",
        find: "if (at + header.length < this.tail.stagedEnd) bytes[at + 9] = header.flags |= FLAG_MORE;",
        replace: "bytes[at + 9] = header.flags & ~FLAG_MORE;",
        killers: ["batch: cut off by the death of the process it is gone as a whole"],
      },
      {
        id: "batch-split-by-a-rotation",
        in: "Writer.#fits",
        find: "stagedEnd <= reserve.roomIn(target",
        replace: "length <= reserve.roomIn(target",
        killers: ["writer: a batch lies in one segment and says so; one that is too large gets a segment of its own"],
      },
      {
        id: "half-a-batch-staged",
        in: "Engine.beginWrite",
        find: "writer.tail.stagedEnd = writer.tail.length;",
        replace: "",
        killers: ["batch: a mistake in the middle leaves nothing of it, and the next write is whole"],
      },
    ],
  },
  {
    sentence:
      "A crash never prevents opening: what lies past the durable mark and does not check out is a torn tail, left behind " +
      "and reported.",
    mutants: [
      {
        id: "torn-tail-refused",
        in: "findEnd",
        find: "if (end.endBytes < fileBytes) {",
        replace: "if (end.endBytes < fileBytes) {\n" +
          "    if (unfinished === 0) throw corrupt(segment.name, cursor.offset, String(cursor.reason));",
        killers: ["recovery: an all-zero tail is no record"],
      },
      {
        id: "torn-tail-unreported",
        in: "report",
        find: "discardedBytes: fileBytes - endBytes,",
        replace: "discardedBytes: 0,",
        killers: ["recovery: an all-zero tail is no record"],
      },
      {
        id: "cut-off-creation-refused",
        in: "findStore",
        find: 'return hasSegments(names) ? "headless" : "none";',
        replace: 'return names.length > 1 ? "headless" : "none";',
        killers: ["open: a LOCK or an unfinished temporary alone is a creation cut off, and is begun anew"],
      },
    ],
  },
  {
    sentence:
      "Before the mark, or before the end that a clean close recorded, missing or bad bytes are damage: `CORRUPT` where " +
      "they are met (at open for what open reads, at `get` for that key alone, in `verify` for the rest); salvage keeps " +
      "what is intact and lists what it broke.",
    mutants: [
      {
        id: "damage-before-the-mark-skipped",
        in: "recoverEnd",
        find:
          'if (!cursor.next()) throw corrupt(name, cursor.offset, cursor.reason ?? "the records end before the durable mark");',
        replace: "if (!cursor.next()) return { ...end, endBytes: cursor.offset, markOffset: cursor.offset };",
        killers: ["recovery: a bad byte before a mark is damage, also if the mark lies behind the bad byte"],
      },
      {
        id: "file-shorter-than-its-mark",
        in: "recoverEnd",
        find: "if (fileBytes < markOffset) throw",
        replace: "if (fileBytes < known.markOffset - markOffset) throw",
        killers: ["recovery: at every length of the file past the mark it takes whole records, before it is damage"],
      },
      {
        id: "file-shorter-than-its-recorded-end",
        in: "openSegment",
        find: "if (handle.size() < endBytes) {",
        replace: "if (handle.size() < 44) {",
        killers: ["open: a segment that is missing or too short is CORRUPT"],
      },
      {
        id: "missing-segment-passed-over",
        in: "openSegments",
        find: "segments.push(",
        replace: "if (!place.platform.list(place.directory).includes(segmentName(listed.number))) continue;\n" +
          "      segments.push(",
        killers: ["open: a segment that is missing or too short is CORRUPT"],
      },
      {
        id: "headless-store-begun-anew",
        in: "manifestOf",
        find: 'if (findStore(platform, directory) === "headless") {',
        replace: 'if (findStore(platform, directory) === "headless" && creator === undefined) {',
        killers: ["open: segments without a MANIFEST are CORRUPT, and stay as they are"],
      },
      {
        id: "store-among-foreign-files",
        in: "refuseForeign",
        find: "if (foreign.length === 0) return;",
        replace: "if (foreign.length >= 0) return;",
        killers: ["directory: one that holds another program's files and no store is refused, and left as it is"],
      },
      {
        id: "older-manifest-taken",
        in: "checkAge",
        find: "const younger = unlisted.find((name) => segmentNumberOf(name)! >= nextSegment);",
        replace: "const younger = unlisted.find((name) => segmentNumberOf(name)! < nextSegment - nextSegment);",
        killers: ["a manifest put back from any earlier moment is refused, or nothing has changed since"],
      },
      {
        id: "damage-skipped-at-open",
        in: "Replay.records",
        find:
          "if (cursor.reason !== undefined) throw corrupt(name, cursor.offset, cursor.reason); if (cursor.offset !== endBytes) throw corrupt(name, cursor.offset, `no record ends at ${endBytes}`);",
        replace: 'if (name === "") throw corrupt(name, endBytes, "");',
        killers: [
          "open: a damaged MANIFEST, segment header or record header is CORRUPT and names file, offset and reason",
        ],
      },
      {
        id: "damaged-value-refuses-the-store",
        in: "Replay.records",
        find: "while (cursor.next()) {",
        replace: "while (cursor.next() && cursor.checkValue()) {",
        killers: ["open: a damaged value is met where it is read, not at opening"],
      },
      {
        id: "verify-trusts-values",
        in: "scan",
        find: 'found.reason = cursor.checkValue() ? undefined : "checksum of a value";',
        replace: 'found.reason = cursor.loadValue() ? undefined : "checksum of a value";',
        killers: ["verify: names file, offset, length, reason and key of damage, and whether an older version is left"],
      },
      {
        id: "salvage-ends-at-the-first-damage",
        in: "copyIntact",
        find: "if (!isRecord || cursor.kind === KIND.mark) continue;",
        replace: "if (!isRecord) return;\n    if (cursor.kind === KIND.mark) continue;",
        killers: ["repairStore: of a damaged header it names the sequence numbers that are missing"],
      },
      {
        id: "salvage-carries-damage-over",
        in: "copyIntact",
        find: "if (reason === undefined) copier.copy(cursor);",
        replace: "if (reason === undefined || cursor.kind === KIND.delete) copier.copy(cursor);",
        killers: ["fuzz corpus: …: …"],
      },
      {
        id: "salvage-lists-nothing",
        in: "reportOf",
        find: "lostKeys: found.lostKeys(),",
        replace: "lostKeys: [],",
        killers: ["open with salvage: repairs first and says so in recovery; strict refuses"],
      },
    ],
  },
];
