/**
 * Breakages of the rules about deletes and compaction.
 *
 * @module
 */

import type { Promised } from "./types.ts";

/** Rules about deletes and compaction. */
export const compactionRules: Promised[] = [
  {
    sentence:
      "A tombstone is dropped only when no segment outside the inputs of the compaction can hold an older record of its key.",
    mutants: [
      {
        id: "tombstone-dropped-early",
        in: "droppableUpTo",
        find: "Math.max(segment.lowestSequence - 1, segment.currentAsOf)",
        replace: "Math.max(segment.highestSequence, segment.currentAsOf)",
        killers: ["compaction: a tombstone stays as long as a segment outside holds what it deleted"],
      },
      {
        id: "copy-said-to-be-current-as-of-its-end",
        in: "Compaction.switchOver",
        find: "output.currentAsOf = this.#asOf;",
        replace: "output.currentAsOf = Math.max(this.#asOf, log.nextSequence - 1);",
        killers: ["compaction: a tombstone that comes during a compaction is needed for its copy"],
      },
    ],
  },
  {
    sentence:
      "A tombstone that a newer record overshadows may still be needed for an older segment: sequence numbers decide, never " +
      "the number of a file or a clock.",
    mutants: [
      {
        id: "last-read-wins",
        in: "Replay.#apply",
        find: "if (cursor.sequence <= taken) return;",
        replace: "",
        killers: ["replay: the highest sequence number decides, whatever the order of segments and records"],
      },
    ],
  },
  {
    sentence: "The kind of a record is a field of its own: no value, not even an empty one, is taken for a tombstone.",
    mutants: [
      {
        id: "in-band-tombstone",
        in: "Replay.#apply",
        find: "const isSet = cursor.kind === KIND.set;",
        replace: "const isSet = cursor.kind === KIND.set && cursor.valueLength > 0;",
        killers: ["values: strings come back exactly, lone surrogates and a leading U+FEFF too"],
      },
    ],
  },
  {
    sentence: "The manifest says what is live, not the listing of the directory.",
    mutants: [
      {
        id: "unlisted-segment-taken",
        in: "openSegments",
        find: "return segments;",
        replace:
          "for (const name of place.platform.list(place.directory).filter((name) => name.endsWith('.seg'))) {\n" +
          "      if (segments.some((segment) => segment.name === name)) continue;\n" +
          '      const handle = place.platform.open(`${place.directory}/${name}`, "read");\n' +
          "      const extent = { endBytes: handle.size(), sealed: true };\n" +
          "      segments.push(new Segment(readSegmentHeader(handle, name), handle, extent));\n" +
          "    }\n" +
          "    return segments;",
        killers: ["the process dies at every operation: written records survive"],
      },
    ],
  },
  {
    sentence: "The switch from inputs to output is one atomic step; everything before and after it can be done again.",
    mutants: [
      {
        id: "manifest-written-in-place",
        in: "temporaryOf",
        find: "return lock === undefined ? `${directory}/${name}.tmp` : `${directory}/${name}.${lock.token}.tmp`;",
        replace: "return lock === undefined ? `${directory}/${name}` : `${directory}/${name}`;",
        killers: ["manifest: replacing it leaves the old or the new one, whatever fails and whenever the power goes"],
      },
      {
        id: "half-a-switch",
        in: "Log.change",
        find: "this.replaceManifest(options, state);\n    this.#enter(state);",
        replace: "",
        killers: ["compact: a MANIFEST that cannot be replaced rejects with IO, and the inputs count as before"],
      },
    ],
  },
  {
    sentence:
      "The order is data, directory, manifest, directory, and only then removal; each is durable before the next begins.",
    mutants: [
      {
        id: "no-sync-before-the-rename",
        in: "replaceDurably",
        find: "asFsync(temporaryOf(replacement), () => handle.syncDataNow());",
        replace: "asFsync(temporaryOf(replacement), () => handle.size());",
        killers: ["manifest: replacing it leaves the old or the new one, whatever fails and whenever the power goes"],
      },
      {
        id: "no-directory-sync-after-the-rename",
        in: "replaceDurably",
        find: 'asFsync("the store\'s directory", () => platform.syncDirectory(directory));',
        replace: "",
        killers: ["manifest: replacing it leaves the old or the new one, whatever fails and whenever the power goes"],
      },
      {
        id: "no-directory-sync-for-a-new-segment",
        in: "Log.rotate",
        find: "this.syncNamesNow();",
        replace: "",
        killers: ["log: a segment's name and header are durable before the manifest lists it"],
      },
      {
        id: "copy-not-synced",
        in: "WriteBehind.finish",
        find: "await asFsync(this.#file.name, () => this.#file.handle.syncData());",
        replace: "await asFsync(this.#file.name, () => Promise.resolve());",
        killers: ["compaction: whenever the power goes, the contents are the same"],
      },
      {
        id: "prepared-manifest-not-synced",
        in: "prepareReplacement",
        find: "await asFsync(temporaryOf(replacement), () => handle.syncData());",
        replace: "await asFsync(temporaryOf(replacement), () => Promise.resolve());",
        killers: ["compaction: whenever the power goes, the contents are the same"],
      },
      {
        id: "inputs-removed-before-the-manifest-has-its-name-for-good",
        in: "compactGroup",
        find: "await engine.log.syncNames();",
        replace: "",
        killers: ["compaction: whenever the power goes, the contents are the same"],
      },
      {
        id: "prepared-manifest-put-over-a-later-one",
        in: "ManifestFile.replace",
        find: "prepared === this.#prepared && prepared.clockFloor",
        replace: "prepared.clockFloor",
        killers: ["compaction: a rotation while its manifest is prepared counts as well"],
      },
      {
        id: "copy-of-a-window-that-has-moved-on",
        in: "RecordCursor.#load",
        find: "this.beforeReload();",
        replace: "",
        killers: ["compaction: records of every length come over, whatever lies between them"],
      },
      {
        id: "inputs-removed-before-the-switch",
        in: "Compaction.switchOver",
        find: "log.reserve.lend(0, () =>",
        replace: "for (const input of this.#inputs) log.platform.remove(log.path(input.name));\n" +
          "    log.reserve.lend(0, () =>",
        killers: ["compaction: whenever the power goes, the contents are the same"],
      },
      {
        id: "backup-not-synced",
        in: "copySegment",
        find: "await asIo(doing, () => handle.syncData());",
        replace: "await asIo(doing, () => Promise.resolve());",
        killers: ["backup: survives a power cut right after it"],
      },
      {
        id: "directory-of-a-backup-not-made-durable",
        in: "backupStore",
        find: "if (!isNew) syncAbove(platform, target);",
        replace: "",
        killers: ["backup: survives a power cut right after it"],
      },
    ],
  },
  {
    sentence: "Compaction moves an entry of the index only if it still points at the record that was copied.",
    mutants: [
      {
        id: "index-moved-unconditionally",
        in: "Relocation.target",
        find: "return rank === 0 ? 0 : (offset - this.#distances[rank - 1]!) >>> 0;",
        replace: "return (offset - this.#distances[Math.max(1, rank) - 1]!) >>> 0;",
        killers: ["relocation: places before the first one that is moved stay"],
      },
      {
        id: "overwritten-entries-moved",
        in: "Index.relocate",
        find: "const relocation = relocations.of(entries[at + 1]!);",
        replace: "const relocation = entries[at + 1] === 0 ? undefined : relocations.of(1);",
        killers: ["index: only entries that are still where they were copied from are moved"],
      },
      {
        id: "rollback-during-a-compaction-ignored",
        in: "Compaction.#eachPartition",
        find: "this.#engine.writer!.write();",
        replace: "",
        killers: ["compaction: what made a record stale must be written before the record goes"],
      },
    ],
  },
  {
    sentence: "An error in reading an input cancels its removal.",
    mutants: [
      {
        id: "unreadable-rest-given-up",
        in: "readSealed",
        find: "if (cursor.reason !== undefined) throw damaged(segment, cursor.offset, cursor.reason);",
        replace: "",
        killers: ["compaction: damage and failed reads leave the inputs as they are"],
      },
      {
        id: "damaged-value-given-up",
        in: "Compaction.#take",
        find: 'if (!isGrave && !cursor.checkValue()) throw damaged(input, cursor.offset, "checksum of a value");',
        replace: "if (!isGrave && !cursor.checkValue()) return;",
        killers: ["compaction: damage and failed reads leave the inputs as they are"],
      },
      {
        id: "failed-read-taken-for-damage",
        in: "RecordCursor.#load",
        find: "asIo(`read ${name} at byte ${this.offset}`, () => readInto(handle, target, this.offset));",
        replace: "(() => { try { return readInto(handle, target, this.offset); } catch { return 0; } })();",
        killers: ["compaction: damage and failed reads leave the inputs as they are"],
      },
    ],
  },
  {
    sentence: "A segment stays while an iterator or snapshot needs it, and an abandoned one does not pin it for ever.",
    mutants: [
      {
        id: "segment-removed-under-an-iterator",
        in: "Views.needs",
        find: "return (this.#retiredAt.get(segment) ?? Infinity) >= oldest;",
        replace: "return false;",
        killers: ["iterators: read on across compaction, clear and rotation"],
      },
      {
        id: "abandoned-iterator-pins-for-ever",
        in: "releaseWhenAbandoned",
        find: "ABANDONED.register(holder, () => engine.release(view), holder);",
        replace: "ABANDONED.register(holder, () => {}, holder);",
        killers: ["abandoned iterators and snapshots give their files back when they are collected as garbage"],
      },
    ],
  },
  {
    sentence: "Compaction works in slices of a few milliseconds, and others have their turn in between.",
    mutants: [
      {
        id: "compaction-in-one-go",
        in: "readSealed",
        find: "if (slices.count(cursor.length)) await slices.pause();",
        replace: "",
        killers: ["compaction: works in slices, and others have their turn in between"],
      },
    ],
  },
];
