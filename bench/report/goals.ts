/**
 * What is wanted, as ratios within one run, and whether it was reached.
 *
 * @module
 */

import type { RuntimeKind } from "../engine.ts";
import { ENGINES } from "../engines/mod.ts";
import { KEY_BYTES } from "../workloads/data.ts";
import { metricOf, shown } from "./metrics.ts";
import { find, keysOf, type Results } from "./results.ts";

/** How a goal turned out. */
export interface Verdict {
  /** What was measured. */
  workload: string;
  /** What is wanted. */
  goal: string;
  /** Our figure, and what it is compared with. */
  found: string;
  /** The ratio; for memory and stalls the figure itself. */
  ratio?: number;
  /** Whether it was reached; absent where something was not measured. */
  isMet?: boolean;
}

/** Engines that a figure may be compared with: the best of some, or one by its name. */
type Against =
  | "best native peer"
  | "best peer"
  | "lmdb or classic-level"
  | "lmdb"
  | "classic-level"
  | "Deno KV"
  | "Map"
  | "raw file";

interface Comparison {
  metric: string;
  /** Beside few entries or beside the most, where both are measured. */
  besideFew?: boolean;
  /** Which of ours, if not the usual one. */
  engine?: string;
  against: Against;
  /** At least so many times the other's operations; or at most so many times its time. */
  factor: number;
  /** The other's figure, if another one does what ours does. */
  theirs?: string;
  /** Where it is wanted, if not on both. */
  on?: RuntimeKind;
}

/** How many times as fast as Deno KV its calls are to be here. */
const OVER_DENO_KV = { "kv-get": 4, "kv-many": 12, "kv-serial": 0.9, "kv-list": 1.5, "kv-index": 5 };

const COMPARISONS: Comparison[] = [
  { metric: "fill", against: "best native peer", factor: 3 },
  { metric: "fill", against: "Map", factor: 0.7 },
  { metric: "overwrite", against: "best native peer", factor: 2.5 },
  { metric: "overwrite", against: "Map", factor: 0.7 },
  { metric: "batch", against: "best native peer", factor: 3 },
  { metric: "get", against: "lmdb", factor: 2 },
  { metric: "get", engine: "kvstore without cache", against: "lmdb", factor: 1.3 },
  { metric: "get-string", against: "lmdb", factor: 1.5 },
  { metric: "get-missing", against: "best native peer", factor: 1.2 },
  { metric: "durable-serial", against: "raw file", factor: 0.9, on: "deno" },
  { metric: "durable-serial", against: "raw file", factor: 0.95, on: "node" },
  { metric: "durable-many", against: "best peer", factor: 2 },
  { metric: "durable-many", against: "classic-level", factor: 2 },
  { metric: "durable-batch", theirs: "durable-many", against: "classic-level", factor: 2 },
  { metric: "open", against: "classic-level", factor: 1 },
  { metric: "set-4k", against: "best peer", factor: 1.5 },
  { metric: "get-4k", against: "lmdb", factor: 1 },
  { metric: "get-1m", against: "lmdb", factor: 1 },
  { metric: "scan", against: "lmdb or classic-level", factor: 1.2 },
  { metric: "prefix", against: "lmdb", factor: 1.2 },
  { metric: "reopen", against: "classic-level", factor: 2, on: "deno" },
  { metric: "range-open", against: "classic-level", factor: 2 },
  { metric: "queue", against: "classic-level", factor: 5 },
  { metric: "feed", against: "classic-level", factor: 3 },
  ...["range-open", "scan", "prefix", "queue", "feed"].map((metric): Comparison => (
    { metric, engine: "KvLevel", against: "classic-level", factor: 1 }
  )),
  ...[true, false].flatMap((besideFew) =>
    Object.entries(OVER_DENO_KV).map(([metric, factor]): Comparison => (
      { metric, engine: "openKv", against: "Deno KV", factor, besideFew }
    ))
  ),
];

/** A goal that is a ratio of two of our own figures, or a figure alone. */
interface Own {
  workload: string;
  goal: string;
  most?: number;
  least?: number;
  found: (look: Look) => { value: number; text: string } | undefined;
}

