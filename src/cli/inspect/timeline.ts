/**
 * The timeline of a log. Its time is the sequence numbers that occur, divided into steps of equal width. Gaps take no
 * time, such as the gap of 2^32 that recovery leaves after a crash.
 *
 * @module
 */

/** Sequence numbers from the first to the last, inclusive. */
export type Span = readonly [first: number, last: number];

/** Sequence numbers that occur, divided into steps. */
export class Timeline {
  /** Number of steps: at most the number of sequence numbers. */
  readonly steps: number;
  readonly #spans: Span[];
  readonly #firsts: number[];
  /** Number of sequence numbers before each span. */
  readonly #before: number[] = [];
  readonly #total: number;
  /** The span that was found last. The next search is mostly for the same one. */
  #recent = 0;

  /** Makes a timeline of spans, which may overlap and come in any order. */
  constructor(spans: readonly Span[], mostSteps: number) {
    this.#spans = joined(spans);
    this.#firsts = this.#spans.map(([first]) => first);
    let total = 0;
    for (const [first, last] of this.#spans) {
      this.#before.push(total);
      total += last - first + 1;
    }
    this.#total = total;
    this.steps = Math.max(1, Math.min(mostSteps, total));
  }

  /** Returns the time of a sequence number, from 0 to below `steps`. */
  at(sequence: number): number {
    if (this.#total === 0) return 0;
    const span = this.#find(sequence);
    const [first, last] = this.#spans[span]!;
    const within = Math.min(Math.max(sequence - first, 0), last - first);
    // Multiplied first, so that rounding does not move the beginning of a step into the step before.
    return ((this.#before[span]! + within) * this.steps) / this.#total;
  }

  /** Returns the step of a sequence number, from 0 on. */
  stepOf(sequence: number): number {
    return Math.min(this.steps - 1, Math.floor(this.at(sequence)));
  }

  /** Returns the last sequence number of each step. */
  lastOfEach(): number[] {
    if (this.#total === 0) return [0];
    return Array.from({ length: this.steps }, (_, step) => {
      const passed = Math.ceil(((step + 1) * this.#total) / this.steps) - 1;
      const span = lastUpTo(this.#before, passed);
      return this.#spans[span]![0] + passed - this.#before[span]!;
    });
  }

  /** Finds the span of a number, or the last span before it. */
  #find(sequence: number): number {
    const recent = this.#spans[this.#recent]!;
    if (recent[0] <= sequence && sequence <= recent[1]) return this.#recent;
    this.#recent = Math.max(0, lastUpTo(this.#firsts, sequence));
    return this.#recent;
  }
}

/** Returns the position of the last number up to a limit in a rising list; -1 if all are above it. */
function lastUpTo(rising: readonly number[], limit: number): number {
  const above = rising.findIndex((number) => number > limit);
  return above < 0 ? rising.length - 1 : above - 1;
}

/** Sorts spans and joins those that touch or overlap. */
function joined(spans: readonly Span[]): Span[] {
  const result: [number, number][] = [];
  for (const [first, last] of spans.filter(([a, b]) => a > 0 && a <= b).sort((a, b) => a[0] - b[0])) {
    const former = result.at(-1);
    if (former === undefined || former[1] + 1 < first) result.push([first, last]);
    else former[1] = Math.max(former[1], last);
  }
  return result;
}
