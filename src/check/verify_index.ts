/**
 * Whether an index agrees with the log: the index of an open store, or the one that opening would load from an image.
 *
 * @module
 */
import { asIo, KvStoreError } from "../errors.ts";
import { Index, type KeyBytes, PARTITIONS, type Place } from "../engine/index.ts";
import { ENTRY_FIELDS, formOf } from "../engine/partition.ts";
import { ImageDamaged, type ImageIndex } from "../lazy_index/image_index.ts";
import { decodeKey } from "../store/keys.ts";
import { Log } from "../engine/log.ts";
import { Replay, type Replayed } from "../engine/replay.ts";
import type { Segment } from "../engine/segment.ts";
import { shadowOf } from "../lazy_index/shadow.ts";
import { loadImage } from "../image/image_file.ts";
import { IMAGE_NAME } from "../image/image.ts";
import { loadOrder, OrderWrong } from "../saved_order/load.ts";
import { OrderDamaged } from "../saved_order/saved.ts";
import { finishInSlices, Slices } from "../platform/turn.ts";
import type { Platform } from "../platform/types.ts";
import type { Problem } from "../types.ts";
import { list, problemOf } from "./problems.ts";
import type { StoreSurvey } from "./survey.ts";
import type { Verification } from "./verification.ts";

/** At most so many wrong keys are listed one by one. */
const MAX_LISTED = 100;

/** What a table of the index counts for in slices: enough to look at the clock after each, however many keys it has. */
const TABLE_BYTES = 64 * 1024;

/** What a segment's bytes are worth, as text to compare and to show. */
export function accountOf(segment: Segment): string {
  const { liveBytes, expiredBytes, staleBytes, tombstoneBytes, graveBytes, markBytes } = segment;
  const tombstones = `${tombstoneBytes + graveBytes} tombstone bytes`;
  return `${liveBytes - expiredBytes} live, ${staleBytes} stale (marks: ${markBytes}), ${tombstones}`;
}

/** Verifies the image of the index: with the records after it, it must make the index that the log alone makes. */
export async function verifyImage(
  platform: Platform,
  directory: string,
  { manifest, segments, found }: StoreSurvey & { found: Verification },
): Promise<Problem[]> {
  const shadows = segments.map(({ segment }) => shadowOf(segment!));
  const log = new Log({ platform, directory, lock: undefined }, manifest, shadows);
  const image = loadImage(log, manifest);
  let index: ImageIndex | undefined;
  const problems: Problem[] = [];
  try {
    if (image !== undefined) {
      const wrong = await verifyOrder(image.index, found);
      if (wrong !== undefined) problems.push(wrong);
      await replayInSlices(image.index, log.segments, image.known);
      // As at opening: if one table is damaged, the others still count.
      image.index.rebuild = () => withSeed(found.index, image.index.seed);
      await eachTable((number) => void image.index.existing(number));
    }
    index = image?.index;
  } catch (error) {
    if (error instanceof KvStoreError && error.code === "CORRUPT") {
      return [problemOf(IMAGE_NAME, error.reason ?? error.message)];
    }
    if (!(error instanceof ImageDamaged)) throw error;
  } finally {
    image?.index.close();
  }
  const isWhole = index?.isMended === false;
  if (!isWhole && asIo(`list ${directory}`, () => platform.list(directory)).includes(IMAGE_NAME)) {
    list(found.notes, problemOf(IMAGE_NAME, "it does not fit the log and will be rebuilt"));
  }
  if (index === undefined) return [];
  const find = (bytes: Uint8Array) => index.find(bytes, 0, bytes.length) ? index : undefined;
  problems.push(...await verifyIndex(IMAGE_NAME, found.index, index.size, find));
  for (const { name, segment } of segments) {
    const [account, expected] = [log.segments.get(segment!.number)!, segment!].map(accountOf);
    if (account === expected) continue;
    list(problems, problemOf(IMAGE_NAME, `the account of ${name} is ${account}; the log says ${expected}`));
  }
  return problems;
}

/** Verifies the order of the keys that an image has, before anything is replayed: every key must be in its place. */
async function verifyOrder(index: ImageIndex, found: Verification): Promise<Problem | undefined> {
  const { saved } = index;
  if (saved === undefined) return undefined;
  try {
    const { known } = await finishInSlices(loadOrder(index, saved));
    await eachTable((number) => {
      const { count = 0, entries, expiries } = index.existing(number) ?? {};
      for (let id = 0; id < count; id++) {
        const time = expiries?.timeOf(id) ?? 0;
        const isDispensable = entries![id * ENTRY_FIELDS + 1] === 0 || (time !== 0 && time <= saved.entry.now);
        if (isDispensable || (known[number]![id >>> 3]! >>> (id & 7) & 1) !== 0) continue;
        throw new OrderWrong("a key is missing");
      }
    });
  } catch (error) {
    if (error instanceof OrderWrong) return problemOf(IMAGE_NAME, `the order of its keys is wrong: ${error.message}`);
    if (error instanceof OrderDamaged) list(found.notes, problemOf(IMAGE_NAME, "its order of keys will be made anew"));
    // Of damaged tables, opening says whether it can do without them.
    else if (!(error instanceof ImageDamaged)) throw error;
  }
  return undefined;
}

/** Replays in slices what `known` does not cover of some segments, which are in the order of their numbers. */
async function replayInSlices(index: Index, segments: ReadonlyMap<number, Segment>, known: Replayed): Promise<void> {
  const replay = new Replay(index, segments, known);
  const slices = new Slices();
  for (const segment of segments.values()) {
    for (const length of replay.records(segment)) if (slices.count(length)) await slices.pause();
  }
  replay.finish();
}

/** A copy of an index with another seed, so that its tables fit into an index with that seed. */
function withSeed(index: Index, seed: number): Index {
  const other = new Index(seed);
  index.each((key) => {
    const { segment, offset, length, isString, expiresAt } = index;
    if (segment !== 0) other.put(key, segment, offset, formOf(length, isString), expiresAt);
  });
  return other;
}

/**
 * Verifies the keys and places of an index against `expected`, the index that the log makes. Neither may change
 * meanwhile: this pauses for other work.
 */
export async function verifyIndex(
  file: string,
  expected: Index,
  size: number,
  find: (key: Uint8Array) => Place | undefined,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  if (size !== expected.size) problems.push(problemOf(file, `it has ${size} keys; the log has ${expected.size}`));
  const visit = ({ bytes, start, length: keyLength }: KeyBytes) => {
    const { segment, offset, length, isString, expiresAt } = expected;
    if (segment === 0 || expected.isExpired || problems.length >= MAX_LISTED) return;
    const key = bytes.subarray(start, start + keyLength);
    const place = find(key);
    const isSame = place?.segment === segment && place.offset === offset && place.length === length;
    if (isSame && place.isString === isString && place.expiresAt === expiresAt) return;
    const where = place === undefined ? "no place" : `segment ${place.segment} at byte ${place.offset}`;
    const problem = problemOf(file, `a key has ${where}; its record lies in segment ${segment} at byte ${offset}`);
    problems.push({ ...problem, key: decodeKey(key, isString) });
  };
  await eachTable((number) => expected.eachOf(number, visit));
  return problems;
}

/** Calls `visit` with the number of each table of an index, and pauses for other work. */
async function eachTable(visit: (number: number) => void): Promise<void> {
  const slices = new Slices();
  for (let number = 0; number < PARTITIONS; number++) {
    visit(number);
    if (slices.count(TABLE_BYTES)) await slices.pause();
  }
}
