/**
 * The examination of a store's files: reads every byte, and says of each whether it is what it should be. Verify
 * reports what it finds; repair, and opening with salvage, act on it.
 *
 * @module
 */
import { toHex } from "../bytes.ts";
import { ioError, KvStoreError } from "../errors.ts";
import { Index } from "../index/index.ts";
import { type Manifest, MANIFEST_NAME, type ManifestSegment } from "../log/manifest.ts";
import { FLAG_MORE, FLAG_STRING_KEY, KIND } from "../log/record.ts";
import { highestMark } from "../log/recovery.ts";
import { readSegmentHeader, Segment, SEGMENT_HEADER_BYTES, segmentName } from "../log/segment.ts";
import type { FileHandle, Platform } from "../platform/types.ts";
import type { Key, Problem, WorkOptions } from "../types.ts";
import { decodeKey, nameOf } from "./keys.ts";
import { manifestOf } from "./open.ts";
import { rebuildManifest } from "./rebuild.ts";
import { Replay } from "./replay.ts";
import { type Found, Pace, scan } from "./scan.ts";

/** A segment under examination. */
export interface Examined {
  /** What the manifest says of it. */
  listed: ManifestSegment;
  /** The file, if it is there and ours. Its `endBytes` are where the records that count end. */
  segment: Segment | undefined;
  /** Everything before this must be intact. */
  requiredBytes: number;
  /** Size of the file. */
  fileBytes: number;
  /** Whether anything that must be intact is not. */
  isDamaged: boolean;
}

/** A record whose value does not check out. */
interface DamagedValue {
  problem: Problem;
  key: Uint8Array;
  sequence: number;
  segment: number;
}

/** What an examination found. */
export class Examination {
  /** Damage. */
  readonly problems: Problem[] = [];
  /** Harmless things. */
  readonly notes: Problem[] = [];
  /** Sequence numbers of which nothing is known any more. */
  readonly lostSequences: [first: number, last: number][] = [];
  /** The index that the log makes. */
  readonly index: Index = new Index();
  /** Intact records. */
  records = 0;
  /** Highest sequence number met. */
  highestSequence = 0;
  /** Damaged values, with the place and sequence number of their records. */
  readonly #damagedValues: DamagedValue[] = [];
  readonly #replay: Replay;

  /** An examination of these segments. */
  constructor(segments: Map<number, Segment>) {
    this.#replay = new Replay(this.index, segments);
  }

  /** Reads a segment: up to `requiredBytes` everything must be intact, behind it the first bad byte ends the log. */
  async read(examined: Examined, pace: Pace): Promise<void> {
    const segment = examined.segment!;
    let before = 0;
    // Up to the recorded end, even if the file is shorter: a record that lost only its value still names its key.
    for (const found of scan(segment, segment.headerBytes, examined.requiredBytes)) {
      if (found.isRecord) this.#takeRecord(found, segment);
      if (found.reason !== undefined) this.#takeDamage(found, examined);
      if (found.isRecord && examined.isDamaged) this.#noteGap(before, found.cursor.sequence);
      if (found.isRecord) before = found.cursor.sequence;
      if (pace.count(found.length)) await pace.pause();
    }
    if (examined.fileBytes < examined.requiredBytes) {
      examined.isDamaged = true;
      const length = examined.requiredBytes - examined.fileBytes;
      this.problems.push({
        file: segment.name,
        offset: examined.fileBytes,
        length,
        reason: "the file ends before its recorded end",
      });
    }
    if (examined.isDamaged && examined.listed.highestSequence > before) {
      this.#noteGap(before, examined.listed.highestSequence + 1);
    }
    if (examined.fileBytes > examined.requiredBytes) await this.#readTail(examined, pace);
  }

