/**
 * Breakages of the rules about deletes and compaction.
 *
 * @module
 */

import type { Promised } from "./types.ts";

const COMPACTION = "tests/contract/compaction.ts";
const COMPACTOR = "tests/engine/compactor_test.ts";
const MANIFEST = "tests/engine/manifest_test.ts";

/** Rules about deletes and compaction. */
export const compactionRules: Promised[] = [
  {
    sentence:
      "A tombstone is dropped only when no segment outside the inputs of the compaction can hold an older record of its key.",
    mutants: [
      {
        id: "tombstone-dropped-early",
        file: "src/engine/choose.ts",
        find: "Math.max(segment.lowestSequence - 1, segment.cleanAsOf)",
        replace: "Math.max(segment.highestSequence, segment.cleanAsOf)",
        killers: [[COMPACTOR, "compaction: a tombstone stays as long as a segment outside holds what it deleted"]],
      },
      {
        id: "copy-said-to-be-clean-as-of-its-end",
        file: "src/engine/compactor.ts",
        find: "output.cleanAsOf = this.#asOf;",
        replace: "output.cleanAsOf = Math.max(this.#asOf, log.nextSequence - 1);",
        killers: [[COMPACTOR, "compaction: a tombstone that comes during a compaction is needed for its copy"]],
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
        file: "src/engine/replay.ts",
        find: "if (cursor.sequence <= taken) return;",
        replace: "",
        killers: [[
          "tests/engine/replay_test.ts",
          "replay: the highest sequence number decides, whatever the order of segments and records",
        ]],
      },
    ],
  },
  {
    sentence: "The kind of a record is a field of its own: no value, not even an empty one, is taken for a tombstone.",
    mutants: [
      {
        id: "in-band-tombstone",
        file: "src/engine/replay.ts",
        find: "const isSet = cursor.kind === KIND.set;",
        replace: "const isSet = cursor.kind === KIND.set && cursor.valueLength > 0;",
        killers: [[
          "tests/contract/values.ts",
          "values: strings come back exactly, lone surrogates and a leading U+FEFF too",
        ]],
      },
    ],
  },
  {
    sentence: "The manifest says what is live, not the listing of the directory.",
    mutants: [
      {
        id: "unlisted-segment-taken",
        file: "src/engine/open.ts",
        find: "const leftovers = unlistedSegments(platform, directory, manifest);\n    checkAge",
        replace: "const leftovers = unlistedSegments(platform, directory, manifest);\n" +
          "    for (const name of leftovers) {\n" +
          '      const handle = platform.open(log.path(name), "read");\n' +
          "      log.adopt(new Segment(readSegmentHeader(handle, name), handle, { endBytes: handle.size(), sealed: true }));\n" +
          "    }\n" +
          "    checkAge",
        killers: [["tests/crash/crash_test.ts", "the process dies at every operation: written records survive"]],
      },
    ],
  },
  {
    sentence: "The switch from inputs to output is one atomic step; everything before and after it can be done again.",
    mutants: [
      {
        id: "manifest-written-in-place",
        file: "src/engine/manifest.ts",
        find: "writeDurably(platform, `${directory}/${MANIFEST_TEMPORARY}`, encodeManifest(manifest));\n" +
          "    platform.rename(`${directory}/${MANIFEST_TEMPORARY}`, `${directory}/${MANIFEST_NAME}`);",
        replace: "writeDurably(platform, `${directory}/${MANIFEST_NAME}`, encodeManifest(manifest));",
        killers: [[
          MANIFEST,
          "manifest: replacing it leaves the old or the new one, whatever fails and whenever the power goes",
        ]],
      },
      {
        id: "half-a-switch",
        file: "src/engine/compactor.ts",
        find: "if (output !== undefined) log.segments.delete(output.number);\n      log.historyFloor = historyFloor;",
        replace: "log.historyFloor = historyFloor;",
        killers: [[
          COMPACTION,
          "compact: a MANIFEST that cannot be replaced rejects with IO, and the inputs count as before",
        ]],
      },
    ],
  },
  {
    sentence:
      "The order is data, directory, manifest, directory, and only then removal; each is durable before the next begins.",
    mutants: [
      {
        id: "no-sync-before-the-rename",
        file: "src/platform/files.ts",
        find: "asSync(path, () => handle.syncDataNow());",
        replace: "asSync(path, () => handle.size());",
        killers: [[
          MANIFEST,
          "manifest: replacing it leaves the old or the new one, whatever fails and whenever the power goes",
        ]],
      },
      {
        id: "no-directory-sync-after-the-rename",
        file: "src/engine/manifest.ts",
        find: '    asSync("the store\'s directory", () => platform.syncDirectory(directory));\n',
        replace: "",
        killers: [[
          MANIFEST,
          "manifest: replacing it leaves the old or the new one, whatever fails and whenever the power goes",
        ]],
      },
      {
        id: "no-directory-sync-for-a-new-segment",
        file: "src/engine/log.ts",
        find: 'asSync("the store\'s directory", () => this.platform.syncDirectory(this.directory));',
        replace: "",
        killers: [[
          "tests/engine/log_test.ts",
          "log: a segment's name and header are durable before the manifest lists it",
        ]],
      },
      {
        id: "copy-not-synced",
        file: "src/engine/copier.ts",
        find: "await this.segment.handle.syncData();",
        replace: "await Promise.resolve();",
        killers: [[COMPACTOR, "compaction: whenever the power goes, the contents are the same"]],
      },
      {
        id: "inputs-removed-before-the-switch",
        file: "src/engine/compactor.ts",
        find: "      log.reserve.lend(0, () => log.replaceManifest({ clean: false }));",
        replace: "      for (const input of this.#inputs) log.platform.remove(log.path(input.name));\n" +
          "      log.replaceManifest({ clean: false });",
        killers: [[COMPACTOR, "compaction: whenever the power goes, the contents are the same"]],
      },
      {
        id: "backup-not-synced",
        file: "src/backup/backup.ts",
        find: "await handle.syncData().catch((error) => Promise.reject(ioError(doing, error)));",
        replace: "await Promise.resolve().catch((error) => Promise.reject(ioError(doing, error)));",
        killers: [["tests/contract/figures.ts", "backup: survives a power cut right after it"]],
      },
      {
        id: "directory-of-a-backup-not-made-durable",
        file: "src/backup/backup.ts",
        find: "if (!isNew) syncAbove(platform, target);",
        replace: "",
        killers: [["tests/contract/figures.ts", "backup: survives a power cut right after it"]],
      },
    ],
  },
  {
    sentence: "Compaction moves an entry of the index only if it still points at the record that was copied.",
    mutants: [
      {
        id: "index-moved-unconditionally",
        file: "src/engine/relocation.ts",
        find: "return this.has(offset) ? this.#list()[this.#rank(offset)]! : 0;",
        replace: "return this.#list()[this.#rank(offset)] ?? 0;",
        killers: [[
          "tests/engine/relocation_test.ts",
          "relocation: each marked place gets its own target, up to the end of the largest segment, and no other",
        ]],
      },
      {
        id: "overwritten-entries-moved",
        file: "src/engine/index.ts",
        find: "const relocation = entries[at + 1] === 0 ? undefined : relocations.get(entries[at + 1]!);",
        replace: "const relocation = entries[at + 1] === 0 ? undefined : [...relocations.values()][0];",
        killers: [[
          "tests/engine/index_test.ts",
          "index: only entries that are still where they were copied from are moved",
        ]],
      },
      {
        id: "rollback-during-a-compaction-ignored",
        file: "src/engine/compactor.ts",
        find: "      this.#host.settle();\n      if (this.#slices",
        replace: "      if (this.#slices",
        killers: [[COMPACTOR, "compaction: what made a record stale must be written before the record goes"]],
      },
    ],
  },
  {
    sentence: "An error in reading an input cancels its removal.",
    mutants: [
      {
        id: "unreadable-rest-given-up",
        file: "src/engine/scan.ts",
        find: "if (cursor.reason !== undefined) throw damaged(segment, cursor.offset, cursor.reason);",
        replace: "",
        killers: [[COMPACTOR, "compaction: damage and failed reads leave the inputs as they are"]],
      },
      {
        id: "damaged-value-given-up",
        file: "src/engine/compactor.ts",
        find: 'if (!isGrave && !cursor.checkValue()) throw damaged(input, cursor.offset, "checksum of a value");',
        replace: "if (!isGrave && !cursor.checkValue()) return;",
        killers: [[COMPACTOR, "compaction: damage and failed reads leave the inputs as they are"]],
      },
      {
        id: "failed-read-taken-for-damage",
        file: "src/engine/cursor.ts",
        find: "throw ioError(`read ${this.#extent.name} at byte ${this.offset}`, error);",
        replace: "if (error === undefined) throw ioError(this.#extent.name, error);",
        killers: [[COMPACTOR, "compaction: damage and failed reads leave the inputs as they are"]],
      },
    ],
  },
  {
    sentence: "A segment stays while an iterator or snapshot needs it, and an abandoned one does not pin it for ever.",
    mutants: [
      {
        id: "segment-removed-under-an-iterator",
        file: "src/engine/engine.ts",
        find: "if (segment.retiredAt >= this.views.oldest) continue;",
        replace: "if (segment.retiredAt > this.views.opened) continue;",
        killers: [["tests/contract/iterators.ts", "iterators: read on across compaction, clear and rotation"]],
      },
      {
        id: "abandoned-iterator-pins-for-ever",
        file: "src/store/reader.ts",
        find: "ABANDONED.register(holder, () => core.release(view), holder);",
        replace: "ABANDONED.register(holder, () => {}, holder);",
        killers: [[
          "tests/contract/garbage.ts",
          "abandoned iterators and snapshots give their files back when they are collected as garbage",
        ]],
      },
    ],
  },
  {
    sentence: "Compaction works in slices of a few milliseconds, and others have their turn in between.",
    mutants: [
      {
        id: "compaction-in-one-go",
        file: "src/engine/scan.ts",
        find: "if (!this.#slices.count(cursor.length, SLICE_BYTES)) continue;",
        replace: "if (cursor.length > 0) continue;",
        killers: [[COMPACTOR, "compaction: works in slices, and others have their turn in between"]],
      },
    ],
  },
];
