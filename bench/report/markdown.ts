/**
 * The page of tables and plots.
 *
 * @module
 */

import { table } from "../../scripts/npm/results.ts";
import { PARTS, type RuntimeKind } from "../engine.ts";
import { ENGINES } from "../engines/mod.ts";
import { LIMIT_SECONDS, WHOLE } from "../keys.ts";
import { type Verdict, verdicts } from "./goals.ts";
import { METRICS, shown } from "./metrics.ts";
import { find, keysOf, type Results } from "./results.ts";

const NAMES: Record<RuntimeKind, string> = { deno: "Deno", node: "Node" };
const RUNTIMES: RuntimeKind[] = ["node", "deno"];

/** The page as Markdown. `plots` are the names of the files beside it. */
export function page(results: Results, plots: { file: string; title: string }[]): string {
  const runtimes = RUNTIMES.filter((runtime) => results.measurements.some((one) => one.runtime === runtime));
  const { date, machine, versions } = results.run;
  const dates = [...new Set(results.measurements.map((one) => one.date.slice(0, 10)))].sort();
  return [
    "# Benchmark",
    "",
    "Written by `deno task bench`; [results.json](results.json) has every round. Keys have 16 bytes, values 100 random",
    "bytes, where nothing else is said. Engines take turns within each round, each in a process of its own; figures are",
    "medians of as many rounds as the tables say. [Durability](#durability) is the same on both sides of each",
    `comparison, where the engine allows it. An engine that cannot write all keys within ${
      LIMIT_SECONDS * WHOLE
    } seconds`,
    "gets a tenth of them, and so do we, in rows of their own: goals compare both sides at the same number of keys.",
    "",
    `${machine}; ${dates.length > 1 ? `${dates[0]} to ${dates.at(-1)}` : date.slice(0, 10)}.`,
    `Versions: ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")}.`,
    "",
    ...runtimes.flatMap((runtime) => [
      `## Goals, on ${NAMES[runtime]}`,
      "",
      goalsTable(verdicts(results, runtime)),
      "",
    ]),
    ...runtimes.flatMap((runtime) => [`## Figures, on ${NAMES[runtime]}`, "", figuresTable(results, runtime), ""]),
    "## Durability",
    "",
    "Fill, overwrite and batches are acknowledged once they survive the death of the process, synced sets once they",
    "survive a power cut.",
    "",
    table(
      ["engine", "fill, overwrite, batches", "synced sets"],
      ENGINES.map(({ name, writes }) => [
        name,
        writes.write,
        writes.sync,
      ]),
    ),
    "",
    "## What is not measured",
    "",
    "Whole commands, first calls, crashes and compaction are of kvstore alone; opening in a process that holds 2 GB is",
    "of kvstore and classic-level. Queue, feed and the first range after opening are of kvstore, KvLevel, lmdb and",
    "classic-level; growth is of kvstore, lmdb and classic-level, and strings are of these, Map and raw file. The calls",
    "of Deno KV are of those that have them, with values that are objects.",
    "",
    absencesTable(results),
    "",
    ...(plots.length === 0 ? [] : ["## Plots", ""]),
    ...plots.flatMap(({ file, title }) => [`![${title}](${file})`, ""]),
  ].join("\n");
}

/** Goals with their ratios. */
export function goalsTable(goals: Verdict[]): string {
  return table(
    ["workload", "goal", "found", "ratio", "met"],
    goals.map(({ workload, goal, found, ratio, isMet }) => [
      workload,
      goal,
      found === "" ? "not measured" : found,
      ratio === undefined ? "" : ratio.toFixed(2),
      isMet === undefined ? "" : isMet ? "yes" : "**no**",
    ]),
  );
}

/** A row for each metric and number of keys, a column for each engine that has figures. */
export function figuresTable(results: Results, runtime: RuntimeKind): string {
  const engines = ENGINES.map(({ name }) => name).filter((engine) =>
    results.measurements.some((one) => one.runtime === runtime && one.engine === engine)
  );
  const rows = METRICS.flatMap(({ name, title, unit }) =>
    keysOf(results, runtime, name).map((keys) => {
      const found = engines.map((engine) => find(results, { runtime, engine, metric: name, keys }));
      const rounds = roundsOf(found.flatMap((one) => one === undefined ? [] : [one.rounds.length]));
      const cells = found.map((one) => one === undefined ? "" : shown(one.median));
      return [title, keys.toLocaleString("en-US"), rounds, unit, ...cells];
    })
  );
  return table(["workload", "keys", "rounds", "unit", ...engines], rows);
}

/** How many rounds there were, from the fewest to the most of an engine. */
function roundsOf(rounds: number[]): string {
  const [fewest, most] = [Math.min(...rounds), Math.max(...rounds)];
  return fewest === most ? `${most}` : `${fewest} to ${most}`;
}

/** Absences with the same reason on both runtimes are one row. */
function absencesTable({ absences }: Results): string {
  const lines = new Map<string, { engine: string; part: string; on: string[]; reason: string }>();
  const add = (runtime: RuntimeKind, engine: string, part: string, reason: string) => {
    const name = [engine, part, reason].join("\n");
    const line = lines.get(name) ?? { engine, part, on: [], reason };
    if (!line.on.includes(NAMES[runtime])) line.on.push(NAMES[runtime]);
    lines.set(name, line);
  };
  for (const { runtime, engine, part, reason } of absences) add(runtime, engine, part, reason);
  const order = (part: string) => PARTS.findIndex((one) => one === part);
  const rows = [...lines.values()].sort((a, b) => order(a.part) - order(b.part));
  return table(
    ["engine", "part", "on", "reason"],
    rows.map(({ engine, part, on, reason }) => [
      engine,
      part === "all" ? "everything" : part,
      on.toSorted().join(", "),
      reason.replaceAll("|", "\\|").replaceAll("\n", " "),
    ]),
  );
}
