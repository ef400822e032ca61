/**
 * Figures of an open store.
 *
 * @module
 */
import type { Segment } from "../engine/segment.ts";
import type { OpenStore } from "../store/open_store.ts";
import type { Stats } from "../types.ts";

/** Figures of a store, by what has expired until now, and of its maintenance. */
export function statsOf(
  store: OpenStore,
  { compactions, lastError }: { compactions: number; lastError: Error | undefined },
): Stats {
  store.expire();
  store.countExpired();
  const { log, writer, index } = store;
  const listed = [...log.segments.values()];
  const sum = (segments: Iterable<Segment>, of: (segment: Segment) => number) =>
    Array.from(segments, of).reduce((total, bytes) => total + bytes, 0);
  return {
    keys: index.size,
    segments: listed.length,
    diskBytes: sum([...listed, ...log.retired.values()], (segment) => segment.endBytes),
    liveBytes: sum(listed, (segment) => segment.liveBytes - segment.expiredBytes),
    staleBytes: sum(listed, (segment) => segment.staleBytes) + (writer?.tail.length ?? 0),
    tombstoneBytes: sum(listed, (segment) => segment.tombstoneBytes + segment.graveBytes),
    indexBytes: index.heldBytes,
    pendingBytes: writer?.tail.length ?? 0,
    unsyncedBytes: writer?.unsyncedBytes ?? 0,
    pinnedSegments: log.retired.size,
    compactions,
    syncs: writer?.syncs ?? 0,
    lastSequence: log.nextSequence - 1,
    ...(lastError === undefined ? {} : { lastCompactionError: lastError }),
  };
}
