/**
 * Supplies the engine with what the features do when a store is opened.
 *
 * @module
 */
import { checkAge, checkEnd, segmentsAmong, unlistedSegments } from "./strays.ts";
import { RecordCursor } from "../engine/cursor.ts";
import { asIo } from "../errors.ts";
import type { OpeningParts } from "../engine/interfaces.ts";
import type { Log } from "../engine/log.ts";
import type { Manifest } from "../engine/manifest.ts";
import { KIND } from "../engine/record.ts";
import type { RecoveredEnd } from "../engine/recovery.ts";
import { IMAGE_FORMER, IMAGE_TEMPORARY } from "../image/image.ts";
import { openIndex } from "../lazy_index/open_index.ts";
import { RESERVE_TEMPORARY } from "../platform/reserve.ts";
import type { Recovery } from "../types.ts";

/** Finds files that a crash may have left. See `OpeningParts`. */
function findLeftovers({ platform, directory, active }: Log, manifest: Manifest): string[] {
  const names = asIo(`list ${directory}`, () => platform.list(directory));
  const unlisted = unlistedSegments(platform, directory, manifest, segmentsAmong(names));
  checkAge(manifest, unlisted);
  checkEnd(manifest, active);
  const derived = [IMAGE_TEMPORARY, IMAGE_FORMER, RESERVE_TEMPORARY].filter((name) => names.includes(name));
  return [...derived.filter((name) => platform.kindOf(`${directory}/${name}`) !== "a directory"), ...unlisted];
}

/** What recovery does. See `OpeningParts`. */
function report({ clean }: Manifest, end: RecoveredEnd | undefined): Recovery {
  if (end === undefined) return { clean, discardedBytes: 0, discardedRecords: 0, recoveredRecords: 0 };
  const { segment, endBytes, fileBytes, records, reason } = end;
  return {
    clean,
    discardedBytes: fileBytes - endBytes,
    discardedRecords: countDiscarded(end),
    recoveredRecords: records,
    ...(reason === undefined ? {} : { segment: segment.name, reason }),
  };
}

/** Counts the intact records after the end: those of a batch that was cut off, and those after a bad byte. */
export function countDiscarded({ segment, endBytes, fileBytes }: RecoveredEnd): number {
  let count = 0;
  const cursor = new RecordCursor(segment, endBytes, fileBytes);
  while (cursor.next() && cursor.checkValue()) count++;
  for (let from = cursor.offset + 1; cursor.search(from, { marksOnly: false }); from = cursor.offset + cursor.length) {
    if (cursor.kind !== KIND.mark) count++;
  }
  return count;
}

/** What the engine calls when it opens a store. */
export const OPENING: OpeningParts = { openIndex, findLeftovers, report };
