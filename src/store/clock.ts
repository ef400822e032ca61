/**
 * The clock that keys expire by. It may be wrong, and may be put right again: a machine starts with a wrong clock, or a
 * test has a fake one.
 *
 * The clock floor in the log says up to when keys have expired: no record whose time is at or below it holds a value.
 * That keeps what has expired from coming back, whatever the clock says. But a key that is written after a clock that
 * was ahead was put right would be gone at once. So before such a key is written, the floor is lowered to the present
 * time, and tombstones take its place for the keys that expired beyond that. They are in the log like any delete, so
 * from then on no clock is needed to keep these keys away.
 *
 * @module
 */
import { type Index, type KeyBytes, PARTITIONS } from "../engine/index.ts";
import { timeBy } from "../expiries.ts";
import { needStack } from "../kinds.ts";
import type { OpenStore } from "./open_store.ts";

/**
 * Lets a key live until `expiresAt` by the present clock, if it is set next: lowers the clock floor if that is between
 * the two. Call it between `beginWrite` and the first stage. Throws as a write does, and then the floor is as before.
 */
export function admitExpiry(engine: OpenStore, expiresAt: number): void {
  const { log } = engine;
  // As a rule a key expires later than anything has so far. A step of a millisecond back costs nothing.
  if (expiresAt === 0 || expiresAt > log.clockFloor) return;
  const now = timeBy(log.platform, log.clockFloor);
  if (now < expiresAt) lowerFloor(engine, now);
}

/** Lowers the clock floor. If that fails, or the process dies on the way, the tombstones change nothing. */
function lowerFloor(engine: OpenStore, now: number): void {
  needStack();
  const { log } = engine;
  const writer = engine.writable();
  const index = engine.index.changeable();
  index.expire(log.clockFloor);
  eachExpiredSince(index, now, (key) => {
    engine.stageDelete({ ...key, isString: index.isString });
    writer.publish();
  });
  // Now, as the tombstones could be taken back while they are pending. The manifest with the lower floor, which the next
  // record has to wait for, must not outlast them either.
  if (log.manifestFile.latest.clockFloor > now) engine.flushNow();
  const failure = writer.write();
  if (failure !== undefined) throw failure;
  index.expire(now);
  log.clockFloor = now;
}

/** Visits the keys that have expired, but not by `now`. The place is in the fields of the index. */
export function eachExpiredSince(index: Index, now: number, visit: (key: KeyBytes) => void): void {
  for (let number = 0; number < PARTITIONS; number++) {
    if (index.existing(number)?.expiries === undefined) continue;
    index.eachOf(number, (key) => {
      if (index.segment !== 0 && index.expiresAt > now && index.isExpired) visit(key);
    });
  }
}
