/**
 * Refresh: how a reader takes in what the writer, another process, has done since.
 *
 * @module
 */
import { Log } from "../log/log.ts";
import { type Manifest, readManifest } from "../log/manifest.ts";
import { findTail } from "../log/recovery.ts";
import type { Core } from "./core.ts";
import { manifestOf, openReader, openSegments } from "./open.ts";
import { replay } from "./replay.ts";

/** Brings a reader up to date; reads only what is new. False if nothing had changed. */
export function refreshReader(core: Core): boolean {
  const { platform, directory } = core.log;
  for (;;) {
    const manifest = manifestOf(platform, directory, false);
    try {
      return mustReload(core, manifest) ? reload(core) : advance(core, manifest);
    } catch (error) {
      // The writer may have replaced files between the manifest and us: then there is a newer manifest.
      if (readManifest(platform, directory)?.generation === manifest.generation) throw error;
    }
  }
}

/** Whether we have read records that do not count any more: of a failed write, or moved by recovery. */
function mustReload(core: Core, manifest: Manifest): boolean {
  return manifest.segments.some(({ number, sealedBytes }) => {
    const known = core.log.segments.get(number);
    return known !== undefined && sealedBytes > 0 && known.endBytes > sealedBytes;
  });
}

/** Reads the store anew. Open views keep the old index; the files it needs are the same ones. */
function reload(core: Core): boolean {
  const { log } = core;
  const opened = openReader(log.platform, log.directory);
  for (const segment of log.segments.values()) {
    if (opened.log.segments.has(segment.number)) segment.handle.close();
    else retire(core, segment.number);
  }
  log.segments.clear();
  for (const segment of opened.log.segments.values()) log.adopt(segment);
  log.generation = opened.log.generation;
  core.replaceIndex(opened.index);
  core.sequence = opened.sequence;
  core.sweep();
  return true;
}

function advance(core: Core, manifest: Manifest): boolean {
  const { log } = core;
  const ends = new Map(Array.from(log.segments.values(), (segment) => [segment.number, segment.endBytes]));
  const next = new Log({ platform: log.platform, directory: log.directory, lock: undefined }, manifest);
  for (const { number } of manifest.segments) if (log.segments.has(number)) next.adopt(log.segments.get(number)!);
  try {
    openSegments(next, manifest);
    for (const { number, sealedBytes } of manifest.segments) {
      const segment = next.segments.get(number)!;
      if (sealedBytes > 0) segment.endBytes = sealedBytes;
      else segment.endBytes = findTail(segment, Math.max(ends.get(number) ?? 0, manifest.mark.offset)).endBytes;
      segment.sealed = sealedBytes > 0;
    }
  } catch (error) {
    for (const segment of next.segments.values()) if (!ends.has(segment.number)) segment.handle.close();
    for (const segment of log.segments.values()) segment.endBytes = ends.get(segment.number)!;
    throw error;
  }
  const gone = [...log.segments.keys()].filter((number) => !next.segments.has(number));
  for (const number of gone) retire(core, number);
  for (const segment of next.segments.values()) log.adopt(segment);
  log.generation = manifest.generation;
  const { highest, records } = replay(core.index, log.segments, {
    sequence: core.sequence,
    partitionSequence: () => core.sequence,
    from: (segment) => ends.get(segment.number),
    hasLost: gone.length > 0,
    beforeChange: (key, place) => core.views.remember(key, place),
  });
  core.sequence = Math.max(core.sequence, highest);
  core.sweep();
  return records > 0;
}

function retire(core: Core, number: number): void {
  const segment = core.log.segments.get(number)!;
  segment.retiredAt = core.views.opened;
  core.log.segments.delete(number);
  core.log.retired.set(number, segment);
}
