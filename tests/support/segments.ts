/**
 * Segments with an account and no records, for the choices of compaction.
 *
 * @module
 */
import { KIND } from "../../src/engine/record.ts";
import { Segment } from "../../src/engine/segment.ts";
import { MemoryPlatform } from "./memory_platform.ts";

/** What a segment holds. */
export interface Plan {
  live?: number;
  stale?: number;
  tombstones?: number;
  /** Of the live bytes, those of records that have expired, and what of these a tombstone needs. */
  expired?: [bytes: number, graveBytes: number];
  highestTombstone?: number;
  lowest?: number;
  currentAsOf?: number;
  sealed?: boolean;
}

const platform = new MemoryPlatform();
platform.writeFile("/f", new Uint8Array(1));
const handle = platform.open("/f", "read");
let numbers = 0;

/** A segment that is younger than those made before. */
export function segment({ live = 0, stale = 0, tombstones = 0, sealed = true, ...rest }: Plan): Segment {
  const header = { number: ++numbers, storeId: new Uint8Array(16), salt: 0, inputs: [] };
  const made = new Segment(header, handle, { endBytes: 44 + live + stale + tombstones, sealed });
  made.liveBytes = live;
  if (tombstones > 0) made.add({ kind: KIND.delete, sequence: rest.highestTombstone ?? 1, length: tombstones });
  made.cover(rest.lowest ?? numbers);
  made.currentAsOf = rest.currentAsOf ?? 0;
  [made.expiredBytes, made.graveBytes] = rest.expired ?? [0, 0];
  return made;
}
