/**
 * What a manifest does not account for: segments that it does not list, and records after the end that it records.
 * A crash leaves such files behind. Some of them prove that the manifest is older than the segments beside it.
 *
 * @module
 */
import { sameBytes } from "../bytes.ts";
import { asIo, corrupt, ioError, KvStoreError } from "../errors.ts";
import { type Extent, RecordCursor } from "../engine/cursor.ts";
import { type Manifest, MANIFEST_NAME } from "../engine/manifest.ts";
import { readManifest } from "./directory.ts";
import { readSegmentHeader, type SegmentHeader, segmentName, segmentNumberOf } from "../engine/segment.ts";
import type { FileHandle, Platform } from "../platform/types.ts";

/** An open file that has the name of a segment. */
export interface SegmentFile {
  /** The file, opened through the pool. */
  handle: FileHandle;
  /** The segment header, or what is wrong with it. */
  header: SegmentHeader | string;
}

/**
 * The error for the file of a segment that was there when the store was read, and is gone. Writers remove files only once
 * no manifest lists them. So a file that is still listed is damage. Any other was compacted away by the writer, under a
 * reader that had no descriptor of it at that moment.
 */
export function missingFile(platform: Platform, directory: string, number: number): KvStoreError {
  const name = segmentName(number);
  const manifest = readManifest(platform, directory);
  if (manifest === undefined) return new KvStoreError("NOT_FOUND", `there is no store in ${directory} any more`);
  const isListed = manifest.segments.some((listed) => listed.number === number);
  if (isListed) return corrupt(name, 0, "the file is missing");
  const reason = "the writer has compacted it away; read the store anew (refresh it, or take a new snapshot)";
  return new KvStoreError("TRIMMED", `${name} is gone: ${reason}`);
}

/** The names in a directory that are names of segments, in the order of the segment numbers. */
export function segmentFiles(platform: Platform, directory: string): string[] {
  return segmentsAmong(asIo(`list ${directory}`, () => platform.list(directory)));
}

/** Those of some names that are names of segments, in the order of the segment numbers. */
export function segmentsAmong(names: string[]): string[] {
  const numbers = names.map(segmentNumberOf).filter((number) => number !== undefined);
  return numbers.sort((a, b) => a - b).map(segmentName);
}

/**
 * Opens a file of a store's directory as a segment. Returns `undefined` if there is no regular file of that name.
 * With `isStray` it also returns `undefined` for a segment of a newer format, which would otherwise throw.
 *
 * @throws {KvStoreError} `FORMAT` (unless `isStray`), `IO`
 */
export function openSegmentFile(
  platform: Platform,
  directory: string,
  name: string,
  isStray = false,
): SegmentFile | undefined {
  const path = `${directory}/${name}`;
  let handle: FileHandle | undefined;
  try {
    handle = platform.pool.open(path, () => missingFile(platform, directory, segmentNumberOf(name) ?? 0));
    return { handle, header: readSegmentHeader(handle, name) };
  } catch (error) {
    if (handle !== undefined && error instanceof KvStoreError && error.code === "CORRUPT") {
      return { handle, header: error.reason ?? error.message };
    }
    handle?.close();
    if (platform.isNotFound(error) || irregularity(platform, path) !== undefined) return undefined;
    if (isStray && error instanceof KvStoreError && error.code === "FORMAT") return undefined;
    throw ioError(`open ${name}`, error);
  }
}

/** Says what is in the place of a file if that is not a regular one; `undefined` if it is, or if nothing is there. */
export function irregularity(platform: Platform, path: string): string | undefined {
  const kind = asIo(`look at ${path}`, () => platform.kindOf(path));
  return kind === undefined || kind === "a regular file" ? undefined : `it is ${kind}, not a regular file`;
}

/**
 * The names of this store's segments that its manifest does not list, in the order of their numbers. So an input of a
 * compaction comes before the output whose header names it. Segments of other stores and renamed files are not included:
 * they are not ours to touch. `files` are all names of segments in the directory.
 */
export function unlistedSegments(
  platform: Platform,
  directory: string,
  manifest: Manifest,
  files: string[] = segmentFiles(platform, directory),
): string[] {
  const listed = new Set(manifest.segments.map(({ number }) => number));
  return files.filter((name) => {
    if (listed.has(segmentNumberOf(name)!)) return false;
    const file = openSegmentFile(platform, directory, name, true);
    file?.handle.close();
    if (file === undefined || typeof file.header === "string") return false;
    return segmentName(file.header.number) === name && sameBytes(file.header.storeId, manifest.storeId);
  });
}

/**
 * Throws `CORRUPT` if the manifest is older than the segments beside it, for instance because it was restored from a
 * copy: one of the `unlisted` segments has a number that it has not reserved.
 */
export function checkAge({ nextSegment }: Manifest, unlisted: string[]): void {
  const younger = unlisted.find((name) => segmentNumberOf(name)! >= nextSegment);
  if (younger !== undefined) {
    throw corrupt(MANIFEST_NAME, 44, `it is older than ${younger}: was it put back from a copy?`);
  }
}

/**
 * Throws `CORRUPT` if the manifest is older than the end of its last segment: after a clean close, a record behind the
 * recorded end has a sequence number that had not been given out at that close. A failed append also leaves bytes there,
 * but with a lower sequence number.
 */
export function checkEnd({ clean, mark, nextSequence }: Manifest, last: Extent | undefined): void {
  if (!clean || last === undefined) return;
  const cursor = new RecordCursor(last, mark.offset, last.handle.size());
  if (cursor.next() && cursor.sequence >= nextSequence) {
    throw corrupt(MANIFEST_NAME, 48, `it is older than the end of ${last.name}: was it put back from a copy?`);
  }
}
