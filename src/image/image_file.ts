/**
 * The image file of a store: when it is written, and whether an existing one fits the log.
 *
 * @module
 */
import { toHex } from "../bytes.ts";
import {
  IMAGE_FORMER,
  IMAGE_NAME,
  IMAGE_TEMPORARY,
  type ImageFooter,
  ImageReader,
  ImageWriter,
  readFooter,
} from "./image.ts";
import { PARTITIONS } from "../engine/index.ts";
import { ENTRY_FIELDS, lengthOf, type Partition } from "../engine/partition.ts";
import { ImageIndex, type PartitionSource } from "../lazy_index/image_index.ts";
import type { Log } from "../engine/log.ts";
import type { Manifest } from "../engine/manifest.ts";
import type { Segment } from "../engine/segment.ts";
import { crc32 } from "../platform/checksum.ts";
import { readUpTo, removeIfThere, renameIfThere } from "../platform/files.ts";
import { Slices } from "../platform/turn.ts";
import type { FileHandle } from "../platform/types.ts";
import { orderIn } from "../order/order.ts";
import { type OrderEntry, OrderSaver, type SavedIn, SavedOrder } from "../saved_order/saved.ts";
import type { OpenStore } from "../store/open_store.ts";
import type { Replayed } from "../engine/replay.ts";

/** Replaying fewer changes than this takes so little time that no image is written for them. */
const MIN_CHANGES = 1000;
/** While a store is open, the image is written anew once one in this many keys has changed. */
const CHANGED_SHARE = 10;
/**
 * A store that is closed writes the image anew once one in this many keys has changed: each later opening would have to
 * replay what the image lacks.
 */
const CHANGED_SHARE_AT_CLOSE = 100;
/** A segment's probe covers at most this many bytes. */
const PROBE_BYTES = 4096;

/** What an image records of one segment. */
interface SegmentAccount {
  number: number;
  salt: number;
  /** The replay of this segment starts at this offset. */
  from: number;
  liveBytes: number;
  tombstoneBytes: number;
  highestTombstone: number;
  markBytes: number;
  lowestSequence: number;
  highestSequence: number;
  /** Checksum of the bytes that precede `from`. It shows whether this is still the same segment. */
  probe: number;
}

