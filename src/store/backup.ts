/**
 * Backup: a copy of a store that is in use.
 *
 * @module
 */
import { asIo, asSync, corrupt, ioError, KvStoreError } from "../errors.ts";
import { writeManifest } from "../log/manifest.ts";
import type { Segment } from "../log/segment.ts";
import { readUpTo, writeAll } from "../platform/files.ts";
import type { WorkOptions } from "../types.ts";
import type { Core } from "./core.ts";
import { ensureDirectory, syncAbove } from "./directory.ts";
import { isIncidental } from "./names.ts";
import { Pace, scan } from "./scan.ts";

/**
 * Copies the segments byte for byte, checking every record, and the manifest last: without it a directory full of
 * segments never opens. The copy ends with what was written before the call. A view keeps the segments meanwhile.
 */
export async function backupStore(core: Core, destination: string, options: WorkOptions): Promise<void> {
  const { log } = core;
  const target = log.platform.absolute(destination);
  const isNew = ensureDirectory(log.platform, target);
  const [first] = asIo(`list ${target}`, () => log.platform.list(target)).filter((name) => !isIncidental(name));
  if (first !== undefined) {
    throw new KvStoreError("IO", `a backup goes to an empty directory; ${target} holds ${first}`);
  }
  const view = core.openView();
  try {
    // All taken at once, pending records included: they have their places already.
    const segments = Array.from(log.segments.values(), (segment) => ({ segment, endBytes: endOf(core, segment) }))
      .filter(({ segment, endBytes }) => endBytes > segment.headerBytes);
    const last = segments.find(({ segment }) => !segment.sealed);
    const mark = { segment: last?.segment.number ?? 0, offset: last?.endBytes ?? 0 };
    const present = log.describe();
    const listed = present.segments.filter(({ number }) => segments.some(({ segment }) => segment.number === number));
    const manifest = { ...present, clean: true, mark, segments: listed };
    await core.writer?.reached("sync");
    const pace = new Pace(options, segments.reduce((sum, { endBytes }) => sum + endBytes, 0), () => core.check());
    for (const { segment, endBytes } of segments) {
      core.check();
      await copySegment(core, segment, endBytes, target, pace);
    }
    asSync(target, () => log.platform.syncDirectory(target));
    if (!isNew) syncAbove(log.platform, target);
    writeManifest(log.platform, target, manifest);
  } catch (error) {
    // What failed to reach the disk is the copy: that is no failure of the store.
    const isOurs = log.failure !== undefined || !(error instanceof KvStoreError) || error.code !== "FAILED";
    throw isOurs ? error : new KvStoreError("IO", `cannot make ${target} durable: ${error.message}`, { cause: error });
  } finally {
    core.release(view);
  }
}

function endOf({ log, writer }: Core, segment: Segment): number {
  return segment.endBytes + (segment === log.active ? writer?.pendingBytes ?? 0 : 0);
}

async function copySegment(core: Core, segment: Segment, endBytes: number, target: string, pace: Pace): Promise<void> {
  const { platform } = core.log;
  const doing = `copy ${segment.name} to ${target}`;
  const handle = asIo(doing, () => platform.open(`${target}/${segment.name}`, "create"));
  try {
    asIo(doing, () => writeAll(handle, readUpTo(segment.handle, segment.headerBytes, 0), 0));
    for (const { cursor, isRecord, offset, length, reason } of scan(segment, segment.headerBytes, endBytes)) {
      if (!isRecord || reason !== undefined) throw corrupt(segment.name, offset, reason ?? "no record");
      asIo(doing, () => writeAll(handle, cursor.bytes.subarray(cursor.at, cursor.at + length), offset));
      if (pace.count(length)) await pace.pause();
    }
    await handle.syncData().catch((error) => Promise.reject(ioError(doing, error)));
  } finally {
    handle.close();
  }
}