/** Our figure of a metric, at a number of keys. */
type Look = { figure(metric: string, keys: number): number | undefined; keys(metric: string): number[] };

/** Where growth is measured from. */
const GROWTH_FROM = 100_000;

const OWN: Own[] = [
  ratioOf("atomic batches of 1,000", "at least 1.5 × single sets", { least: 1.5 }, ["batch-turn", "single-turn"]),
  ...["first-set", "first-new"].flatMap((metric) =>
    [0, -1].map((size): Own => ({
      workload: `${metricOf(metric).title}, ${size === 0 ? "beside fewer" : "beside more"}`,
      goal: "at most 3 × the first get of another process",
      most: 3,
      found: (look) => ratioAt(look, [metric, "first-get"], look.keys(metric).at(size)),
    }))
  ),
  ratioOf("open behind a crash", "at most 2 × reading the same bytes", { most: 2 }, ["crash-open", "crash-read"]),
  ratioOf("`kvstore import`", "at least 1 × `.import` by sqlite3", { least: 1 }, ["import", "import-sqlite"]),
  atLeast("export", 60),
  atMost("prefix-first", 60),
  atMost("range-open", 15),
  {
    workload: "memory beyond the key's bytes",
    goal: "at most 33 bytes a key",
    most: 33,
    found: (look) => {
      const keys = look.keys("memory-known").at(-1);
      const bytes = keys === undefined ? undefined : look.figure("memory-known", keys);
      if (bytes === undefined) return undefined;
      return { value: bytes - KEY_BYTES, text: `${shown(bytes - KEY_BYTES)} bytes a key at ${shown(keys!)} keys` };
    },
  },
  ratioOf("compaction", "at least 0.4 × a sequential copy", { least: 0.4 }, ["compaction", "compaction-copy"]),
  {
    workload: "longest stall during compaction",
    goal: "at most 10 ms",
    most: 10,
    found: (look) => {
      const value = look.figure("compaction-stall", look.keys("compaction-stall").at(-1) ?? 0);
      const quiet = look.figure("compaction-stall-quiet", look.keys("compaction-stall").at(-1) ?? 0);
      if (value === undefined || quiet === undefined) return undefined;
      return { value, text: `${shown(value)} ms; without compaction ${shown(quiet)} ms` };
    },
  },
  ratioOf("p99 of gets during compaction", "at most 3 × that of quiet times", { most: 3 }, [
    "compaction-p99",
    "compaction-p99-quiet",
  ]),
  ...Object.entries({ "growth-get": 3, "growth-set": 2 }).map(([metric, most]): Own => ({
    workload: `${metricOf(metric).title} as the store grows`,
    goal: `at most ${most} × that at 100,000 keys`,
    most,
    found: (look) => compare(look, metric, [look.keys(metric).at(-1), GROWTH_FROM]),
  })),
  ...["shell", "shell-set"].map((metric): Own => ({
    workload: metricOf(metric).title,
    goal: "at most 1.5 × the same on an empty store",
    most: 1.5,
    found: (look) => compare(look, metric, [look.keys(metric)[1], 0]),
  })),
  atMost("set-slowest", 2),
];

function atMost(metric: string, most: number): Own {
  return { ...alone(metric), goal: `at most ${most} ${metricOf(metric).unit}`, most };
}

function atLeast(metric: string, least: number): Own {
  return { ...alone(metric), goal: `at least ${least} ${metricOf(metric).unit}`, least };
}

function alone(metric: string): Pick<Own, "workload" | "found"> {
  const { title, unit } = metricOf(metric);
  return {
    workload: title,
    found: (look) => {
      const value = look.figure(metric, look.keys(metric).at(-1) ?? 0);
      return value === undefined ? undefined : { value, text: `${shown(value)} ${unit}` };
    },
  };
}

function ratioOf(
  workload: string,
  goal: string,
  limit: { most?: number; least?: number },
  metrics: [string, string],
): Own {
  return { workload, goal, ...limit, found: (look) => ratioAt(look, metrics, look.keys(metrics[0]).at(-1)) };
}

