/**
 * Breakages of the guarantees about damage, full disks, failed syncs, other writers, hostile and derived files.
 *
 * @module
 */

import { fullDiskPromises } from "./full_disk.ts";
import { lockPromises } from "./locks.ts";
import type { Promised } from "./types.ts";

/** Guarantees 4 and 7 to 10, and what is said below them. */
export const damagePromises: Promised[] = [
  {
    sentence: "A flipped bit never yields a wrong value: every read checks its record.",
    mutants: [
      {
        id: "value-checksum-ignored",
        in: "Engine.#decode",
        find: "if (!isIntact) throw",
        replace: "if (header.length === 0) throw",
        killers: ["open: a damaged value is met where it is read, not at opening"],
      },
      {
        id: "header-checksum-ignored",
        in: "recordIsIntact",
        find: "if (first !== buffer.view.getUint32(at, true) || second",
        replace: "if (second",
        killers: ["get: whichever bit of its record has flipped, it is CORRUPT"],
      },
      {
        id: "key-of-the-record-not-compared",
        in: "Engine.#decode",
        find: "if (!isOfKey) return undefined;",
        replace: "if (!isOfKey && header.length === 0) return undefined;",
        killers: ["an entry of the index that points at the record of another key is CORRUPT, never that one's value"],
      },
      {
        id: "evicted-block-still-found",
        in: "BlockCache.#evict",
        find: "if (cached[block] === place + 1) cached[block] = 0;",
        replace: "",
        killers: ["cache: a block that had to go is not found any more, nor one that was dropped"],
      },
      {
        id: "checksum-not-bound-to-its-place",
        in: "placeSeed",
        find: "return (salt ^ offset) >>> 0;",
        replace: "return (salt ^ (offset & 0)) >>> 0;",
        killers: ["record: a record is worth nothing at another place"],
      },
    ],
  },
  {
    sentence:
      "A full disk or a failed write rejects the calls concerned and nothing else; writing goes on once there is space; " +
      "compaction needs at most one segment of free space (plus MANIFEST; inputs pinned by snapshots stay; a segment " +
      "larger than `segmentBytes` counts as one), so it switches and deletes segment by segment.",
    mutants: [
      {
        id: "earlier-calls-rejected-too",
        in: "Writer.reached",
        find: "return this.#waiters.synced(this.tail.length > 0);",
        replace: "return this.#waiters.synced(true);",
        killers: ["failed append: calls that wait for nothing but the sync of earlier groups do not reject"],
      },
      {
        id: "failed-write-is-final",
        in: "Writer.write",
        find: "return this.refuse(ioError(`append to ${active.name}`, error));",
        replace: "return this.fail(ioError(`append to ${active.name}`, error));",
        killers: [
          "failed append: again and again, then space comes back: what was acknowledged is there, and nothing else",
        ],
      },
      {
        id: "groups-larger-than-a-segment",
        in: "groupOf",
        find: "gains.of([...inputs, next]).outputBytes > segmentBytes",
        replace: "gains.of([...inputs, next]).outputBytes > segmentBytes * 1e9",
        killers: ["choose: a group fits into one new segment"],
      },
      {
        id: "inputs-kept-for-the-end",
        in: "OpenStore.retire",
        find: "this.sweep();",
        replace: "",
        killers: ["deletes and compaction free a disk with one segment's space left"],
      },
    ],
  },
  ...fullDiskPromises,
  {
    sentence: "A failed fsync fails the store.",
    mutants: [
      {
        id: "failed-fsync-acknowledged",
        in: "Writer.#sync",
        find: "for (const waiter of waiters) waiter.reject(log.failure!);",
        replace: "for (const waiter of waiters) waiter.resolve();",
        killers: ["failed fsync: the writes that waited for it and all behind reject with FAILED"],
      },
      {
        id: "failed-fsync-of-the-manifest-forgotten",
        in: "Log.replaceManifest",
        find: "throw this.failIfFinal(error);",
        replace: "throw error;",
        killers: ["log: once an fsync has failed, nothing is written any more, and nothing removed"],
      },
      {
        id: "failed-fsync-of-a-copy-forgotten",
        in: "compactGroup",
        find: "engine.log.failIfFinal(error);",
        replace: "error;",
        killers: ["failed fsync: of the copy that a compaction makes fails the store as well"],
      },
      {
        id: "failed-fsync-of-a-part-of-a-copy-forgotten",
        in: "WriteBehind.syncBehind",
        find: ".catch((error) => this.#failure = error)",
        replace: ".catch(() => {})",
        killers: ["compaction: a failed sync of a part of the copy fails the store, whatever later syncs say"],
      },
    ],
  },
  ...lockPromises,
  {
    sentence: "Hostile files give `CORRUPT` or `FORMAT` in bounded time and memory.",
    mutants: [
      {
        id: "search-without-end",
        in: "RecordCursor.search",
        find: "&& this.#effort > 0; this.offset++) {",
        replace: "&& this.#effort > -1e12; this.offset++) {",
        killers: ["cursor: a hostile file costs bounded time"],
      },
      {
        id: "image-size-trusted",
        in: "ImageReader.read",
        find: "if (!(start + length <= this.#fileBytes) || !Number.isInteger(Math.log2(slots))) return undefined;",
        replace: "if (length > 2 ** 33) return undefined;",
        killers: ["image: numbers in the footer ask for no more memory than there is file"],
      },
      {
        id: "unknown-feature-ignored",
        in: "decodeManifest",
        find: "if (version !== FORMAT_VERSION || features !== 0) {",
        replace: "if (version !== FORMAT_VERSION) {",
        killers: ["manifest: an unknown version or feature is FORMAT"],
      },
      {
        id: "newer-segment-read",
        in: "readSegmentHeader",
        find: "if (version !== FORMAT_VERSION) {",
        replace: "if (version < FORMAT_VERSION) {",
        killers: ["segment: a newer version is FORMAT, and no count of inputs asks for memory"],
      },
      {
        id: "contradictions-in-the-manifest",
        in: "decodeManifest",
        find: "checkManifest(manifest);",
        replace: "",
        killers: ["manifest: numbers that contradict one another are CORRUPT, whatever the checksum says"],
      },
      {
        id: "problems-listed-without-end",
        in: "list",
        find: "if (problems.length < MAX_LISTED) return void problems.push(problem);",
        replace: "if (problems.length >= 0) return void problems.push(problem);",
        killers: [
          "problems: a forged manifest of missing segments is reported in bounded lists, with a listing or two",
        ],
      },
      {
        id: "missing-segments-opened-one-by-one",
        in: "openListed",
        find: "let file = files.names.has(name) ? openSegmentFile(platform, directory, name) : undefined;",
        replace: "let file = openSegmentFile(platform, directory, name);",
        killers: [
          "problems: a forged manifest of missing segments is reported in bounded lists, with a listing or two",
        ],
      },
      {
        id: "more-segments-written-than-read",
        in: "replacementBy",
        find: "if (segments.length > MAX_SEGMENTS) throw",
        replace: "if (segments.length > 2 * MAX_SEGMENTS) throw",
        killers: ["manifest: as many segments are written as are read again; at the bound it is as on a full disk"],
      },
    ],
  },
  {
    sentence:
      "Nothing outside the directory is read, written or created through hostile files, and no call waits for one.",
    mutants: [
      {
        id: "link-followed-by-node",
        in: "openUnfollowed",
        find: "flags | O_NOFOLLOW | O_NONBLOCK",
        replace: "flags | O_NONBLOCK",
        killers: ["… no file that is not a regular one, follows no link, and waits for none"],
      },
      {
        id: "fifo-taken-for-a-file",
        in: "openRegular",
        find: "if (fs.fstatSync(descriptor).isFile()) return descriptor;",
        replace: "if (descriptor > 0) return descriptor;",
        killers: ["… no file that is not a regular one, follows no link, and waits for none"],
      },
      {
        id: "link-followed-by-deno",
        in: "regularAt",
        find: "if (!found.isFile) throw exchanged(path);",
        replace: "",
        killers: ["… no file that is not a regular one, follows no link, and waits for none"],
      },
      {
        id: "repair-into-a-link",
        in: "planMoves",
        find: 'if (folderKind !== undefined && folderKind !== "a directory") {',
        replace: 'if (folderKind === "a regular file") {',
        killers: ["repair writes nowhere but into a directory named damaged"],
      },
      {
        id: "dry-run-with-the-lock",
        in: "repairOn",
        find: "if (options.dryRun === true) return await planRepair(platform, directory, options);",
        replace: "if (options.dryRun === true) takeLock(platform, directory).release();\n" +
          "  if (options.dryRun === true) return await planRepair(platform, directory, options);",
        killers: ["a dry run writes nothing at all, whatever it finds"],
      },
    ],
  },
  {
    sentence: "Derived files (index images, hints) may be deleted, stale, swapped or damaged: contents are the same.",
    mutants: [
      {
        id: "image-of-another-store-taken",
        in: "fits",
        find: "about.storeId !== toHex(log.storeId) ||",
        replace: "",
        killers: ["image file: an image fits only the log that it was made of, at that time or later"],
      },
      {
        id: "image-of-a-later-state-taken",
        in: "fits",
        find: "about.generation > manifest.generation ||",
        replace: "",
        killers: ["image file: an image fits only the log that it was made of, at that time or later"],
      },
      {
        id: "stale-image-not-caught-up-with",
        in: "catchUp",
        find: "= replay(index, log.segments, known);",
        replace: "= known === undefined ? replay(index, log.segments) : { highest: known.sequence, records: 0 };",
        killers: ["derived files: deleted, damaged or stale, the contents are the same"],
      },
      {
        id: "image-of-unsynced-records",
        in: "writeImage",
        find: "await store.writer!.syncAll();",
        replace: 'await store.writer!.reached("sync");',
        killers: ["image file: so is a mark that nobody waits for"],
      },
      {
        id: "order-that-lacks-keys-which-come-back",
        in: "writeImage",
        find: "log.replaceManifest({ clean: false, prepared });",
        replace: "if (log.active !== undefined) log.replaceManifest({ clean: false, prepared });",
        killers: [
          "image file: keys that its order lacks, as a clock was ahead, have expired for good, also where nothing is written to",
        ],
      },
    ],
  },
  {
    sentence: "Guarantees 2 and 5 hold for crashes; salvage of damaged files says where it could not keep them.",
    mutants: [
      {
        id: "salvage-revives-older-values",
        in: "copyIntact",
        find: "else copier.bury(cursor);",
        replace: "",
        killers: [
          "repairStore: keeps what is readable, lists what is lost, moves the damaged file aside, revives nothing older",
        ],
      },
      {
        id: "salvage-hides-gaps",
        in: "reportOf",
        find: "lostSequences: found.lostSequences,",
        replace: "lostSequences: [],",
        killers: ["repairStore: of a damaged header it names the sequence numbers that are missing"],
      },
      {
        id: "salvage-takes-inputs-and-output",
        in: "rebuildManifest",
        find: "const kept = finished.filter(({ header }) => !replaced.has(header.number));",
        replace: "const kept = finished.filter(({ header }) => replaced.size >= 0 || header.number === 0);",
        killers: ["rebuild: without a manifest, a finished copy stands for its inputs, and brings no deleted key back"],
      },
    ],
  },
  {
    sentence: "Not promised: disks that lie about syncing, network file systems, sync folders.",
    none: "it says what is not promised",
  },
];
