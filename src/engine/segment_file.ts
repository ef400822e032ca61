/**
 * The file of a segment: opened as the manifest lists it, or created.
 *
 * @module
 */
import { sameBytes } from "../bytes.ts";
import { corrupt, ioError } from "../errors.ts";
import type { FileHandle, OpenMode } from "../platform/types.ts";
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
  const sealed = listed.sealedBytes > 0;
  let handle: FileHandle;
  try {
    handle = openFile(place, listed.number, sealed || place.lock === undefined ? "read" : "write");
  } catch (error) {
    if (place.platform.isNotFound(error)) throw corrupt(name, 0, "the file is missing");
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
    const { lowestSequence, highestSequence, currentAsOf } = listed;
    const counts = { lowestSequence, highestSequence, currentAsOf };
    return Object.assign(new Segment(header, handle, { endBytes, sealed }), counts);
  } catch (error) {
    handle.close();
    throw error;
  }
}

/** Where the files of segments are. */
type FilePlace = Pick<LogPlace, "platform" | "directory" | "missing">;

/** Creates the empty file of a new segment. Returns `undefined` if there is a file of that name already. */
export function createSegmentFile(place: FilePlace, header: SegmentHeader): Segment | undefined {
  try {
    return new Segment(header, openFile(place, header.number, "create"), { endBytes: 0, sealed: false });
  } catch (error) {
    if (place.platform.isAlreadyThere(error)) return undefined;
    throw ioError(`create ${segmentName(header.number)}`, error);
  }
}

/** Opens a file through the pool. One that is written to keeps its descriptor until it is sealed. */
function openFile({ platform, directory, missing }: FilePlace, number: number, mode: OpenMode): FileHandle {
  const path = `${directory}/${segmentName(number)}`;
  const error = () => missing?.(number) ?? corrupt(segmentName(number), 0, "the file is missing");
  return mode === "read" ? platform.pool.open(path, error) : platform.pool.keep(platform.open(path, mode), path, error);
}
