/**
 * Files that a manifest does not account for: segments that it does not list, and records behind the end that it gives.
 * Left-over files are ordinary; some prove that the manifest is older than the files.
 *
 * @module
 */
import { toHex } from "../bytes.ts";
import { asIo, corrupt, ioError, KvStoreError } from "../errors.ts";
import { RecordCursor } from "../engine/cursor.ts";
import { type Manifest, MANIFEST_NAME, missingFile } from "../engine/manifest.ts";
import { readSegmentHeader, type SegmentHeader, segmentName, segmentNumberOf } from "../engine/segment.ts";
import type { FileHandle, Platform } from "../platform/types.ts";

/** A file opened as a segment's. */
export interface SegmentFile {
  /** In the pool. */
  handle: FileHandle;
  /** Its header, or what is wrong with it. */
  header: SegmentHeader | string;
}

/** Names of the files of a directory that have the name of a segment, in the order of their numbers. */
export function segmentFiles(platform: Platform, directory: string): string[] {
  const names = asIo(`list ${directory}`, () => platform.list(directory));
  const numbers = names.map(segmentNumberOf).filter((number) => number !== undefined);
  return numbers.sort((a, b) => a - b).map(segmentName);
}

/**
 * Opens a file of a store's directory as a segment's. `undefined` where there is none, or a directory; of strays also
 * if it has a newer format.
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
    if (platform.isNotFound(error) || isDirectory(platform, path)) return undefined;
    if (isStray && error instanceof KvStoreError && error.code === "FORMAT") return undefined;
    throw ioError(`open ${name}`, error);
  }
}

/** Whether there is a directory at a path. */
export function isDirectory(platform: Platform, path: string): boolean {
  try {
    platform.list(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Names of the segments of this store that its manifest does not list, in the order of their numbers: an input of a
 * compaction comes before the output that tells what it was. Whatever is not a segment of this store under its own name
 * is a stray, and none of our business.
 */
export function unlistedSegments(platform: Platform, directory: string, manifest: Manifest): string[] {
  const listed = new Set(manifest.segments.map(({ number }) => segmentName(number)));
  return segmentFiles(platform, directory).filter((name) => {
    if (listed.has(name)) return false;
    const file = openSegmentFile(platform, directory, name, true);
    file?.handle.close();
    if (file === undefined || typeof file.header === "string") return false;
    return segmentName(file.header.number) === name && toHex(file.header.storeId) === toHex(manifest.storeId);
  });
}

/**
 * Refuses a manifest that is older than the files, put back from a copy, say. `unlisted` are the segments that it does
 * not list: one with a number that it has not reserved was created later. And so was a record that lies behind the end
 * of a clean close with a sequence number that had not been given out by then; what a failed append leaves there has a
 * lower one.
 */
export function checkAge(platform: Platform, directory: string, manifest: Manifest, unlisted: string[]): void {
  const { mark, nextSegment, nextSequence, segments, clean } = manifest;
  const younger = unlisted.find((name) => segmentNumberOf(name)! >= nextSegment);
  if (younger !== undefined) {
    throw corrupt(MANIFEST_NAME, 44, `it is older than ${younger}: was it put back from a copy?`);
  }
  const last = clean ? segments.find(({ sealedBytes }) => sealedBytes === 0) : undefined;
  if (last === undefined) return;
  const name = segmentName(last.number);
  const file = openSegmentFile(platform, directory, name);
  if (file === undefined) return;
  try {
    const cursor = new RecordCursor({ handle: file.handle, name, salt: last.salt }, mark.offset, file.handle.size());
    if (cursor.next() && cursor.sequence >= nextSequence) {
      throw corrupt(MANIFEST_NAME, 48, `it is older than the end of ${name}: was it put back from a copy?`);
    }
  } finally {
    file.handle.close();
  }
}
