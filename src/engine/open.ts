/**
 * Opening: from a directory to a log and an index that agree. The writer takes the lock, finds out what a crash left,
 * brings it into order, and builds the index; readers do the same without changing anything.
 *
 * @module
 */
import { asIo, asSync, isDiskFull } from "../errors.ts";
import { type Index, PARTITIONS, type ReadIndex } from "./index.ts";
import type { OpenedIndex, OpeningParts } from "./interfaces.ts";
import { Relocation } from "../relocation.ts";
import { SegmentCopier } from "./copier.ts";
import { RecordCursor } from "./cursor.ts";
import { Log } from "./log.ts";
import type { Manifest } from "./manifest.ts";
import { findTail, type Tail } from "./recovery.ts";
import { KIND } from "./record.ts";
import { type Segment, SEGMENT_HEADER_BYTES } from "./segment.ts";
import { openSegments } from "./segment_file.ts";
import { readUpTo, removeIfThere, writeAll } from "../platform/files.ts";
import type { Lock, Platform } from "../platform/types.ts";
import type { Recovery } from "../types.ts";

/** Sequence numbers skipped after a crash: nobody may meet one again that a reader saw and the crash lost. */
const SEQUENCE_SKIP = 2 ** 32;
/** A tail is written over itself in pieces of this size. */
const PIECE_BYTES = 1024 * 1024;

/** A log with its index. */
export interface Opened extends OpenedIndex {
  /** The manifest that was found. */
  manifest: Manifest;
  /** The log. */
  log: Log;
  /** What recovery did. */
  recovery: Recovery;
}

/** Opens a store for writing; the lock is held. */
export function openWriter(
  platform: Platform,
  directory: string,
  manifest: Manifest,
  lock: Lock,
  { openIndex, findLeftovers }: OpeningParts,
): Opened {
  // The last replacement of the manifest may have been cut off before its directory sync: what we go by must last
  // before anything is acknowledged, or removed, because of it.
  asSync("the store's directory", () => platform.syncDirectory(directory));
  const place = { platform, directory, lock };
  const log = new Log(place, manifest, openSegments(place, manifest));
  const last = log.active;
  let index: ReadIndex | undefined;
  try {
    log.reserve.find();
    const leftovers = findLeftovers(platform, directory, manifest);
    const tail = last === undefined || manifest.clean ? undefined : findTail(last, manifest.mark.offset);
    if (last !== undefined && tail !== undefined) last.endBytes = tail.endBytes;
    const hasTail = tail !== undefined && tail.records > 0;
    const built = openIndex(log, manifest);
    index = built.index;
    if (hasTail) index.changeable();
    // All that this needs has been read: what is refused for damage has been left as it is.
    for (const name of leftovers) {
      asIo(`remove ${name}`, () => removeIfThere(platform, log.path(name)));
    }
    if (!manifest.clean) {
      log.nextSequence += SEQUENCE_SKIP;
      log.checkSequence();
    }
    if (last !== undefined && tail !== undefined) recoverTail(log, built.index, { last, tail });
    if (last !== undefined && manifest.clean) {
      // Bytes behind the end that a clean close recorded are those of a failed append: nothing may ever take them for
      // records.
      if (asIo(`read the size of ${last.name}`, () => last.handle.size()) > last.endBytes) log.sealActive();
      else log.resume();
    }
    log.restoreReserve();
    return { log, manifest, ...built, recovery: recoveryOf(manifest, last, tail) };
  } catch (error) {
    index?.close();
    log.closeFiles();
    throw error;
  }
}

/** What there is to know of a segment that was not closed cleanly. */
interface Unclean {
  last: Segment;
  /** What was found behind its durable mark. */
  tail: Tail;
}

/**
 * Seals a segment that was not closed cleanly, and makes what is intact behind its durable mark durable: what the page
 * cache showed us may never have reached the disk, and nothing may ever be appended behind bytes of unknown worth.
 */
function recoverTail(log: Log, index: ReadIndex, unclean: Unclean): void {
  if (unclean.tail.records > 0) {
    try {
      return moveTail(log, index.changeable(), unclean);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      rewriteTail(unclean);
    }
  }
  log.sealActive();
}

/**
 * Copies the tail to a new segment, seals the old one at its mark, and goes on in the new one. Until the copy is durable
 * the manifest says what it said before, also where it is replaced to reserve a number.
 */
function moveTail(log: Log, index: Index, { last, tail }: Unclean): void {
  const copier = new SegmentCopier(log, log.reserve.lend(SEGMENT_HEADER_BYTES, () => log.createSegment()));
  const fresh = copier.segment;
  const relocation = new Relocation(tail.endBytes);
  const relocations = new Map([[last.number, relocation]]);
  const { highestSequence, markBytes } = last;
  let leftBytes = 0;
  try {
    for (let number = 0; number < PARTITIONS; number++) index.mark(number, relocations);
    const cursor = new RecordCursor(last, tail.markBytes, tail.endBytes);
    while (cursor.next()) {
      if (cursor.kind === KIND.mark) leftBytes += cursor.length;
      if (cursor.kind === KIND.mark || !cursor.loadValue()) continue;
      const target = copier.copy(cursor);
      if (relocation.has(cursor.offset)) relocation.move(cursor.offset, target);
    }
    copier.finishNow();
    last.endBytes = tail.markBytes;
    last.highestSequence = Math.min(highestSequence, fresh.lowestSequence - 1);
    last.markBytes -= leftBytes;
    log.reserve.lend(0, () => log.continueIn(fresh));
  } catch (error) {
    last.endBytes = tail.endBytes;
    last.highestSequence = highestSequence;
    last.markBytes = markBytes;
    log.giveUp(fresh);
    throw error;
  }
  for (let number = 0; number < PARTITIONS; number++) {
    fresh.liveBytes += index.relocate(number, relocations, fresh.number).bytes;
  }
  last.liveBytes -= fresh.liveBytes;
  last.tombstoneBytes -= fresh.tombstoneBytes;
}

/**
 * Makes the tail durable where it is, for a disk with no room for a copy: writes the very bytes that were read over
 * themselves, which takes none, and syncs them. Afterwards the segment can be sealed at the end of the tail.
 *
 * A crash in the midst changes nothing: at each byte there is what was there before, or the same once more. Nor do
 * readers see a difference, and nothing is appended or cut. Should an earlier sync have failed, the pages count as clean
 * though the disk does not have them: written again, they are dirty, and this sync is about them.
 */
function rewriteTail({ last, tail }: Unclean): void {
  for (let at = tail.markBytes; at < tail.endBytes; at += PIECE_BYTES) {
    const bytes = readUpTo(last.handle, Math.min(PIECE_BYTES, tail.endBytes - at), at);
    asIo(`write ${last.name}`, () => writeAll(last.handle, bytes, at));
  }
  asSync(last.name, () => last.handle.syncDataNow());
}

/** What recovery did, for the caller of `open`. */
export function recoveryOf(manifest: Manifest, last: Segment | undefined, tail: Tail | undefined): Recovery {
  const recovery: Recovery = {
    clean: manifest.clean,
    discardedBytes: tail === undefined ? 0 : tail.fileBytes - tail.endBytes,
    discardedRecords: tail?.discardedRecords ?? 0,
    recoveredRecords: tail?.records ?? 0,
  };
  if (last !== undefined && tail?.reason !== undefined) {
    recovery.segment = last.name;
    recovery.reason = tail.reason;
  }
  return recovery;
}
