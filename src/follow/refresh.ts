/**
 * Refresh: a reader reads what the writer, another process, has written since.
 *
 * @module
 */
import { isTrimmed } from "../errors.ts";
import { Log } from "../engine/log.ts";
import type { Manifest, ManifestSegment } from "../engine/manifest.ts";
import { recoverEnd } from "../engine/recovery.ts";
import type { OpenStore } from "../store/open_store.ts";
import { manifestOf } from "../store/directory.ts";
import { durableEnd, durableSequence } from "./durable.ts";
import { checkFloor, floorAfter, keepExpired, leaveOutExpired } from "./floor.ts";
import { openSegments } from "../engine/segment_file.ts";
import type { Segment } from "../engine/segment.ts";
import { openReader, placeOf } from "./open_reader.ts";
import { Tries } from "./tries.ts";
import { advanceIndex } from "../lazy_index/open_index.ts";
import { ImageDamaged } from "../lazy_index/image_index.ts";

/** Brings a store up to date. False if nothing had changed. A writer is always up to date. */
export function refresh(store: OpenStore): boolean {
  store.checkOpen();
  return !store.log.isWriter && refreshReader(store);
}

/** Brings a reader up to date by reading only new records. False if nothing had changed. */
export function refreshReader(store: OpenStore): boolean {
  const { platform, directory } = store.log;
  const keys = keysBefore(store);
  const tries = new Tries(platform, directory);
  for (;;) {
    const manifest = manifestOf(platform, directory);
    try {
      const isNews = keys === undefined || store.follower.isTorn || mustReload(store, manifest)
        ? reload(store)
        : advance(store, manifest);
      if (!store.watches.isEmpty) store.watches.durableSequence = durableSequence(store);
      store.watches.wake();
      return isNews || keysNow(store) !== keys;
    } catch (error) {
      // An advance that meets a damaged table has begun: what follows is a reload.
      if (!(error instanceof ImageDamaged) && !tries.again(manifest.generation)) throw error;
    }
  }
}

/** The number of keys. Without a new record it falls if the writer has seen one expire, by a clock that was ahead. */
function keysNow(store: OpenStore): number {
  store.expire();
  return store.index.size;
}

/**
 * The number of keys that a refresh begins with; `undefined` if that takes files that the writer has removed. Reads what
 * is left of the index if views are open: they go on with it, and it is about to differ from its image.
 */
function keysBefore(store: OpenStore): number | undefined {
  try {
    if (store.views.isInterested) store.index.changeable();
    return keysNow(store);
  } catch (error) {
    if (!isTrimmed(error)) throw error;
    return undefined;
  }
}

/** Where the manifest says that a segment ends; `Infinity` while it is being written. */
function endOf({ sealedBytes }: ManifestSegment, { clean, mark }: Manifest): number {
  if (sealedBytes > 0) return sealedBytes;
  return clean ? mark.offset : Infinity;
}

/** Whether the reader has read records that do not count any more: a failed append, or records that recovery moved. */
function mustReload(store: OpenStore, manifest: Manifest): boolean {
  const numbers = new Set(manifest.segments.map(({ number }) => number));
  // If the active segment is gone, it is unknown where its records ended.
  const { active } = store.log;
  const hasLostTail = active !== undefined && !numbers.has(active.number);
  return hasLostTail || manifest.segments.some((listed) => {
    const known = store.log.segments.get(listed.number);
    return known !== undefined && known.endBytes > endOf(listed, manifest);
  });
}

/** Reads the whole store again. Open views keep the old index, and the segments that it needs. */
function reload(store: OpenStore): boolean {
  const opened = openReader(store.log.platform, store.log.directory);
  const { log, index, sequence, manifest } = opened;
  try {
    log.clockFloor = floorAfter(store, manifest);
    leaveOutExpired(store, opened);
  } catch (error) {
    index.close();
    log.closeFiles();
    throw error;
  }
  follow(store, log);
  store.replaceIndex(index);
  store.follower.sequence = sequence;
  store.follower.isTorn = false;
  store.sweep();
  return true;
}

/** Reads the records that a newer manifest adds. False if there are none. */
function advance(store: OpenStore, manifest: Manifest): boolean {
  const { log } = store;
  const ends = new Map(Array.from(log.segments.values(), (segment) => [segment.number, segment.endBytes]));
  const place = placeOf(log.platform, log.directory);
  const segments = openSegments(place, manifest, log.segments);
  const found = new Map<Segment, { endBytes: number; markOffset: number }>();
  try {
    for (const [i, listed] of manifest.segments.entries()) {
      const segment = segments[i]!;
      const end = endOf(listed, manifest);
      const markOffset = Math.max(segment === log.active ? log.syncedBytes : 0, manifest.mark.offset);
      const known = { markOffset, readBytes: ends.get(listed.number) ?? 0 };
      found.set(segment, end < Infinity ? { endBytes: end, markOffset: end } : recoverEnd(segment, known));
    }
    checkFloor(log.platform, log.directory, manifest);
  } catch (error) {
    for (const { number, handle } of segments) if (!ends.has(number)) handle.close();
    throw error;
  }
  // The one that was active may be sealed by now.
  for (const [i, { sealedBytes }] of manifest.segments.entries()) if (sealedBytes > 0) segments[i]!.sealed = true;
  const next = new Log(place, manifest, segments);
  next.clockFloor = floorAfter(store, manifest);
  keepExpired(store, next.clockFloor);
  for (const [segment, { endBytes }] of found) segment.endBytes = endBytes;
  if (next.active !== undefined) next.noteSynced(found.get(next.active)!.markOffset);
  follow(store, next);
  store.follower.isTorn = true;
  const { highest, records } = advanceIndex(store.index, next, {
    sequence: store.follower.sequence,
    partitionSequence: () => store.follower.sequence,
    from: (segment) => ends.get(segment.number),
    hasLost: [...ends.keys()].some((number) => !next.segments.has(number)),
    beforeChange: (key, place) => store.views.beforeChange(key, place),
  });
  store.follower.isTorn = false;
  store.follower.sequence = Math.max(store.follower.sequence, highest);
  next.nextSequence = Math.max(next.nextSequence, store.follower.sequence + 1);
  store.sweep();
  return records > 0;
}

/** Replaces the log by a newer one. Segments that are gone stay open while views or watches may need them. */
function follow(store: OpenStore, next: Log): void {
  const { watches } = store;
  // All that was durable at the last refresh is in segments that are still open. Later versions may be compacted away.
  if (next.historyFloor > watches.durableSequence) watches.trim(next.historyFloor);
  for (const segment of store.log.retired.values()) {
    if (store.follower.isTorn) store.views.onRetired(segment);
    next.retire(segment, segment.endBytes);
  }
  for (const segment of store.log.segments.values()) {
    const same = next.segments.get(segment.number);
    if (same === segment) continue;
    if (same !== undefined) segment.handle.close();
    else {
      store.views.onRetired(segment);
      // It is unknown where the active segment ended, but the durable part counts.
      next.retire(segment, durableEnd(store.log, segment));
    }
  }
  store.log = next;
}
