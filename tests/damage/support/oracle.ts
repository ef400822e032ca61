/**
 * The oracle: what verify must report, and what repair must keep, of a store whose segments differ from what they were
 * in any bytes whatever. It knows where the records lay, and compares bytes; it decodes nothing that is damaged.
 *
 * @module
 */

import type { Problem } from "../../../mod.ts";
import { KIND } from "../../../src/engine/record.ts";
import type { MemoryPlatform } from "../../support/memory_platform.ts";
import type { LaidRecord, LaidSegment, Layout } from "./layout.ts";

/** What is to be expected. */
export interface Expected {
  problems: Problem[];
  notes: Problem[];
  lostKeys: string[];
  /** Records that are gone without a trace. */
  lost: LaidRecord[];
  /** Records that are intact and count. */
  kept: LaidRecord[];
  /** Contents after a repair: strings as JSON. */
  contents: Map<string, string>;
  /** Segments that are damaged. */
  damaged: string[];
}

/** How reasons that do not follow from the place alone are written in an expectation. */
export const REASON = {
  header: "(of a segment's header)",
  record: "(of a record's header)",
  tail: "(of a torn tail)",
  value: "checksum of a value",
  cut: "the file ends within a record's value",
  short: "the file ends before its recorded end",
  past: "bytes past the recorded end",
};

const CLASSES: [RegExp, string][] = [
  [/^(no segment header|checksum of the segment header|the segment header is that of another file)$/, REASON.header],
  [
    /^(no record header|checksum of a record's header and key|the file ends within a record's (header|key))$/,
    REASON.record,
  ],
  [/^a torn tail: ./, REASON.tail],
];

/** A report with its reasons as the oracle gives them. */
export function classed(problems: Problem[]): Problem[] {
  return problems.map((problem) => {
    const known = CLASSES.find(([pattern]) => pattern.test(problem.reason));
    return known === undefined ? problem : { ...problem, reason: known[1] };
  });
}

type State = "whole" | "value" | "bad";

/** A record that was found, and whether its value is. */
interface Met {
  record: LaidRecord;
  problem: Problem | undefined;
}

/** What must be said of the segments. */
export function expectedOf(layout: Layout, damaged: MemoryPlatform): Expected {
  const expected: Expected = {
    problems: [],
    notes: [],
    lostKeys: [],
    lost: [],
    kept: [],
    contents: new Map(),
    damaged: [],
  };
  const met: Met[] = [];
  for (const segment of layout.segments) {
    const before = expected.problems.length;
    met.push(...judge(segment, damaged.readFile(segment.path), expected));
    if (expected.problems.length > before) expected.damaged.push(segment.name);
  }
  expected.kept = met.filter(({ problem }) => problem === undefined).map(({ record }) => record);
  settle(met, expected);
  return expected;
}

function judge(segment: LaidSegment, now: Uint8Array, expected: Expected): Met[] {
  const { name: file, bytes: was, records } = segment;
  const isTouched = (from: number, end: number) => {
    for (let at = from; at < end; at++) if (at >= now.length || now[at] !== was[at]) return true;
    return false;
  };
  const stateOf = ({ offset, keyEnd, end }: LaidRecord): State =>
    isTouched(offset, keyEnd) ? "bad" : isTouched(keyEnd, end) ? "value" : "whole";
  const states = records.map(stateOf);
  let required = segment.recordedEnd;
  if (!segment.isSealed) {
    records.forEach(({ markOffset, offset }, i) => {
      if (states[i] === "whole" && offset >= segment.recordedEnd) required = Math.max(required, markOffset);
    });
  }
  const met: Met[] = [];
  let gap: { offset: number; reason: string } | undefined;
  if (isTouched(0, segment.headerBytes)) gap = { offset: 0, reason: REASON.header };
  let at = 0;
  for (; at < records.length && records[at]!.offset < required; at++) {
    const record = records[at]!;
    if (states[at] === "bad" || (gap !== undefined && states[at] === "value")) {
      gap ??= { offset: record.offset, reason: REASON.record };
      expected.lost.push(record);
      continue;
    }
    if (gap !== undefined) expected.problems.push({ file, ...gap, length: record.offset - gap.offset });
    gap = undefined;
    met.push({ record, problem: states[at] === "whole" ? undefined : valueProblem(file, record, now.length) });
    if (met.at(-1)!.problem !== undefined) expected.problems.push(met.at(-1)!.problem!);
  }
  if (now.length < required) {
    const offset = Math.min(gap?.offset ?? now.length, now.length);
    expected.problems.push({
      file,
      offset,
      length: required - offset,
      reason: gap?.offset === 0 && now.length >= 44 ? REASON.header : REASON.short,
    });
  } else if (gap !== undefined) expected.problems.push({ file, ...gap, length: required - gap.offset });
  if (now.length > required) met.push(...judgeTail(segment, { now, required, at, states }, expected));
  return met;
}

function valueProblem(file: string, { offset, end, kind, key }: LaidRecord, size: number): Problem {
  const problem: Problem = { file, offset, length: end - offset, reason: end > size ? REASON.cut : REASON.value };
  return kind === KIND.set ? { ...problem, key, olderVersion: false } : problem;
}

/** Behind what must be there: of a segment being written, whole records and batches up to the first bad byte. */
function judgeTail(
  { name: file, isSealed, records }: LaidSegment,
  { now, required, at, states }: { now: Uint8Array; required: number; at: number; states: State[] },
  expected: Expected,
): Met[] {
  const met: Met[] = [];
  let end = required;
  for (let i = at; !isSealed && i < records.length && states[i] === "whole"; i++) {
    const record = records[i]!;
    if (!record.goesOn) end = record.end;
    met.push({ record, problem: undefined });
  }
  const reason = isSealed ? REASON.past : REASON.tail;
  if (end < now.length) expected.notes.push({ file, offset: end, length: now.length - end, reason });
  return met.filter(({ record }) => record.end <= end);
}

/** Contents, by sequence number; a damaged value counts as a tombstone, and its key is lost if that is the newest. */
function settle(met: Met[], expected: Expected): void {
  const bySequence = met.slice().sort((a, b) => a.record.sequence - b.record.sequence);
  const lost = new Map<string, Problem>();
  const everSet = new Set<string>();
  for (const { record: { kind, key, value }, problem } of bySequence) {
    if (kind === KIND.mark) continue;
    if (kind === KIND.clear) {
      expected.contents.clear();
      lost.clear();
    } else expected.contents.delete(key);
    lost.delete(key);
    if (kind !== KIND.set) continue;
    if (problem !== undefined) {
      problem.olderVersion = everSet.has(key);
      lost.set(key, problem);
    } else {
      expected.contents.set(key, JSON.stringify(value));
      everSet.add(key);
    }
  }
  const listed = [...lost].sort(([, a], [, b]) => expected.problems.indexOf(a) - expected.problems.indexOf(b));
  expected.lostKeys = listed.map(([key]) => key);
}
