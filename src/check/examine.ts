/**
 * The examination of segments: reads every byte, and says of each whether it is what it should be. Verify reports what
 * it finds; repair, and opening with salvage, act on it.
 *
 * @module
 */
import { Index } from "../engine/index.ts";
import { FLAG_MORE, FLAG_STRING_KEY, KIND } from "../engine/record.ts";
import { type Segment, SEGMENT_HEADER_BYTES } from "../engine/segment.ts";
import { Slices } from "../platform/turn.ts";
import type { Key, Problem } from "../types.ts";
import { decodeKey, nameOf } from "../engine/keys.ts";
import { Replay } from "../engine/replay.ts";
import { type Found, type Pace, scan } from "./scan.ts";

/** A segment under examination. */
export interface Examined {
  /** The name of its file. */
  name: string;
  /** Name of the file that it was found in: the same, unless files were renamed. */
  file: string;
  /** What is in that file, if it is there and ours. Its `endBytes` are where the records that count end. */
  segment: Segment | undefined;
  /** What is wrong with the file's header, if anything is. */
  headerReason: string | undefined;
  /** The sequence numbers that may be in it, both included. */
  sequences: [first: number, last: number];
  /** Where the manifest says that its records end, or are durable. */
  recordedBytes: number;
  /** Everything before this must be intact: the same, or further on where the log itself says so. */
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
  lostSequences: [first: number, last: number][] = [];
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
    const { segment, fileBytes, recordedBytes, requiredBytes, sequences, headerReason } = examined;
    let before = sequences[0] - 1;
    let gap: Problem | undefined;
    // Up to the recorded end, even if the file is shorter: a record that lost only its value still names its key. Of a
    // damaged header nobody knows how long it is.
    const start = headerReason === undefined ? segment!.headerBytes : 0;
    const note = (offset: number, length: number, reason: string) =>
      this.#add(examined, { file: examined.file, offset, length, reason });
    if (recordedBytes < start) note(0, start, "the recorded end is within the header");
    for (const found of scan(segment!, start, requiredBytes)) {
      const { cursor, offset, length, reason, isRecord } = found;
      if (isRecord) {
        this.#takeRecord(found, segment!);
        if (gap !== undefined) this.#noteLost(examined, [before + 1, cursor.sequence - 1], gap);
        before = cursor.sequence;
        gap = undefined;
        if (reason !== undefined) this.#takeValue(found, examined);
        if (offset < recordedBytes && recordedBytes < offset + length) {
          note(offset, length, `no record ends at the recorded end at ${recordedBytes}`);
        }
      } else {
        gap = { file: examined.file, offset, length, reason: (offset === 0 ? headerReason : undefined) ?? reason! };
        if (offset + length <= fileBytes) this.#add(examined, gap);
      }
      if (pace.count(length)) await pace.pause();
    }
    if (fileBytes < requiredBytes) {
      const offset = Math.min(gap?.offset ?? fileBytes, fileBytes);
      const isHeader = gap?.offset === 0 && fileBytes >= SEGMENT_HEADER_BYTES;
      const reason = isHeader ? gap!.reason : "the file ends before its recorded end";
      note(offset, requiredBytes - offset, reason);
    }
    if (gap !== undefined) this.#noteLost(examined, [before + 1, lastBefore(examined)]);
    if (fileBytes > requiredBytes) await this.#readTail(examined, pace);
  }

  /**
   * Ends the reading: finds out which damaged values were the newest of their keys, and whether older ones are left.
   */
  async finish(segments: Examined[]): Promise<void> {
    this.highestSequence = this.#replay.finish().highest;
    this.lostSequences = merged(this.lostSequences);
    if (this.#damagedValues.length === 0) return;
    const nameOfDamaged = ({ key }: DamagedValue) => nameOf({ bytes: key, start: 0, length: key.length });
    // Of each key the lowest sequence number of an intact value.
    const lowest = new Map(this.#damagedValues.map((damaged) => [nameOfDamaged(damaged), Infinity]));
    const slices = new Slices();
    for (const { segment } of segments) {
      if (segment === undefined) continue;
      for (const { cursor, length: bytes, isRecord, reason } of scan(segment, segment.headerBytes, segment.endBytes)) {
        if (slices.count(bytes)) await slices.pause();
        if (!isRecord || reason !== undefined || cursor.kind !== KIND.set) continue;
        const { at, keyStart: start, keyLength: length } = cursor;
        const name = nameOf({ bytes: cursor.bytes, start: at + start, length });
        const known = lowest.get(name);
        if (known !== undefined) lowest.set(name, Math.min(known, cursor.sequence));
      }
    }
    for (const one of this.#damagedValues) one.problem.olderVersion = lowest.get(nameOfDamaged(one))! < one.sequence;
  }

  /** Keys whose newest value is damaged, and has not expired. */
  lostKeys(): Key[] {
    const lost = this.#damagedValues.filter(({ key, problem, segment }) => {
      const isThere = this.index.find(key, 0, key.length) && !this.index.isExpired;
      return isThere && this.index.segment === segment && this.index.offset === problem.offset;
    });
    return lost.map(({ problem }) => problem.key!);
  }

  /** Notes that nothing is known of a segment. */
  noteMissing({ sequences }: Examined): void {
    this.lostSequences.push(sequences);
  }

  #add(examined: Examined, problem: Problem): void {
    examined.isDamaged = true;
    this.problems.push(problem);
  }

  #takeRecord({ cursor, reason }: Found, segment: Segment): void {
    this.#replay.take(cursor, segment);
    if (reason === undefined) this.records++;
  }

  #takeValue({ cursor, offset, length, reason }: Found, examined: Examined): void {
    const problem: Problem = { file: examined.file, offset, length, reason: reason! };
    this.#add(examined, problem);
    if (cursor.kind !== KIND.set) return;
    const key = cursor.key.slice();
    problem.key = decodeKey(key, (cursor.flags & FLAG_STRING_KEY) !== 0);
    problem.olderVersion = false;
    this.#damagedValues.push({ problem, key, sequence: cursor.sequence, segment: examined.segment!.number });
  }

  /**
   * Notes what a stretch without records may have held: the numbers between its neighbours'. Where the records are not
   * in the order of their numbers, as in some copies, that may be anything in the segment. Between two records there
   * was one; at the beginning perhaps nothing but the header, and at the end nothing but the mark of a copy.
   */
  #noteLost({ sequences }: Examined, [first, last]: [number, number], between?: Problem): void {
    if (between?.offset === 0 && between.length <= SEGMENT_HEADER_BYTES) return;
    if (first <= last) this.lostSequences.push([first, last]);
    else if (first > last + 1 || (between?.offset ?? 0) > 0) this.lostSequences.push(sequences);
  }

  /** What lies behind the recorded end: of a crashed segment the records that recovery will take, then a torn tail. */
  async #readTail(examined: Examined, pace: Pace): Promise<void> {
    const segment = examined.segment!;
    let end = examined.requiredBytes;
    let reason = "bytes past the recorded end";
    if (!segment.sealed) {
      for (const found of scan(segment, end, examined.fileBytes)) {
        reason = "a torn tail: a batch without its end";
        if (found.reason !== undefined) {
          reason = `a torn tail: ${found.reason}`;
          break;
        }
        if ((found.cursor.flags & FLAG_MORE) === 0) end = found.offset + found.length;
        if (pace.count(found.length)) await pace.pause();
      }
      for (const found of scan(segment, examined.requiredBytes, end)) {
        this.#takeRecord(found, segment);
        if (pace.count(0)) await pace.pause();
      }
      segment.endBytes = end;
    }
    const length = examined.fileBytes - end;
    if (length > 0) this.notes.push({ file: examined.file, offset: end, length, reason });
  }
}

/** The highest number that the end of a segment may have held: of one being written, what its tail begins with says. */
function lastBefore({ segment, sequences, requiredBytes, fileBytes }: Examined): number {
  if (!segment!.sealed) {
    for (const { isRecord, cursor } of scan(segment!, requiredBytes, fileBytes)) {
      if (isRecord) return cursor.sequence - 1;
    }
  }
  return sequences[1];
}

/** Ranges in order, without overlaps. */
function merged(ranges: [number, number][]): [number, number][] {
  const result: [number, number][] = [];
  for (const [first, last] of ranges.filter(([a, b]) => a <= b).sort((a, b) => a[0] - b[0])) {
    const former = result.at(-1);
    if (former === undefined || former[1] + 1 < first) result.push([first, last]);
    else former[1] = Math.max(former[1], last);
  }
  return result;
}
