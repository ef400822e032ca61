/**
 * Lists of problems, which stay short whatever a damaged or forged store gives to list.
 *
 * @module
 */
import type { Problem } from "../types.ts";
import type { Found } from "./scan.ts";

/** A list holds so many problems one by one. One entry more says how many are not listed. */
export const MAX_LISTED = 1000;
/** At most so many ranges of sequence numbers are told apart. */
export const MAX_RANGES = 1000;

/** How many problems are left out of a list. */
const leftOut = new WeakMap<Problem[], number>();

/** A problem at a step of a scan, at another stretch of a file, or, without `at`, of the file as a whole. */
export function problemOf(
  file: string,
  reason: string,
  at: Pick<Found, "offset" | "length"> = { offset: 0, length: 0 },
): Problem {
  return { file, offset: at.offset, length: at.length, reason };
}

/** Adds a problem to a list, or counts it there if the list is full. */
export function list(problems: Problem[], problem: Problem): void {
  if (problems.length < MAX_LISTED) return void problems.push(problem);
  const count = (leftOut.get(problems) ?? 0) + 1;
  leftOut.set(problems, count);
  problems[MAX_LISTED] = problemOf(problem.file, `the last of ${count} more that are not listed`);
}

/** Ranges in order, without overlaps. If there are too many, the last one reaches over all that follow. */
export function merged(ranges: [number, number][]): [number, number][] {
  const result: [number, number][] = [];
  for (const [first, last] of ranges.filter(([a, b]) => a <= b).sort((a, b) => a[0] - b[0])) {
    const former = result.at(-1);
    if (former === undefined || (former[1] + 1 < first && result.length < MAX_RANGES)) result.push([first, last]);
    else former[1] = Math.max(former[1], last);
  }
  return result;
}
