/**
 * Backup: copies a store while it is in use.
 *
 * @module
 */
import { asFsync, asIo, corrupt, KvStoreError } from "../errors.ts";
import { MANIFEST_NAME } from "../engine/manifest.ts";
import { writeManifest } from "../engine/manifest_file.ts";
import type { Segment } from "../engine/segment.ts";
import { readUpTo, removeIfThere, writeAll } from "../platform/files.ts";
import type { FileHandle, Platform } from "../platform/types.ts";
import type { WorkOptions } from "../types.ts";
import type { Slices } from "../platform/turn.ts";
import type { OpenStore } from "../store/open_store.ts";
import { ensureDirectory, syncAbove } from "../store/directory.ts";
import { isIncidental } from "../store/names.ts";
import { checkNames } from "../store/options.ts";
import { scan, slicesFor } from "../check/scan.ts";

/**
 * Copies the segments byte for byte, checks every record, and writes the manifest last: a copy without one never opens.
 * The copy holds everything written before the call. A view keeps the segments until it is made. If the backup fails,
 * it removes what it has copied.
 */
export async function backupStore(store: OpenStore, destination: string, options: WorkOptions): Promise<void> {
  checkNames("backup", options, ["onProgress", "signal"]);
  store.checkOpen();
  const { log } = store;
  const platform = log.platform.outside ?? log.platform;
  const target = platform.absolute(destination);
  // What is pending has its place in a segment that may not be listed yet.
  const failure = store.writer?.write();
  if (failure !== undefined) throw failure;
  const found = ensureDirectory(platform, target);
  const isNew = found === undefined;
  const first = found?.find((name) => !isIncidental(name));
  if (first !== undefined) {
    const advice = "if an interrupted backup left it there, remove it";
    throw new KvStoreError("IO", `a backup needs an empty directory; ${target} holds ${first} (${advice})`);
  }
  const view = store.openView();
  const made: string[] = [];
  try {
    // All ends at one moment.
    const segments = Array.from(log.segments.values(), (segment) => ({ segment, endBytes: segment.endBytes }))
      .filter(({ segment, endBytes }) => endBytes > segment.headerBytes);
    const last = segments.find(({ segment }) => !segment.sealed);
    const mark = { segment: last?.segment.number ?? 0, offset: last?.endBytes ?? 0 };
    const present = log.describe();
    const listed = present.segments.filter(({ number }) => segments.some(({ segment }) => segment.number === number));
    const manifest = { ...present, mark, segments: listed };
    await store.writer?.reached("sync");
    const slices = slicesFor(
      options,
      segments.reduce((sum, { endBytes }) => sum + endBytes, 0),
      () => store.checkOpen(),
    );
    for (const { segment, endBytes } of segments) {
      store.checkOpen();
      const path = `${target}/${segment.name}`;
      const handle = asIo(`create ${path}`, () => platform.open(path, "create"));
      made.push(segment.name);
      await copySegment(segment, endBytes, handle, slices);
    }
    asFsync(target, () => platform.syncDirectory(target));
    if (!isNew) syncAbove(platform, target);
    made.push(`${MANIFEST_NAME}.tmp`, MANIFEST_NAME);
    writeManifest({ platform, directory: target, lock: undefined }, manifest);
  } catch (error) {
    removeCopy(platform, target, { isNew, made });
    // If the copy could not be synced, the store has not failed.
    const isOurs = log.failure !== undefined || !(error instanceof KvStoreError) || error.code !== "FAILED";
    throw isOurs ? error : new KvStoreError("IO", `cannot make ${target} durable: ${error.message}`, { cause: error });
  } finally {
    store.release(view);
  }
}

/** Removes the files of a copy, and nothing else: another backup may be writing to the same directory. */
function removeCopy(platform: Platform, target: string, { isNew, made }: { isNew: boolean; made: string[] }): void {
  try {
    // The manifest first: a copy without one never opens.
    for (const name of made.reverse()) removeIfThere(platform, `${target}/${name}`);
    if (isNew) platform.removeDirectory(target);
  } catch {
    // Files that cannot be removed stay: the caller needs the error of the backup more than this one.
  }
}

/** Copies a segment up to `endBytes`, and syncs the copy. Throws `CORRUPT` if a record is damaged. */
async function copySegment(segment: Segment, endBytes: number, handle: FileHandle, slices: Slices): Promise<void> {
  const doing = `copy ${segment.name} to the backup`;
  try {
    asIo(doing, () => writeAll(handle, readUpTo(segment.handle, segment.headerBytes, 0), 0));
    for (const { cursor, isRecord, offset, length, reason } of scan(segment, segment.headerBytes, endBytes)) {
      if (!isRecord || reason !== undefined) throw corrupt(segment.name, offset, reason ?? "no record");
      asIo(doing, () => writeAll(handle, cursor.bytes.subarray(cursor.at, cursor.at + length), offset));
      if (slices.count(length)) await slices.pause();
    }
    await asIo(doing, () => handle.syncData());
  } finally {
    handle.close();
  }
}
