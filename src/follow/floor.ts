/**
 * The clock floor of a reader. It comes from its writer and from the reader's own clock, and either may go back. What
 * the reader has read by then and has seen expire stays away, though a reader writes no tombstones as the writer does:
 * its index loses the place of such a key. What it reads later lives by the floor as it is then.
 *
 * @module
 */
import { KvStoreError } from "../errors.ts";
import { RecordCursor } from "../engine/cursor.ts";
import type { Index, KeyBytes } from "../engine/index.ts";
import type { Manifest } from "../engine/manifest.ts";
import type { Opened } from "../engine/open.ts";
import type { Segment } from "../engine/segment.ts";
import { timeBy } from "../expiries.ts";
import type { Platform } from "../platform/types.ts";
import { eachExpiredSince } from "../store/clock.ts";
import type { OpenStore } from "../store/open_store.ts";
import { generationOf } from "./tries.ts";

type Segments = ReadonlyMap<number, Segment>;

/**
 * Throws if MANIFEST has been replaced since it was read, and its clock floor is ahead of the clock. Then what was
 * found in the segments since may have been written when the floor was lower.
 */
export function checkFloor(platform: Platform, directory: string, { generation, clockFloor }: Manifest): void {
  if (clockFloor <= timeBy(platform, clockFloor) || generationOf(platform, directory) === generation) return;
  throw new KvStoreError("IO", "MANIFEST was replaced while the store was read");
}

/**
 * The clock floor for what a refresh reads: the writer's. If the reader's is higher, and its clock agrees, it may stay:
 * then nothing has to be taken out of the index.
 */
export function floorAfter({ log }: OpenStore, manifest: Manifest): number {
  return Math.max(manifest.clockFloor, Math.min(log.clockFloor, timeBy(log.platform, log.clockFloor)));
}

/** Takes keys out of the index before the clock floor is lowered to `floor`: those that it would bring back. */
export function keepExpired({ log, index, follower, views }: OpenStore, floor: number): void {
  if (floor >= log.clockFloor) return;
  const changeable = index.changeable();
  follower.goneUntil = Math.max(follower.goneUntil, log.clockFloor);
  changeable.expire(log.clockFloor);
  eachExpiredSince(changeable, floor, (key) => {
    views.beforeChange(key, changeable);
    forget(changeable, key, log.segments);
  });
  changeable.expire(floor);
}

/** Takes keys out of an index that was read anew: those whose records the reader had read, and had seen expire. */
export function leaveOutExpired({ log, index: former, follower }: OpenStore, { log: next, index }: Opened): void {
  const seenUntil = Math.max(follower.goneUntil, log.clockFloor);
  if (next.clockFloor >= seenUntil) return;
  const changeable = index.changeable();
  follower.goneUntil = seenUntil;
  changeable.each((key) => {
    const { segment, offset, length, expiresAt } = changeable;
    if (segment === 0 || expiresAt <= next.clockFloor || expiresAt > seenUntil) return;
    if (expiresAt > log.clockFloor && former.find(key.bytes, key.start, key.length)) return;
    const cursor = new RecordCursor(next.segments.get(segment)!, offset, offset + length);
    if (cursor.next() && cursor.sequence <= follower.sequence) forget(changeable, key, next.segments);
  });
}

/** Takes keys that a reader has seen expire out of an index of its log, so that `verify` can compare the two. */
export function forgetExpired(
  { follower }: OpenStore,
  index: Index,
  { segments, isThere }: { segments: Segments; isThere: (key: KeyBytes) => boolean },
): void {
  if (index.expired.now >= follower.goneUntil) return;
  index.each((key) => {
    const isGone = index.segment !== 0 && index.expiresAt !== 0 && index.expiresAt <= follower.goneUntil;
    if (isGone && !index.isExpired && !isThere(key)) forget(index, key, segments);
  });
}

function forget(index: Index, key: KeyBytes, segments: Segments): void {
  index.remove(key);
  const segment = segments.get(index.segment);
  if (segment !== undefined) segment.liveBytes -= index.length;
}