/** Fields that every account must have. An image of an older version lacks some, and is replaced by a new one. */
const REQUIRED_COUNTS = [
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

/** What an image records of its log. */
interface About {
  storeId: string;
  /** The accounts include every record up to this sequence number. */
  sequence: number;
  /** Generation of the manifest at that time. If it is above that of the log, the image has another history. */
  generation: number;
  segments: SegmentAccount[];
}

/** Whether this many changes justify a new image of this many keys, while a store is open or as its last one. */
export function isDue(changes: number, keys: number, isLast: boolean): boolean {
  const share = isLast ? CHANGED_SHARE_AT_CLOSE : CHANGED_SHARE;
  return changes >= MIN_CHANGES && changes * share >= keys;
}

/**
 * Writes an image of the index in slices, while the store goes on working. The image may hold durable records only:
 * before it gets its name, the log is synced and the manifest records that. Returns false, and the old image stays,
 * where an append has failed, or if changes were undone or the index was replaced meanwhile.
 */
export async function writeImage(store: OpenStore): Promise<boolean> {
  const { log, epoch } = store;
  const index = store.index.changeable();
  // A failed append may have left whole records, which a crash would bring back. The image would claim to include them.
  if (log.mustRotate) return false;
  const { platform } = log;
  const from = new Map(Array.from(log.segments.values(), (segment) => [segment.number, segment.endBytes]));
  const temporary = log.path(IMAGE_TEMPORARY);
  removeIfThere(platform, temporary);
  const handle = platform.open(temporary, "create");
  const order = orderIn(index);
  const saver = order?.isWhole ? new OrderSaver(order) : undefined;
  try {
    const writer = new ImageWriter(index, handle, saver?.pages);
    const slices = new Slices();
    const steps = writeSteps(writer, log, saver);
    let step = steps.next();
    for (; !step.done; step = steps.next()) {
      if (!slices.count(step.value)) continue;
      await slices.pause();
      if (store.epoch !== epoch) return false;
    }
    // Pending records may have their places in a segment that is not listed yet.
    await store.writer!.rotating;
    store.writer!.write();
    const about = describeLog(log, from);
    // The accounts include marks as well.
    await store.writer!.syncAll();
    if (store.epoch !== epoch) return false;
    // The clock floor, too: keys that had expired by it may be missing in the order.
    const prepared = await log.prepare({ active: log.active });
    log.replaceManifest({ clean: false, prepared });
    await log.syncNames();
    if (store.epoch !== epoch) return false;
    await writer.finish(about, step.value);
    if (store.epoch !== epoch) return false;
    // The file of the old image must not be open when it is renamed.
    if (index instanceof ImageIndex) index.giveUpSaved();
    store.ordering.isSaved = step.value !== undefined;
    // Renaming over the old image would free its pages at once. That blocks the event loop: 11 to 17 ms for 10^6 keys.
    renameIfThere(platform, log.path(IMAGE_NAME), log.path(IMAGE_FORMER));
    platform.rename(temporary, log.path(IMAGE_NAME));
    await platform.syncDirectoryLater(log.directory);
    log.removals.add(log.path(IMAGE_FORMER));
    return true;
  } finally {
    saver?.end();
    handle.close();
    removeIfThere(platform, temporary);
  }
}

/** Writes the tables of an index, and its order if there is one. Yields the bytes of each step. */
function* writeSteps(
  writer: ImageWriter,
  log: Log,
  saver: OrderSaver | undefined,
): Generator<number, OrderEntry | undefined> {
  for (let number = 0, bytes = 0; (bytes = writer.writeNext(log.nextSequence - 1)) > 0; number++) {
    saver?.onTable(number);
    yield bytes;
  }
  return saver && (yield* saver.write(writer.counts, (bytes) => writer.append(bytes)));
}

function describeLog(log: Log, from: Map<number, number>): About {
  return {
    storeId: toHex(log.storeId),
    sequence: log.nextSequence - 1,
    generation: log.manifestFile.generation,
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
 * Loads the image of the index. Returns `undefined` if there is none or if it does not fit the log. The index keeps the
 * file open until all its tables have been read.
 */
export function loadImage(log: Log, manifest: Manifest): { index: ImageIndex; known: Replayed } | undefined {
  let handle: FileHandle | undefined;
  try {
    handle = log.platform.open(log.path(IMAGE_NAME), "read");
    const image = imageIn(handle, log, manifest);
    if (image === undefined) handle.close();
    return image;
  } catch {
    // The image is derived data. Whatever is wrong with it, the log has everything.
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
  const read = (number: number, isGrowing: boolean): Partition | undefined => {
    try {
      const partition = reader.read(number, isGrowing);
      const entries = partition?.entries.subarray(0, partition.count * ENTRY_FIELDS);
      return entries !== undefined && pointsInto(entries, log, known) ? partition : undefined;
    } catch {
      return undefined;
    }
  };
  const source: PartitionSource = {
    live: partitions.map(({ live }) => live),
    expiry: partitions.map(({ expiry = Infinity }) => expiry),
    // A second attempt is cheap. Giving up on the image means reading the whole log.
    read: (number, isGrowing) => read(number, isGrowing) ?? read(number, isGrowing),
    close: () => handle.close(),
  };
  const arePlaces = (entries: Uint32Array) => pointsInto(entries, log, known);
  const saved = savedOrder({ handle, end: reader.end, layout: (number) => reader.layout(number), arePlaces }, footer);
  for (const account of about.segments) restoreAccount(account, log.segments.get(account.number));
  return {
    index: new ImageIndex(seed, source, saved),
    known: {
      sequence: about.sequence,
      partitionSequence: (number) => partitions[number]!.sequence,
      from: (segment) => known.get(segment.number)?.from,
      hasLost: about.segments.some((account) => !log.segments.has(account.number)),
    },
  };
}

/** The order of the keys that an image has. */
function savedOrder(image: SavedIn, { order }: ImageFooter<About>): SavedOrder | undefined {
  if (order === undefined || !areCounts([order.refs, order.keys, order.checksum, order.now])) return undefined;
  return image.end + 4 * order.refs + order.keys <= image.handle.size() ? new SavedOrder(image, order) : undefined;
}

/** Whether an image describes an earlier state of this log: what it covers of the remaining segments is still there. */
function fits(about: About, log: Log, manifest: Manifest): boolean {
  if (about.storeId !== toHex(log.storeId) || !areCounts([about.generation, about.sequence])) return false;
  if (about.generation > manifest.generation || about.sequence >= manifest.nextSequence) return false;
  return about.segments.every((account) => {
    if (!areCounts(REQUIRED_COUNTS.map((name) => account[name])) || !areCounts([account.lowestSequence ?? 0])) {
      return false;
    }
    // No file of a segment is larger, so that sums of these are exact.
    if (Math.max(account.liveBytes, account.tombstoneBytes, account.markBytes) >= 2 ** 32) return false;
    const segment = log.segments.get(account.number);
    if (segment === undefined) return account.number < manifest.nextSegment;
    const { headerBytes, endBytes, salt } = segment;
    const isSame = account.salt === salt && headerBytes <= account.from && account.from <= endBytes;
    return isSame && probe(segment, account.from) === account.probe;
  });
}

/** Whether all values are non-negative integers. JSON may have anything in their place. */
function areCounts(values: unknown[]): boolean {
  return values.every((value) => Number.isSafeInteger(value) && (value as number) >= 0);
}

/** Whether every place in the entries of a partition lies within a segment of the log, or in a known segment that is gone. */
function pointsInto(entries: Uint32Array, log: Log, known: Map<number, SegmentAccount>): boolean {
  // Neighbouring entries are mostly in the same segment, so it is looked up only when it changes.
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

/** Sets a segment's counts to those in the image. */
function restoreAccount(account: SegmentAccount, segment: Segment | undefined): void {
  if (segment === undefined) return;
  segment.liveBytes = account.liveBytes;
  segment.tombstoneBytes = account.tombstoneBytes;
  segment.highestTombstone = account.highestTombstone;
  segment.markBytes = account.markBytes;
  // JSON has no Infinity: for a segment without records, `lowestSequence` comes back as null.
  segment.lowestSequence = Math.min(segment.lowestSequence, account.lowestSequence ?? Infinity);
  segment.highestSequence = Math.max(segment.highestSequence, account.highestSequence);
}

function probe(segment: Segment, end: number): number {
  const start = Math.max(0, end - PROBE_BYTES);
  return crc32(readUpTo(segment.handle, end - start, start));
}
