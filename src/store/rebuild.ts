/**
 * A manifest put together from the segments, for a store whose own is lost or damaged.
 *
 * @module
 */
import { toHex } from "../bytes.ts";
import { KvStoreError } from "../errors.ts";
import { type Manifest, newManifest } from "../log/manifest.ts";
import { FLAG_MORE, KIND, readMark } from "../log/record.ts";
import { readSegmentHeader, Segment, type SegmentHeader, segmentName, segmentNumberOf } from "../log/segment.ts";
import type { Platform } from "../platform/types.ts";
import { scan } from "./scan.ts";

/** A segment as it was found. */
interface Candidate {
  header: SegmentHeader;
  /** End of the last whole record or batch. */
  endBytes: number;
  /** Whether it ends with a mark on its own end, as finished copies do. */
  isFinished: boolean;
  lowestSequence: number;
  highestSequence: number;
}

/**
 * Lists the segments of the store that most segments in the directory belong to. An output of a compaction stands for
 * its inputs if it was finished; else the inputs count and it does not: together they would bring deleted keys back.
 */
export function rebuildManifest(platform: Platform, directory: string): Manifest {
  const candidates: Candidate[] = [];
  for (const name of platform.list(directory)) {
    const candidate = segmentNumberOf(name) === undefined ? undefined : look(platform, directory, name);
    if (candidate !== undefined) candidates.push(candidate);
  }
  const counts = new Map<string, number>();
  for (const { header } of candidates) counts.set(toHex(header.storeId), (counts.get(toHex(header.storeId)) ?? 0) + 1);
  const [id] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [];
  if (id === undefined) throw new KvStoreError("CORRUPT", `no segment in ${directory} has an intact header`);
  const ours = candidates.filter(({ header }) => toHex(header.storeId) === id);
  const finished = ours.filter(({ header, isFinished }) => header.inputs.length === 0 || isFinished);
  const replaced = new Set(finished.flatMap(({ header }) => header.inputs));
  const kept = finished.filter(({ header }) => !replaced.has(header.number));
  kept.sort((a, b) => a.header.number - b.header.number);
  const highestNumber = Math.max(...ours.flatMap(({ header }) => [header.number, ...header.inputs]));
  return {
    ...newManifest(),
    storeId: ours[0]!.header.storeId,
    clean: false,
    nextSegment: highestNumber + 1,
    nextSequence: Math.max(0, ...ours.map((one) => one.highestSequence)) + 2 ** 32,
    segments: kept.map(({ header, endBytes, lowestSequence, highestSequence }) => ({
      number: header.number,
      salt: header.salt,
      sealedBytes: endBytes,
      lowestSequence,
      highestSequence,
      cleanAsOf: 0,
    })),
  };
}

function look(platform: Platform, directory: string, name: string): Candidate | undefined {
  const handle = platform.open(`${directory}/${name}`, "read");
  try {
    const header = readSegmentHeader(handle, name);
    if (segmentName(header.number) !== name) return undefined;
    const segment = new Segment(header, handle, { endBytes: handle.size(), sealed: true });
    const candidate = {
      header,
      endBytes: segment.headerBytes,
      isFinished: false,
      lowestSequence: Infinity,
      highestSequence: 0,
    };
    for (const { cursor, isRecord, offset, length } of scan(segment, segment.headerBytes, segment.endBytes)) {
      if (!isRecord) continue;
      segment.cover(cursor.sequence);
      if ((cursor.flags & FLAG_MORE) === 0) candidate.endBytes = offset + length;
      const mark = cursor.kind === KIND.mark && cursor.loadValue() ? readMark(cursor.view, cursor.at) : undefined;
      candidate.isFinished = mark?.segment === header.number && mark.offset === offset;
    }
    candidate.lowestSequence = segment.lowestSequence;
    candidate.highestSequence = segment.highestSequence;
    return candidate;
  } catch (error) {
    if (error instanceof KvStoreError && error.code === "CORRUPT") return undefined;
    throw error;
  } finally {
    handle.close();
  }
}