  /**
   * Ends the reading: finds out which damaged values were the newest of their keys, and whether older ones are left.
   */
  finish(segments: Examined[]): void {
    this.highestSequence = this.#replay.finish().highest;
    if (this.#damagedValues.length === 0) return;
    const byKey = new Map<string, DamagedValue[]>();
    for (const damaged of this.#damagedValues) {
      const name = nameOf({ bytes: damaged.key, start: 0, length: damaged.key.length });
      byKey.set(name, [...byKey.get(name) ?? [], damaged]);
    }
    for (const { segment, requiredBytes } of segments) {
      if (segment === undefined) continue;
      for (const { cursor, isRecord, reason } of scan(segment, segment.headerBytes, requiredBytes)) {
        if (!isRecord || reason !== undefined || cursor.kind !== KIND.set) continue;
        const { at, keyStart: start, keyLength: length } = cursor;
        for (const damaged of byKey.get(nameOf({ bytes: cursor.bytes, start: at + start, length })) ?? []) {
          if (cursor.sequence < damaged.sequence) damaged.problem.olderVersion = true;
        }
      }
    }
  }

  /** Keys whose newest value is damaged. */
  lostKeys(): Key[] {
    const lost = this.#damagedValues.filter(({ key, problem, segment }) => {
      const isThere = this.index.find(key, 0, key.length);
      return isThere && this.index.segment === segment && this.index.offset === problem.offset;
    });
    return lost.map(({ problem }) => problem.key!);
  }

  #takeRecord({ cursor, reason }: Found, segment: Segment): void {
    this.#replay.take(cursor, segment);
    if (reason === undefined) this.records++;
  }

  #takeDamage({ cursor, offset, length, reason, isRecord }: Found, examined: Examined): void {
    examined.isDamaged = true;
    const problem: Problem = { file: segmentName(examined.listed.number), offset, length, reason: reason! };
    this.problems.push(problem);
    if (!isRecord || cursor.kind !== KIND.set) return;
    const key = cursor.key.slice();
    problem.key = decodeKey(key, (cursor.flags & FLAG_STRING_KEY) !== 0);
    problem.olderVersion = false;
    this.#damagedValues.push({ problem, key, sequence: cursor.sequence, segment: examined.listed.number });
  }

  #noteGap(before: number, after: number): void {
    if (after - before > 1) this.lostSequences.push([before + 1, after - 1]);
  }

  /** What lies behind the recorded end: of a crashed segment the records that recovery will take, then a torn tail. */
  async #readTail(examined: Examined, pace: Pace): Promise<void> {
    const segment = examined.segment!;
    let end = examined.requiredBytes;
    let reason = "bytes past the recorded end";
    if (segment.sealed) {
      this.#noteTail(examined, end, reason);
      return;
    }
    for (const found of scan(segment, end, examined.fileBytes)) {
      reason = "a torn tail: a batch without its end";
      if (found.reason !== undefined) {
        reason = `a torn tail: ${found.reason}`;
        break;
      }
      if ((found.cursor.flags & FLAG_MORE) === 0) end = found.offset + found.length;
      if (pace.count(found.length)) await pace.pause();
    }
    for (const found of scan(segment, examined.requiredBytes, end)) this.#takeRecord(found, segment);
    segment.endBytes = end;
    this.#noteTail(examined, end, reason);
  }

  #noteTail({ segment, fileBytes }: Examined, offset: number, reason: string): void {
    if (fileBytes > offset) this.notes.push({ file: segment!.name, offset, length: fileBytes - offset, reason });
  }
}

/** A store's files, examined; the files are open until `close`. */
export interface ExaminedStore {
  /** The manifest, or one put together from the segments if it could not be read. */
  manifest: Manifest;
  /** Whether the manifest was put together. */
  isRebuilt: boolean;
  /** The segments that the manifest lists. */
  segments: Examined[];
  /** What was found. */
  found: Examination;
  /** Closes the files. */
  close(): void;
}

/**
 * Examines the store in a directory; it needs no lock, and the store may be one that `open` refuses. Throws `NOT_FOUND`
 * or `FORMAT`.
 */