function ratioAt(look: Look, [metric, base]: [string, string], keys: number = 0): ReturnType<Own["found"]> {
  const [one, other] = [look.figure(metric, keys), look.figure(base, keys)];
  if (one === undefined || other === undefined) return undefined;
  const { unit } = metricOf(metric);
  return { value: one / other, text: `${shown(one)} to ${shown(other)} ${unit} at ${shown(keys)} keys` };
}

function compare(
  look: Look,
  metric: string,
  [keys, baseKeys]: [number | undefined, number],
): { value: number; text: string } | undefined {
  if (keys === undefined || keys <= baseKeys) return undefined;
  const [one, other] = [look.figure(metric, keys), look.figure(metric, baseKeys)];
  if (one === undefined || other === undefined) return undefined;
  const { unit } = metricOf(metric);
  return {
    value: one / other,
    text: `${shown(one)} ${unit} at ${shown(keys)} keys, ${shown(other)} at ${shown(baseKeys)}`,
  };
}

/** All goals on a runtime. */
export function verdicts(results: Results, runtime: RuntimeKind): Verdict[] {
  const look: Look = {
    figure: (metric, keys) => find(results, { runtime, engine: "kvstore", metric, keys })?.median,
    keys: (metric) => {
      const ours = results.measurements.filter(({ engine }) => engine === "kvstore");
      return keysOf({ ...results, measurements: ours }, runtime, metric);
    },
  };
  return [
    ...COMPARISONS.filter(({ on = runtime }) => on === runtime).map((comparison) =>
      compared(results, runtime, comparison)
    ),
    ...OWN.map(({ workload, goal, most, least, found }): Verdict => {
      const outcome = found(look);
      if (outcome === undefined) return { workload, goal, found: "" };
      const isMet = (most === undefined || outcome.value <= most) && (least === undefined || outcome.value >= least);
      return { workload, goal, found: outcome.text, ratio: outcome.value, isMet };
    }),
  ];
}

function compared(results: Results, runtime: RuntimeKind, comparison: Comparison): Verdict {
  const { metric, engine = "kvstore", against, factor, besideFew, theirs = metric } = comparison;
  const { title, unit } = metricOf(metric);
  const isTime = unit === "ms";
  const beside = besideFew === undefined ? "" : `, beside ${besideFew ? "few" : "many"}`;
  const workload = engine === "kvstore" ? title : `${title}${beside}; ${engine}`;
  const verdict = { workload, goal: `at ${isTime ? "most" : "least"} ${factor} × ${against}`, found: "" };
  const all = keysOf(results, runtime, metric);
  // each peer at the most keys that both were measured at, or at the fewest
  const sizes = besideFew === true ? all : all.toReversed();
  const found = candidates(against).flatMap((peer) => {
    const pairs = sizes.flatMap((keys) => {
      const ours = find(results, { runtime, engine, metric, keys })?.median;
      const other = find(results, { runtime, engine: peer, metric: theirs, keys })?.median;
      return ours === undefined || other === undefined ? [] : [{ peer, keys, ours, other, ratio: ours / other }];
    });
    return pairs.slice(0, 1);
  });
  const closest = found.sort((a, b) => isTime ? b.ratio - a.ratio : a.ratio - b.ratio)[0];
  if (closest === undefined) return verdict;
  const { peer, keys, ours, other, ratio } = closest;
  const at = besideFew === undefined && keys < all.at(-1)! ? ` at ${shown(keys)} keys` : "";
  const text = `${shown(ours)} to ${peer}'s ${shown(other)} ${unit}${at}`;
  return { ...verdict, found: text, ratio, isMet: isTime ? ratio <= factor : ratio >= factor };
}

function candidates(against: Against): string[] {
  if (against === "best native peer") return ENGINES.filter(({ role }) => role === "native").map(({ name }) => name);
  if (against === "lmdb or classic-level") return ["lmdb", "classic-level"];
  if (against === "Deno KV") return ["Deno.openKv", "@deno/kv"];
  if (against !== "best peer") return [against];
  return ENGINES.filter(({ role }) => role === "native" || role === "script").map(({ name }) => name);
}
