/**
 * Whether an index says what the log says: the one in memory, or the one that an image and the records behind it make.
 *
 * @module
 */
import { asIo, KvStoreError } from "../errors.ts";
import { IMAGE_NAME } from "../image/image.ts";
import { formOf, ImageDamaged, Index, type KeyBytes, PARTITIONS, type Place } from "../engine/index.ts";
import { Log } from "../engine/log.ts";
import type { Manifest } from "../engine/manifest.ts";
import { type Segment, shadowOf } from "../engine/segment.ts";
import { Slices } from "../platform/turn.ts";
import type { Platform } from "../platform/types.ts";
import type { Problem } from "../types.ts";
import { loadImage } from "../image/checkpoint.ts";
import type { Examination, Examined } from "./examine.ts";
import { decodeKey } from "../engine/keys.ts";
import { replayInSlices } from "../engine/replay.ts";

/** Mismatches between index and log that are listed one by one. */
const MAX_LISTED = 100;

/** Enough for a look at the clock behind each table of the index: it may have any number of keys. */
const TABLE_BYTES = 64 * 1024;

/** A segment's account, for comparing and for messages. */
export function accountOf(segment: Segment): string {
  const { liveBytes, expiredBytes, staleBytes, tombstoneBytes, graveBytes, markBytes } = segment;
  const tombstones = `${tombstoneBytes + graveBytes} tombstone bytes`;
  return `${liveBytes - expiredBytes} live, ${staleBytes} stale (marks: ${markBytes}), ${tombstones}`;
}

/** Compares what image and replay make of the log with what the log alone makes. */
export async function checkImage(
  platform: Platform,
  directory: string,
  { manifest, segments, found }: { manifest: Manifest; segments: Examined[]; found: Examination },
): Promise<Problem[]> {
  const log = new Log({ platform, directory, lock: undefined }, manifest);
  for (const { segment } of segments) log.adopt(shadowOf(segment!));
  let index: Index | undefined;
  try {
    const image = loadImage(log, manifest);
    if (image !== undefined) await replayInSlices(image.index, log.segments, image.known);
    index = image?.index;
    if (index !== undefined) {
      // As it is for who opens the store: where one table is damaged, the others count.
      const { seed } = index;
      index.rebuild = () => withSeed(found.index, seed);
      await eachTable((number) => void image!.index.existing(number));
      index.loadAll();
    }
  } catch (error) {
    if (error instanceof ImageDamaged) index = undefined;
    else if (error instanceof KvStoreError && error.code === "CORRUPT") {
      return [problemOf(IMAGE_NAME, error.reason ?? error.message)];
    } else throw error;
  } finally {
    log.closeImage();
  }
  const isWhole = index?.isMended === false;
  if (!isWhole && asIo(`list ${directory}`, () => platform.list(directory)).includes(IMAGE_NAME)) {
    found.notes.push(problemOf(IMAGE_NAME, "it does not fit the log and will be rebuilt"));
  }
  if (index === undefined) return [];
  const find = (bytes: Uint8Array) => index.find(bytes, 0, bytes.length) ? index : undefined;
  const problems = await compare(IMAGE_NAME, found.index, index.size, find);
  for (const { segment } of segments) {
    const other = accountOf(log.segments.get(segment!.number)!);
    if (other !== accountOf(segment!)) {
      problems.push(
        problemOf(IMAGE_NAME, `the account of ${segment!.name} is ${other}; the log says ${accountOf(segment!)}`),
      );
    }
  }
  return problems;
}

/** A copy of an index with another seed, so that single tables can be taken from it. */
function withSeed(index: Index, seed: number): Index {
  const other = new Index(seed);
  index.each((key) => {
    const { segment, offset, length, isString, expiresAt } = index;
    if (segment !== 0) other.put(key, segment, offset, formOf(length, isString), expiresAt);
  });
  return other;
}

/** Compares an index with the one that the log makes: keys and places. In slices: both must stay as they are. */
export async function compare(
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
    problems.push({
      ...problemOf(file, `a key has ${where}; its record lies in segment ${segment} at byte ${offset}`),
      key: decodeKey(key, isString),
    });
  };
  await eachTable((number) => expected.eachOf(number, visit));
  return problems;
}

/** Does something with the number of each table of an index, in slices. */
async function eachTable(visit: (number: number) => void): Promise<void> {
  const slices = new Slices();
  for (let number = 0; number < PARTITIONS; number++) {
    visit(number);
    if (slices.count(TABLE_BYTES)) await slices.pause();
  }
}

/** A problem of a whole file. */
export function problemOf(file: string, reason: string): Problem {
  return { file, offset: 0, length: 0, reason };
}
