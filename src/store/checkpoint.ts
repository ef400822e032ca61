/**
 * Checkpoints: when the image of the index is written, and whether one that lies there belongs to this log.
 *
 * @module
 */
import { toHex } from "../bytes.ts";
import { IMAGE_NAME, IMAGE_TEMPORARY, ImageWriter, readFooter, readPartitions } from "../index/image.ts";
import { Index } from "../index/index.ts";
import type { Log } from "../log/log.ts";
import type { Manifest } from "../log/manifest.ts";
import type { Segment } from "../log/segment.ts";
import { crc32 } from "../platform/checksum.ts";
import { readUpTo, removeIfThere } from "../platform/files.ts";
import type { FileHandle } from "../platform/types.ts";
import { nextTurn } from "../platform/turn.ts";
import type { Replayed } from "./replay.ts";

/** Fewer changes than this are replayed in no time: no image is worth writing for them. */
const MIN_CHANGES = 1000;
/** An image is rewritten when one in so many keys has changed. */
const CHANGED_SHARE = 10;
/** Bytes written between two pauses. */
const SLICE_BYTES = 2 * 1024 * 1024;
/** The image is bound to the log by the bytes before its end: at most so many. */
const PROBE_BYTES = 4096;

/** The account of one segment in an image. */
interface SegmentAccount {
  number: number;
  salt: number;
  /** Where a replay goes on. */
  from: number;
  liveBytes: number;
  tombstoneBytes: number;
  highestTombstone: number;
  lowestSequence: number;
  highestSequence: number;
}

/** What an image says of the log that it belongs to. */
interface About {
  storeId: string;
  /** Everything up to this sequence number is in the accounts. */
  sequence: number;
  /** The end of the log then, and a checksum of the bytes before it. */
  end: { segment: number; offset: number; probe: number };
  segments: SegmentAccount[];
}

/** What writing an image needs to know of the store. */
export interface CheckpointSource {
  /** The log. */
  log: Log;
  /** The present index. */
  index(): Index;
  /** Bytes not written yet. */
  pendingBytes(): number;
  /** Makes everything so far durable. */
  flush(): Promise<void>;
  /** Changes whenever what was written so far of an image no longer fits: a rollback, a clear, a close. */
  epoch(): number;
}

/** Whether so many changes are worth a new image. */
export function isDue(changes: number, keys: number): boolean {
  return changes >= MIN_CHANGES && changes * CHANGED_SHARE >= keys;
}

/**
 * Writes an image of the index, in slices, beside the store's other work. Only durable records may be in it, so the log is synced,
 * and the manifest says so, before the image takes its name. False if something came between: the old image stays.
 */
export async function writeImage(source: CheckpointSource): Promise<boolean> {
  const { log } = source;
  const { platform } = log;
  const epoch = source.epoch();
  const from = new Map(Array.from(log.segments.values(), (segment) => [segment.number, segment.endBytes]));
  const temporary = log.path(IMAGE_TEMPORARY);
  removeIfThere(platform, temporary);
  const handle = platform.open(temporary, "create");
  try {
    const writer = new ImageWriter(source.index(), handle);
    let slice = 0;
    for (let bytes = 1; bytes > 0; slice += bytes) {
      bytes = writer.writeNext(log.nextSequence - 1);
      if (slice + bytes < SLICE_BYTES) continue;
      slice = 0;
      await nextTurn();
      if (source.epoch() !== epoch) return false;
    }
    const about = describe(log, from);
    const active = log.active;
    const offset = (active?.endBytes ?? 0) + source.pendingBytes();
    await source.flush();
    if (source.epoch() !== epoch) return false;
    if (active !== undefined) {
      log.replaceManifest({ clean: false });
      about.end = { segment: active.number, offset, probe: probe(active, offset) };
    }
    await writer.finish(about);
    if (source.epoch() !== epoch) return false;
    platform.rename(temporary, log.path(IMAGE_NAME));
    platform.syncDirectory(log.directory);
    return true;
  } finally {
    handle.close();
    removeIfThere(platform, temporary);
  }
}

function describe(log: Log, from: Map<number, number>): About {
  return {
    storeId: toHex(log.storeId),
    sequence: log.nextSequence - 1,
    end: { segment: 0, offset: 0, probe: 0 },
    segments: Array.from(log.segments.values(), (segment) => ({
      number: segment.number,
      salt: segment.salt,
      from: from.get(segment.number) ?? segment.headerBytes,
      liveBytes: segment.liveBytes,
      tombstoneBytes: segment.tombstoneBytes,
      highestTombstone: segment.highestTombstone,
      lowestSequence: segment.lowestSequence,
      highestSequence: segment.highestSequence,
    })),
  };
}

/** Reads the image of a store's index if there is one that fits its log; `undefined` otherwise, whatever the reason. */
export function loadImage(log: Log, manifest: Manifest): { index: Index; known: Replayed } | undefined {
  let handle: FileHandle;
  try {
    handle = log.platform.open(log.path(IMAGE_NAME), "read");
  } catch {
    return undefined;
  }
  try {
    const footer = readFooter<About>(handle);
    if (footer === undefined || !fits(footer.about, log, manifest)) return undefined;
    const partitions = readPartitions(handle, footer);
    if (partitions === undefined) return undefined;
    const { about } = footer;
    const known = new Map(about.segments.map((account) => [account.number, account]));
    for (const account of about.segments) take(account, log.segments.get(account.number));
    const hasLost = about.segments.some((account) => !log.segments.has(account.number));
    return {
      index: new Index({ seed: footer.seed, partitions }),
      known: {
        sequence: about.sequence,
        partitionSequence: (number) => footer.partitions[number]!.sequence,
        from: (segment) => known.get(segment.number)?.from,
        hasLost,
      },
    };
  } catch {
    // It is derived: whatever is wrong with it, the log knows better.
    return undefined;
  } finally {
    handle.close();
  }
}

/** Whether an image describes an earlier state of this very log. */
function fits(about: About, log: Log, manifest: Manifest): boolean {
  if (about.storeId !== toHex(log.storeId) || about.end.segment >= manifest.nextSegment) return false;
  const agree = about.segments.every(({ number, salt, from }) => {
    const segment = log.segments.get(number);
    return number < manifest.nextSegment &&
      (segment === undefined || (segment.salt === salt && from <= segment.endBytes));
  });
  if (!agree) return false;
  const last = log.segments.get(about.end.segment);
  if (last === undefined) return about.sequence < manifest.nextSequence;
  return about.end.offset <= last.endBytes && probe(last, about.end.offset) === about.end.probe;
}

/** Takes an account over from an image. */
function take(account: SegmentAccount, segment: Segment | undefined): void {
  if (segment === undefined) return;
  segment.liveBytes = account.liveBytes;
  segment.tombstoneBytes = account.tombstoneBytes;
  segment.highestTombstone = account.highestTombstone;
  // JSON has no Infinity: a segment without records comes back with null.
  segment.lowestSequence = Math.min(segment.lowestSequence, account.lowestSequence ?? Infinity);
  segment.highestSequence = Math.max(segment.highestSequence, account.highestSequence);
}

function probe(segment: Segment, end: number): number {
  const start = Math.max(0, end - PROBE_BYTES);
  return crc32(readUpTo(segment.handle, end - start, start));
}
