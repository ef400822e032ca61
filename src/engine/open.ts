/**
 * Opening: from a directory to a log and an index that agree. The writer finds what a crash has left, builds the index,
 * and makes recovered records durable. Readers find the same records and change nothing.
 *
 * @module
 */
import { asFsync, asIo, isDiskFull } from "../errors.ts";
import type { Index } from "./index.ts";
import type { OpenedIndex, OpeningParts } from "./interfaces.ts";
import { SegmentCopier } from "./copier.ts";
import { RecordCursor } from "./cursor.ts";
import { Log, type LogPlace } from "./log.ts";
import type { Manifest } from "./manifest.ts";
import { type RecoveredEnd, recoverEnd } from "./recovery.ts";
import { formOf, type KeyRef } from "./partition.ts";
import { KIND } from "./record.ts";
import { openSegments } from "./segment_file.ts";
import { removeIfThere, rewriteDurably } from "../platform/files.ts";
import type { Recovery } from "../types.ts";

/**
 * Sequence numbers that are skipped after a crash. A reader may have seen some that the crash lost; none is used twice.
 */
const SEQUENCE_SKIP = 2 ** 32;

/** What opening a store gives: a log with its index. */
export interface Opened extends OpenedIndex {
  /** The manifest that was found. */
  manifest: Manifest;
  /** The log. */
  log: Log;
  /** What recovery did. */
  recovery: Recovery;
}

/** Opens a store for writing; `place` has its lock. */
export function openWriter(
  place: LogPlace,
  manifest: Manifest,
  { openIndex, findLeftovers, report }: OpeningParts,
): Opened {
  const { platform, directory } = place;
  const log = new Log(place, manifest, openSegments(place, manifest));
  const last = log.active;
  let built: OpenedIndex | undefined;
  try {
    log.reserve.find();
    const leftovers = findLeftovers(log, manifest);
    const end = recoverLast(log, manifest);
    const recovery = report(manifest, end);
    built = openIndex(log, manifest);
    // Only from here on is the directory changed. Who takes the lock after this look begins above the numbers that this
    // manifest has reserved, so none of the leftovers is theirs.
    log.checkLock();
    // The last replacement of the manifest may have been cut off before its directory sync. The manifest that we go by
    // must be durable before anything is removed because of it. Before anything is written it is replaced durably.
    if (leftovers.length > 0) asFsync("the store's directory", () => platform.syncDirectory(directory));
    for (const name of leftovers) {
      asIo(`remove ${name}`, () => removeIfThere(platform, log.path(name)));
    }
    if (!manifest.clean) {
      log.nextSequence += SEQUENCE_SKIP;
      log.checkSequence();
    }
    if (end !== undefined) keepRecovered(log, built.index, end);
    else if (last !== undefined) {
      // Bytes after the end that a clean close recorded are those of a failed append. They must never count as records.
      if (asIo(`read the size of ${last.name}`, () => last.handle.size()) > last.endBytes) log.sealActive();
      else log.resume();
    }
    log.restoreReserve();
    return { log, manifest, ...built, recovery };
  } catch (error) {
    built?.index.close();
    log.closeFiles();
    throw error;
  }
}

/** Finds the end of the active segment, unless a clean close recorded it. */
export function recoverLast(log: Log, { clean, mark }: Manifest): RecoveredEnd | undefined {
  const { active } = log;
  if (active === undefined || clean) return undefined;
  const end = recoverEnd(active, { markOffset: mark.offset });
  active.endBytes = end.endBytes;
  log.noteSynced(end.markOffset);
  return end;
}

/**
 * Seals a segment that was not closed cleanly, and makes the records after its durable mark durable. They may have been
 * read from the page cache without ever reaching the disk. Nothing is appended after bytes that do not count.
 */
function keepRecovered(log: Log, index: Index, end: RecoveredEnd): void {
  if (end.records > 0) {
    try {
      return copyRecovered(log, index, end);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      // A crash on the way changes nothing, since every byte stays what it was. Readers see no difference.
      rewriteDurably(end.segment.name, end.segment.handle, end.markOffset, end.endBytes);
    }
  }
  log.sealActive();
}

/**
 * Copies the records after the mark to a new segment, seals the old one at the mark, and goes on in the new one. Until
 * the copy is durable, the manifest lists the old one as not closed, also if it is replaced to reserve a number.
 */
function copyRecovered(log: Log, index: Index, end: RecoveredEnd): void {
  const { segment: last } = end;
  const copier = new SegmentCopier(log);
  const fresh = copier.segment;
  const { endBytes, highestSequence, markBytes } = last;
  const moves: [KeyRef, number][] = [];
  let omittedBytes = 0;
  try {
    const cursor = new RecordCursor(last, end.markOffset, end.endBytes);
    while (cursor.next()) {
      if (cursor.kind === KIND.mark) omittedBytes += cursor.length;
      if (cursor.kind === KIND.mark || !cursor.loadValue()) continue;
      const ref = index.refAt(cursor.key, last.number, cursor.offset);
      const target = copier.copy(cursor);
      if (ref !== undefined) moves.push([ref, target]);
    }
    copier.end().finishNow();
    log.syncNamesNow();
    last.endBytes = end.markOffset;
    last.highestSequence = Math.min(highestSequence, fresh.lowestSequence - 1);
    last.markBytes -= omittedBytes;
    log.reserve.lend(0, () => log.continueIn(fresh));
  } catch (error) {
    Object.assign(last, { endBytes, highestSequence, markBytes });
    log.discardNow(fresh);
    throw error;
  }
  for (const [ref, target] of moves) {
    index.look(ref);
    index.point(ref, fresh.number, target, formOf(index.length, index.isString), index.expiresAt);
    fresh.liveBytes += index.length;
  }
  last.liveBytes -= fresh.liveBytes;
  last.tombstoneBytes -= fresh.tombstoneBytes;
}
