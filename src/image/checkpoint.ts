/**
 * Checkpoints: when the image of the index is written, and whether one that lies there belongs to this log.
 *
 * @module
 */
import { toHex } from "../bytes.ts";
import { IMAGE_FORMER, IMAGE_NAME, IMAGE_TEMPORARY, ImageReader, ImageWriter, readFooter } from "./image.ts";
import { lengthOf, PARTITIONS } from "../engine/index.ts";
import { ImageIndex, type PartitionSource } from "./image_index.ts";
import { ENTRY_FIELDS, type Partition } from "../engine/partition.ts";
import type { Log } from "../engine/log.ts";
import type { Manifest } from "../engine/manifest.ts";
import type { Segment } from "../engine/segment.ts";
import { crc32 } from "../platform/checksum.ts";
import { readUpTo, removeIfThere, renameIfThere } from "../platform/files.ts";
import { Slices } from "../platform/turn.ts";
import type { FileHandle } from "../platform/types.ts";
import type { OpenStore } from "../store/open_store.ts";
import type { Replayed } from "../engine/replay.ts";

/** Fewer changes than this are replayed in no time: no image is worth writing for them. */
const MIN_CHANGES = 1000;
/** An image is rewritten when one in so many keys has changed. */
const CHANGED_SHARE = 10;
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
  markBytes: number;
  lowestSequence: number;
  highestSequence: number;
  /** Checksum of the bytes before `from`. */
  probe: number;
}

/** All that must be there. An image without one of them, as an older version wrote it, is made anew. */
const COUNTS = [
  "number",
  "salt",
  "from",
  "liveBytes",
  "tombstoneBytes",
  "highestTombstone",
  "markBytes",
  "highestSequence",
  "probe",
] as const satisfies (keyof SegmentAccount)[];

/** What an image says of the log that it belongs to. */
interface About {
  storeId: string;
  /** Everything up to this sequence number is in the accounts. */
  sequence: number;
  /** Generation of the manifest then: an image of a later state than the log's belongs to another history. */
  generation: number;
  segments: SegmentAccount[];
}

/** Whether so many changes are worth a new image. */
export function isDue(changes: number, keys: number): boolean {
  return changes >= MIN_CHANGES && changes * CHANGED_SHARE >= keys;
}

/**
 * Writes an image of the index, in slices, beside the store's other work. Only durable records may be in it, so the log
 * is synced, and the manifest says so, before the image takes its name. False if something came between: the old image
 * stays.
 */
export async function writeImage(store: OpenStore): Promise<boolean> {
  const { log, epoch } = store;
  const index = store.index.changeable();
  // Behind a failed append there may be whole records, which a crash would bring back: the image would claim to know them.
  if (log.mustRotate) return false;
  const { platform } = log;
  const from = new Map(Array.from(log.segments.values(), (segment) => [segment.number, segment.endBytes]));
  const temporary = log.path(IMAGE_TEMPORARY);
  removeIfThere(platform, temporary);
  const handle = platform.open(temporary, "create");
  try {
    const writer = new ImageWriter(index, handle);
    const slices = new Slices();
    for (let bytes = 1; bytes > 0;) {
      bytes = writer.writeNext(log.nextSequence - 1);
      if (!slices.count(bytes)) continue;
      await slices.pause();
      if (store.epoch !== epoch) return false;
    }
    const about = describe(log, from);
    await store.writer!.reached("sync");
    // The accounts count marks, too, and nobody waits for those.
    log.syncActive();
    if (store.epoch !== epoch) return false;
    if (log.active !== undefined) log.replaceManifest({ clean: false });
    await writer.finish(about);
    if (store.epoch !== epoch) return false;
    // Not over the old one: giving the pages of that back blocks the event loop, 11 to 17 ms for a million keys.
    renameIfThere(platform, log.path(IMAGE_NAME), log.path(IMAGE_FORMER));
    platform.rename(temporary, log.path(IMAGE_NAME));
    platform.syncDirectory(log.directory);
    log.removals.add(log.path(IMAGE_FORMER));
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
    generation: log.generation,
    segments: Array.from(log.segments.values(), (segment) => ({
      number: segment.number,
      salt: segment.salt,
      from: from.get(segment.number) ?? segment.headerBytes,
      probe: probe(segment, from.get(segment.number) ?? segment.headerBytes),
      liveBytes: segment.liveBytes,
      tombstoneBytes: segment.tombstoneBytes,
      highestTombstone: segment.highestTombstone,
      markBytes: segment.markBytes,
      lowestSequence: segment.lowestSequence,
      highestSequence: segment.highestSequence,
    })),
  };
}

/**
 * The image of a store's index if there is one that fits its log; `undefined` otherwise, whatever the reason. The index
 * keeps the file open as long as it has tables to read from it.
 */
