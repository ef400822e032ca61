/**
 * A manifest put together from the segments, for a store whose manifest is lost, damaged or older than the segments.
 *
 * @module
 */
import { toHex } from "../bytes.ts";
import { entryOf, type Manifest } from "../engine/manifest.ts";
import { newManifest } from "../store/directory.ts";
import { FLAG_MORE, KIND, readMark } from "../engine/record.ts";
import { Segment, type SegmentHeader, segmentName } from "../engine/segment.ts";
import type { FileHandle, Platform } from "../platform/types.ts";
import type { Problem } from "../types.ts";
import { problemOf } from "./problems.ts";
import { scan } from "./scan.ts";
import { irregularity, openSegmentFile, segmentFiles } from "../store/strays.ts";

/** A segment that the manifest may list. */
interface Candidate {
  header: SegmentHeader;
  segment: Segment;
  /** Whether its last record is a durable mark at that record's place: compaction ends a finished copy with one. */
  isFinished: boolean;
  /** Whether it is intact from its header to the end of the file. */
  isIntact: boolean;
}

/** A manifest that was put together, and what it leaves out. */
export interface Rebuilt {
  manifest: Manifest;
  /** Segments of the store that the manifest leaves out, as other segments replace them. */
  unused: string[];
  /** Files with the name of a segment, but no intact segment header. */
  problems: Problem[];
}

/**
 * Puts a manifest together. It lists the segments of one store: the one that most segments in the directory belong to.
 * An output of a compaction replaces its inputs if it is finished, or if no input is there any more. Otherwise the
 * inputs stay, and it is left out: both together would bring deleted keys back.
 */
export function rebuildManifest(platform: Platform, directory: string): Rebuilt {
  const candidates: Candidate[] = [];
  const problems: Problem[] = [];
  for (const name of segmentFiles(platform, directory)) {
    const file = openSegmentFile(platform, directory, name, true);
    const irregular = irregularity(platform, `${directory}/${name}`);
    if (irregular !== undefined) problems.push(problemOf(name, irregular));
    if (file === undefined) continue;
    const { handle, header } = file;
    try {
      if (typeof header !== "string") {
        if (segmentName(header.number) === name) candidates.push(look(handle, header));
      } else if (handle.size() > 0) problems.push(problemOf(name, header, { offset: 0, length: handle.size() }));
    } finally {
      handle.close();
    }
  }
  const counts = new Map<string, number>();
  for (const { header } of candidates) counts.set(toHex(header.storeId), (counts.get(toHex(header.storeId)) ?? 0) + 1);
  const [id] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [];
  const ours = candidates.filter(({ header }) => toHex(header.storeId) === id);
  const there = new Set(ours.map(({ header }) => header.number));
  // Where an output was torn, and all inputs are there, those have what it lacks.
  const finished = ours.filter(({ header: { inputs }, isFinished, isIntact }) =>
    (isFinished && (isIntact || !inputs.every((one) => there.has(one)))) || !inputs.some((one) => there.has(one))
  );
  const replaced = new Set(finished.flatMap(({ header }) => header.inputs));
  const kept = finished.filter(({ header }) => !replaced.has(header.number));
  const highest = ours.map(({ segment }) => segment.highestSequence).reduce(highestOf, 0);
  const fresh = newManifest();
  const manifest: Manifest = {
    ...fresh,
    storeId: ours[0]?.header.storeId ?? fresh.storeId,
    clean: false,
    nextSegment: ours.flatMap(({ header }) => [header.number, ...header.inputs]).reduce(highestOf, 0) + 1,
    nextSequence: highest + 2 ** 32,
    segments: kept.map(({ segment }) => entryOf(segment)),
  };
  return { manifest, unused: ours.filter((one) => !kept.includes(one)).map(({ segment }) => segment.name), problems };
}

/** The higher of two numbers, for `reduce`: a hostile file may list more than `Math.max` takes arguments. */
export function highestOf(a: number, b: number): number {
  return Math.max(a, b);
}

/** Reads a segment, and finds the end of its last whole record or batch, also after damage. */
function look(handle: FileHandle, header: SegmentHeader): Candidate {
  const segment = new Segment(header, handle, { endBytes: 0, sealed: true });
  segment.endBytes = segment.headerBytes;
  const candidate = { header, segment, isFinished: false, isIntact: true };
  for (const { cursor, isRecord, offset, length, reason } of scan(segment, segment.headerBytes, handle.size())) {
    if (reason !== undefined) candidate.isIntact = false;
    if (!isRecord) continue;
    segment.cover(cursor.sequence);
    if ((cursor.flags & FLAG_MORE) === 0) segment.endBytes = offset + length;
    const mark = cursor.kind === KIND.mark && cursor.loadValue() ? readMark(cursor.view, cursor.at) : undefined;
    candidate.isFinished = mark?.segment === header.number && mark.offset === offset;
  }
  return candidate;
}
