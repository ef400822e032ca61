/**
 * The file of a segment: opened as the manifest lists it, or created.
 *
 * @module
 */
import { sameBytes } from "../bytes.ts";
import { corrupt, ioError } from "../errors.ts";
import type { FileHandle, Platform } from "../platform/types.ts";
import type { LogPlace } from "./log.ts";
import type { Manifest, ManifestSegment } from "./manifest.ts";
import { readSegmentHeader, Segment, type SegmentHeader, segmentName } from "./segment.ts";

/** Opens the segments that the manifest lists, all or none. Those in `open` are open already. */
export function openSegments(
  place: LogPlace,
  manifest: Manifest,
  open: ReadonlyMap<number, Segment> = new Map(),
): Segment[] {
  const segments: Segment[] = [];
  try {
    for (const listed of manifest.segments) {
      segments.push(open.get(listed.number) ?? openSegment(place, listed, manifest));
    }
    return segments;
  } catch (error) {
    for (const { number, handle } of segments) if (!open.has(number)) handle.close();
    throw error;
  }
}

function openSegment(place: LogPlace, listed: ManifestSegment, manifest: Manifest): Segment {
  const name = segmentName(listed.number);
  const { platform, directory, lock } = place;
  const path = `${directory}/${name}`;
  const sealed = listed.sealedBytes > 0;
  const missing = () => place.missing?.(listed.number) ?? corrupt(name, 0, "the file is missing");
  let handle: FileHandle;
  try {
    handle = sealed || lock === undefined
      ? platform.pool.open(path, missing)
      : platform.pool.keep(platform.open(path, "write"), path, missing);
  } catch (error) {
    if (platform.isNotFound(error)) throw corrupt(name, 0, "the file is missing");
    throw ioError(`open ${name}`, error);
  }
  try {
    const header = readSegmentHeader(handle, name);
    const isOurs = header.number === listed.number && header.salt === listed.salt;
    if (!isOurs || !sameBytes(header.storeId, manifest.storeId)) {
      throw corrupt(name, 0, "the segment header is that of another file");
    }
    const endBytes = sealed ? listed.sealedBytes : manifest.mark.offset;
    if (handle.size() < endBytes) {
      throw corrupt(name, handle.size(), `the file ends before its recorded end at ${endBytes}`);
    }
    const segment = new Segment(header, handle, { endBytes, sealed });
    segment.lowestSequence = listed.lowestSequence;
    segment.highestSequence = listed.highestSequence;
    segment.cleanAsOf = listed.cleanAsOf;
    return segment;
  } catch (error) {
    handle.close();
    throw error;
  }
}

/** Creates the empty file of a new segment. Returns `undefined` if there is a file of that name already. */
export function createSegmentFile(platform: Platform, directory: string, header: SegmentHeader): Segment | undefined {
  const name = segmentName(header.number);
  const path = `${directory}/${name}`;
  try {
    const handle = platform.pool.keep(
      platform.open(path, "create"),
      path,
      () => corrupt(name, 0, "the file is missing"),
    );
    return new Segment(header, handle, { endBytes: 0, sealed: false });
  } catch (error) {
    if (platform.isAlreadyThere(error)) return undefined;
    throw ioError(`create ${name}`, error);
  }
}
