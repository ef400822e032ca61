/**
 * Time in a log is its sequence numbers. A timeline divides those that occur into so many steps of equal width; gaps,
 * such as the one of 2^32 that recovery leaves behind a crash, take no time.
 *
 * @module
 */

/** Sequence numbers from the first to the second, both included. */
export type Span = readonly [first: number, last: number];

/** The stretches of sequence numbers that occur, cut into steps. */
export class Timeline {
  /** How many steps: at most as many as there are sequence numbers. */
  readonly steps: number;
  readonly #spans: Span[];
  readonly #firsts: number[];
  /** How many sequence numbers lie before each span. */
  readonly #before: number[] = [];
  readonly #total: number;
  /** The span of the last question: the next one is mostly about the same. */
  #recent = 0;

  /** A timeline of these spans, which may overlap and come in any order. */
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

  /** When a sequence number was given out, from 0 to below `steps`. */
  at(sequence: number): number {
    if (this.#total === 0) return 0;
    const span = this.#find(sequence);
    const [first, last] = this.#spans[span]!;
    const within = Math.min(Math.max(sequence - first, 0), last - first);
    // Multiplied first: else what begins a step may be rounded into the one before.
    return ((this.#before[span]! + within) * this.steps) / this.#total;
  }

  /** The step in which a sequence number was given out, from 0 on. */
  stepOf(sequence: number): number {
    return Math.min(this.steps - 1, Math.floor(this.at(sequence)));
  }

  /** The last sequence number of each step. */
  lastOfEach(): number[] {
    if (this.#total === 0) return [0];
    return Array.from({ length: this.steps }, (_, step) => {
      const passed = Math.ceil(((step + 1) * this.#total) / this.steps) - 1;
      const span = lastUpTo(this.#before, passed);
      return this.#spans[span]![0] + passed - this.#before[span]!;
    });
  }

  /** The span that holds a number, or the last one before it. */
  #find(sequence: number): number {
    const recent = this.#spans[this.#recent]!;
    if (recent[0] <= sequence && sequence <= recent[1]) return this.#recent;
    this.#recent = Math.max(0, lastUpTo(this.#firsts, sequence));
    return this.#recent;
  }
}

/** The position of the last of some rising numbers that is not above a limit; -1 if all are. */
function lastUpTo(rising: readonly number[], limit: number): number {
  const above = rising.findIndex((number) => number > limit);
  return above < 0 ? rising.length - 1 : above - 1;
}

/** Spans in order, without overlaps. */
function joined(spans: readonly Span[]): Span[] {
  const result: [number, number][] = [];
  for (const [first, last] of spans.filter(([a, b]) => a > 0 && a <= b).sort((a, b) => a[0] - b[0])) {
    const former = result.at(-1);
    if (former === undefined || former[1] + 1 < first) result.push([first, last]);
    else former[1] = Math.max(former[1], last);
  }
  return result;
}
