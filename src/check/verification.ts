/**
 * A verification: reads every byte of the surveyed segments and collects what is damaged, what is lost, and the index
 * that the intact records make. Verify reports it; repair, and opening with salvage, act on it.
 *
 * @module
 */
import { Index } from "../engine/index.ts";
import { decodeKey, nameOf } from "../store/keys.ts";
import { FLAG_STRING_KEY, KIND } from "../engine/record.ts";
import { Replay } from "../engine/replay.ts";
import { type Segment, SEGMENT_HEADER_BYTES } from "../engine/segment.ts";
import { Slices } from "../platform/turn.ts";
import type { Key, Problem, WorkOptions } from "../types.ts";
import { list, merged, problemOf } from "./problems.ts";
import { type Found, scan, slicesFor } from "./scan.ts";
import type { SurveyedFile } from "./survey.ts";

/** A record whose value is damaged. */
interface DamagedValue {
  problem: Problem;
  key: Uint8Array;
  sequence: number;
  segment: number;
}

/** What a verification has found. */
export class Verification {
  /** Damage. */
  readonly problems: Problem[];
  /** What is worth a mention and does no harm. */
  readonly notes: Problem[] = [];
  /** Ranges of sequence numbers that damaged or missing bytes may have held. */
  lostSequences: [first: number, last: number][] = [];
  /** The index that the log makes. */
  readonly index: Index = new Index();
  /** Number of intact records. */
  records = 0;
  /** Highest sequence number met. */
  highestSequence = 0;
  readonly #segments: SurveyedFile[];
  readonly #damagedValues: DamagedValue[] = [];
  readonly #replay: Replay;

  /** A verification of segments. It adds what it finds to `problems`. */
  constructor(segments: SurveyedFile[], problems: Problem[]) {
    const open = segments.flatMap(({ segment }) => segment ?? []);
    this.#segments = segments;
    this.problems = problems;
    this.#replay = new Replay(this.index, new Map(open.map((segment) => [segment.number, segment])));
  }