export function loadImage(log: Log, manifest: Manifest): { index: ImageIndex; known: Replayed } | undefined {
  let handle: FileHandle | undefined;
  try {
    handle = log.platform.open(log.path(IMAGE_NAME), "read");
    const image = imageIn(handle, log, manifest);
    if (image === undefined) handle.close();
    return image;
  } catch {
    // It is derived: whatever is wrong with it, the log knows better.
    handle?.close();
    return undefined;
  }
}

function imageIn(handle: FileHandle, log: Log, manifest: Manifest): { index: ImageIndex; known: Replayed } | undefined {
  const footer = readFooter<About>(handle);
  if (footer === undefined || !fits(footer.about, log, manifest) || footer.partitions.length !== PARTITIONS) {
    return undefined;
  }
  const { about, seed, partitions } = footer;
  const areSound = partitions.every(({ slots, entries, arena, live, sequence, expiry = 0, checksum }) =>
    areCounts([slots, entries, arena, live, sequence, expiry, checksum]) && live <= entries &&
    sequence <= about.sequence
  );
  if (!areSound || !areCounts([seed])) return undefined;
  const known = new Map(about.segments.map((account) => [account.number, account]));
  const reader = new ImageReader(handle, footer);
  const read = (number: number): Partition | undefined => {
    try {
      const partition = reader.read(number);
      return partition !== undefined && pointsInto(partition, log, known) ? partition : undefined;
    } catch {
      return undefined;
    }
  };
  const source: PartitionSource = {
    live: partitions.map(({ live }) => live),
    expiry: partitions.map(({ expiry = Infinity }) => expiry),
    // A second try costs little; going without the image is to read the whole log.
    read: (number) => read(number) ?? read(number),
    close: () => handle.close(),
  };
  for (const account of about.segments) take(account, log.segments.get(account.number));
  return {
    index: new ImageIndex(seed, source),
    known: {
      sequence: about.sequence,
      partitionSequence: (number) => partitions[number]!.sequence,
      from: (segment) => known.get(segment.number)?.from,
      hasLost: about.segments.some((account) => !log.segments.has(account.number)),
    },
  };
}

/**
 * Whether an image describes an earlier state of this very log: all that it covers of the segments that are left is in
 * them.
 */
function fits(about: About, log: Log, manifest: Manifest): boolean {
  if (about.storeId !== toHex(log.storeId) || !areCounts([about.generation, about.sequence])) return false;
  if (about.generation > manifest.generation || about.sequence >= manifest.nextSequence) return false;
  return about.segments.every((account) => {
    if (!areCounts(COUNTS.map((name) => account[name])) || !areCounts([account.lowestSequence ?? 0])) return false;
    const segment = log.segments.get(account.number);
    if (segment === undefined) return account.number < manifest.nextSegment;
    const { headerBytes, endBytes, salt } = segment;
    const isSame = account.salt === salt && headerBytes <= account.from && account.from <= endBytes;
    return isSame && probe(segment, account.from) === account.probe;
  });
}

/** JSON can say anything in the place of a number. */
function areCounts(values: unknown[]): boolean {
  return values.every((value) => Number.isSafeInteger(value) && (value as number) >= 0);
}

/** Whether all places of a partition are within segments of the log, or in known ones that are gone. */
function pointsInto({ entries }: Partition, log: Log, known: Map<number, SegmentAccount>): boolean {
  // Neighbouring entries are mostly in the same segment: it is looked up when it changes.
  let last = 0;
  let start = 0;
  let limit = Infinity;
  for (let at = 0; at < entries.length; at += ENTRY_FIELDS) {
    const number = entries[at + 1]!;
    if (number !== last) {
      const segment = log.segments.get(number);
      last = number;
      start = segment?.headerBytes ?? 0;
      limit = segment?.endBytes ?? (number === 0 || known.has(number) ? Infinity : -1);
    }
    const offset = entries[at + 2]!;
    if (offset < start || offset + lengthOf(entries[at + 3]!) > limit) return false;
  }
  return true;
}

/** Takes an account over from an image. */
function take(account: SegmentAccount, segment: Segment | undefined): void {
  if (segment === undefined) return;
  segment.liveBytes = account.liveBytes;
  segment.tombstoneBytes = account.tombstoneBytes;
  segment.highestTombstone = account.highestTombstone;
  segment.markBytes = account.markBytes;
  // JSON has no Infinity: a segment without records comes back with null.
  segment.lowestSequence = Math.min(segment.lowestSequence, account.lowestSequence ?? Infinity);
  segment.highestSequence = Math.max(segment.highestSequence, account.highestSequence);
}

function probe(segment: Segment, end: number): number {
  const start = Math.max(0, end - PROBE_BYTES);
  return crc32(readUpTo(segment.handle, end - start, start));
}
