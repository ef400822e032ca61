/**
 * What runs found: figures of several rounds, and what could not be measured, as they are kept in results.json.
 *
 * @module
 */

import type { RuntimeKind } from "../engine.ts";
import type { Figure } from "../workloads/bench.ts";

/** Where and when. */
export interface Run {
  /** When it began. */
  date: string;
  /** Processor, cores, memory, file system, operating system. */
  machine: string;
  /** Versions of runtimes, engines and this library. */
  versions: Record<string, string>;
}

/** A figure of all rounds. */
export interface Measurement {
  /** Which runtime. */
  runtime: RuntimeKind;
  /** Which engine. */
  engine: string;
  /** Which metric. */
  metric: string;
  /** Keys in the store. */
  keys: number;
  /** A value for each round, in the metric's unit. */
  rounds: number[];
  /** The one in the middle. */
  median: number;
  /** When the run began that it is of. */
  date: string;
}

/** What there is no figure of, with the reason. */
export interface Absence {
  /** Which runtime. */
  runtime: RuntimeKind;
  /** Which engine. */
  engine: string;
  /** Which part of the benchmark, or all of it. */
  part: string;
  /** Why. */
  reason: string;
}

/** All that is kept. */
export interface Results {
  /** The last run. */
  run: Run;
  /** Figures. */
  measurements: Measurement[];
  /** What is missing. */
  absences: Absence[];
}

/** The middle of some numbers; between the two middle ones of an even number. */
export function median(numbers: number[]): number {
  if (numbers.length === 0) throw new Error("there is no median of nothing");
  const sorted = numbers.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1]!, sorted[sorted.length >> 1]!];
  return (low + high) / 2;
}

/** Rounds that differ by no larger share of their median say the same. */
const SAME = 0.1;

/** Whether another round would hardly change the median. */
export function isSettled({ rounds, median }: Measurement): boolean {
  return rounds.length > 1 && Math.max(...rounds) - Math.min(...rounds) <= SAME * median;
}

/** Collects the figures of a run. */
export class Collection {
  readonly #run: Run;
  readonly #measurements = new Map<string, Measurement>();
  readonly #absences = new Map<string, Absence>();

  /** Empty. */
  constructor(run: Run) {
    this.#run = run;
  }

  /** Takes in a figure of a round. */
  add({ runtime, engine, keys }: { runtime: RuntimeKind; engine: string; keys: number }, figure: Figure): Measurement {
    const of = { runtime, engine, metric: figure.metric, keys: figure.keys ?? keys };
    const known = this.#measurements.get(nameOf(of)) ?? { ...of, rounds: [], median: 0, date: this.#run.date };
    known.rounds.push(figure.value);
    known.median = median(known.rounds);
    this.#measurements.set(nameOf(of), known);
    return known;
  }

  /** Notes what cannot be measured, once. */
  miss(absence: Absence): void {
    const name = placeOf(absence);
    if (!this.#absences.has(name)) this.#absences.set(name, absence);
  }

  /** Whether it is known that this cannot be measured. */
  isMissing(runtime: RuntimeKind, engine: string, part: string): boolean {
    return ["all", part].some((part) => this.#absences.has(placeOf({ runtime, engine, part })));
  }

  /** What was found so far. */
  results(): Results {
    return {
      run: this.#run,
      measurements: [...this.#measurements.values()],
      absences: [...this.#absences.values()],
    };
  }
}

/**
 * Puts newer results in the place of older ones of the same figures, or, with `adds`, counts their rounds together;
 * keeps the others.
 */
export function merge(older: Results, newer: Results, options: { adds?: boolean } = {}): Results {
  const measurements = new Map(older.measurements.map((one) => [nameOf(one), one]));
  for (const one of newer.measurements) {
    const rounds = [...(options.adds === true ? measurements.get(nameOf(one))?.rounds ?? [] : []), ...one.rounds];
    measurements.set(nameOf(one), { ...one, rounds, median: median(rounds) });
  }
  const absences = new Map(older.absences.map((one) => [placeOf(one), one]));
  for (const one of newer.absences) absences.set(placeOf(one), one);
  const versions = { ...older.run.versions };
  for (const [name, version] of Object.entries(newer.run.versions)) {
    // the figures that stay are of the older version
    const known = versions[name] ?? version;
    versions[name] = known.includes(version) ? known : `${known} and ${version}`;
  }
  return {
    run: { ...newer.run, versions },
    measurements: [...measurements.values()],
    absences: [...absences.values()],
  };
}

function nameOf({ runtime, engine, metric, keys }: Omit<Measurement, "rounds" | "median" | "date">): string {
  return [runtime, engine, metric, keys].join("\n");
}

function placeOf({ runtime, engine, part }: Omit<Absence, "reason">): string {
  return [runtime, engine, part].join("\n");
}

/** The keys that a metric was measured at, on a runtime, in rising order. */
export function keysOf({ measurements }: Results, runtime: RuntimeKind, metric: string): number[] {
  const found = measurements.filter((one) => one.runtime === runtime && one.metric === metric);
  return [...new Set(found.map(({ keys }) => keys))].sort((a, b) => a - b);
}

/** A figure, if there is one. */
export function find(
  { measurements }: Results,
  { runtime, engine, metric, keys }: { runtime: RuntimeKind; engine: string; metric: string; keys: number },
): Measurement | undefined {
  return measurements.find((one) =>
    one.runtime === runtime && one.engine === engine && one.metric === metric && one.keys === keys
  );
}