export async function examineStore(
  platform: Platform,
  directory: string,
  options: WorkOptions,
): Promise<ExaminedStore> {
  const { manifest, problem } = manifestOrRebuilt(platform, directory);
  const segments: Examined[] = [];
  const open = new Map<number, Segment>();
  const close = () => open.forEach((segment) => segment.handle.close());
  const found = new Examination(open);
  if (problem !== undefined) found.problems.push(problem);
  try {
    for (const listed of manifest.segments) {
      const examined = openListed(platform, directory, manifest, listed, found);
      segments.push(examined);
      if (examined.segment !== undefined) open.set(listed.number, examined.segment);
      else noteLost(found, listed, manifest);
    }
    const pace = new Pace(options, segments.reduce((sum, { fileBytes }) => sum + fileBytes, 0));
    for (const examined of segments) if (examined.segment !== undefined) await found.read(examined, pace);
    found.finish(segments);
    return { manifest, isRebuilt: problem !== undefined, segments, found, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Of a segment that is missing: all its sequence numbers; of the one being written, all behind those of the others. */
function noteLost(found: Examination, listed: ManifestSegment, manifest: Manifest): void {
  const sealed = Math.max(0, ...manifest.segments.map(({ highestSequence }) => highestSequence));
  const [first, last] = listed.sealedBytes > 0
    ? [listed.lowestSequence, listed.highestSequence]
    : [sealed + 1, manifest.nextSequence - 1];
  if (first <= last) found.lostSequences.push([first, last]);
}

function manifestOrRebuilt(platform: Platform, directory: string): { manifest: Manifest; problem?: Problem } {
  try {
    return { manifest: manifestOf(platform, directory, false) };
  } catch (error) {
    if (!(error instanceof KvStoreError) || error.code !== "CORRUPT") throw error;
    const { offset = 0, reason = error.message } = error;
    const problem = { file: MANIFEST_NAME, offset, length: 0, reason };
    return { manifest: rebuildManifest(platform, directory), problem };
  }
}

function openListed(
  platform: Platform,
  directory: string,
  manifest: Manifest,
  listed: ManifestSegment,
  found: Examination,
): Examined {
  const file = segmentName(listed.number);
  const sealed = listed.sealedBytes > 0;
  const examined: Examined = {
    listed,
    segment: undefined,
    requiredBytes: listed.sealedBytes,
    fileBytes: 0,
    isDamaged: true,
  };
  let handle: FileHandle;
  try {
    handle = platform.open(`${directory}/${file}`, "read");
  } catch (error) {
    if (!platform.isNotFound(error)) throw ioError(`open ${file}`, error);
    found.problems.push({ file, offset: 0, length: listed.sealedBytes, reason: "the file is missing" });
    return examined;
  }
  examined.fileBytes = handle.size();
  let header = { number: listed.number, storeId: manifest.storeId, salt: listed.salt, inputs: [] as number[] };
  try {
    header = readSegmentHeader(handle, file);
    examined.isDamaged = header.number !== listed.number || header.salt !== listed.salt ||
      toHex(header.storeId) !== toHex(manifest.storeId);
    if (examined.isDamaged) {
      handle.close();
      found.problems.push({
        file,
        offset: 0,
        length: examined.fileBytes,
        reason: "the segment header is that of another file",
      });
      return examined;
    }
  } catch (error) {
    if (!(error instanceof KvStoreError) || error.code !== "CORRUPT") {
      handle.close();
      throw error;
    }
    const { reason = error.message } = error;
    found.problems.push({ file, offset: 0, length: Math.min(examined.fileBytes, SEGMENT_HEADER_BYTES), reason });
  }
  const segment = new Segment(header, handle, { endBytes: listed.sealedBytes, sealed: sealed || manifest.clean });
  segment.cleanAsOf = listed.cleanAsOf;
  if (!sealed) {
    examined.requiredBytes = manifest.clean
      ? manifest.mark.offset
      : highestMark(segment, manifest.mark.offset, examined.fileBytes);
  }
  segment.endBytes = examined.requiredBytes;
  examined.segment = segment;
  return examined;
}