  /**
   * Reads all segments, and counts their live and other bytes. `check` is called at pauses, and may throw to stop it.
   */
  async run(options: WorkOptions, check?: () => void): Promise<void> {
    const slices = slicesFor(options, this.#segments.reduce((sum, { fileBytes }) => sum + fileBytes, 0), check);
    for (const surveyed of this.#segments) {
      if (surveyed.segment === undefined) this.lostSequences.push(surveyed.sequences);
      else await this.#read(surveyed, surveyed.segment, slices);
    }
    this.highestSequence = this.#replay.finish().highest;
    this.lostSequences = merged(this.lostSequences);
    if (this.#damagedValues.length > 0) await this.#findOlderVersions();
  }

  async #read(surveyed: SurveyedFile, segment: Segment, slices: Slices): Promise<void> {
    const { file, fileBytes, startBytes, recordedBytes, requiredBytes, sequences, headerReason } = surveyed;
    const report = (reason: string, offset: number, length: number) =>
      this.#report(surveyed, problemOf(file, reason, { offset, length }));
    let before = sequences[0] - 1;
    let gap: Problem | undefined;
    if (recordedBytes < startBytes) report("the recorded end is within the header", 0, startBytes);
    // Up to the recorded end, even if the file is shorter: a record that lost only its value still names its key.
    for (const found of scan(segment, startBytes, requiredBytes)) {
      const { cursor, offset, length, reason, isRecord } = found;
      if (isRecord) {
        this.#takeRecord(found, segment);
        if (gap !== undefined) this.#noteLost(surveyed, [before + 1, cursor.sequence - 1], gap);
        before = cursor.sequence;
        gap = undefined;
        if (reason !== undefined) this.#takeDamagedValue(found, surveyed);
        if (offset < recordedBytes && recordedBytes < offset + length) {
          report(`no record ends at the recorded end at ${recordedBytes}`, offset, length);
        }
      } else {
        gap = problemOf(file, (offset === 0 ? headerReason : undefined) ?? reason!, found);
        if (offset + length <= fileBytes) this.#report(surveyed, gap);
      }
      if (slices.count(length)) await slices.pause();
    }
    if (fileBytes < requiredBytes) {
      const offset = Math.min(gap?.offset ?? fileBytes, fileBytes);
      const isHeader = gap?.offset === 0 && fileBytes >= SEGMENT_HEADER_BYTES;
      const reason = isHeader ? gap!.reason : "the file ends before its recorded end";
      report(reason, offset, requiredBytes - offset);
    }
    if (gap !== undefined) this.#noteLost(surveyed, [before + 1, lastBefore(surveyed)]);
    for (const found of scan(segment, requiredBytes, segment.endBytes)) {
      this.#takeRecord(found, segment);
      if (slices.count(found.length)) await slices.pause();
    }
    const { endBytes: offset } = segment;
    if (offset < fileBytes) {
      list(this.notes, problemOf(file, surveyed.tailReason, { offset, length: fileBytes - offset }));
    }
  }

  /** Finds out which of the keys with a damaged value have an older, intact one. */
  async #findOlderVersions(): Promise<void> {
    const nameOfDamaged = ({ key }: DamagedValue) => nameOf({ bytes: key, start: 0, length: key.length });
    // For each key the lowest sequence number of an intact value.
    const lowest = new Map(this.#damagedValues.map((damaged) => [nameOfDamaged(damaged), Infinity]));
    const slices = new Slices();
    for (const { segment } of this.#segments) {
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

  /** The keys whose newest value is damaged and has not expired. */
  lostKeys(): Key[] {
    const { index } = this;
    const lost = this.#damagedValues.filter(({ key, problem, segment }) => {
      const isThere = index.find(key, 0, key.length) && !index.isExpired;
      return isThere && index.segment === segment && index.offset === problem.offset;
    });
    return lost.map(({ problem }) => problem.key!);
  }

  #report(surveyed: SurveyedFile, problem: Problem): void {
    surveyed.isDamaged = true;
    list(this.problems, problem);
  }

  #takeRecord({ cursor, reason }: Found, segment: Segment): void {
    this.#replay.take(cursor, segment);
    if (reason === undefined) this.records++;
  }

  #takeDamagedValue(found: Found, surveyed: SurveyedFile): void {
    const { cursor, reason } = found;
    const problem = problemOf(surveyed.file, reason!, found);
    this.#report(surveyed, problem);
    if (cursor.kind !== KIND.set) return;
    const key = cursor.key.slice();
    problem.key = decodeKey(key, (cursor.flags & FLAG_STRING_KEY) !== 0);
    problem.olderVersion = false;
    this.#damagedValues.push({ problem, key, sequence: cursor.sequence, segment: surveyed.segment!.number });
  }

  /**
   * Notes the sequence numbers that a stretch without records may have held: those between its neighbours' numbers. If
   * the neighbours are out of order, as in some copies, that may be any number of the segment. A stretch between two
   * records held at least one record. One at the start of the file may have held only the header, and one at the end
   * only the mark that ends a copy.
   */
  #noteLost({ sequences }: SurveyedFile, [first, last]: [number, number], between?: Problem): void {
    if (between?.offset === 0 && between.length <= SEGMENT_HEADER_BYTES) return;
    if (first <= last) this.lostSequences.push([first, last]);
    else if (first > last + 1 || (between?.offset ?? 0) > 0) this.lostSequences.push(sequences);
  }
}

/** The highest sequence number that damage at the required end may have held: in an active segment, its tail tells. */
function lastBefore({ segment, sequences, requiredBytes, fileBytes }: SurveyedFile): number {
  if (!segment!.sealed) {
    for (const { isRecord, cursor } of scan(segment!, requiredBytes, fileBytes)) {
      if (isRecord) return cursor.sequence - 1;
    }
  }
  return sequences[1];
}
