/**
 * Draws the charts with uPlot: how the log grew, how old its bytes are, how large keys and values are.
 *
 * @module
 */

import uPlot from "uplot";
import { counted, grouped, humanBytes, percentage } from "../../text/format.ts";
import type { LogSummary } from "../log_summary.ts";
import { element, styleValue } from "./dom.ts";

const CHART_HEIGHT = 190;
/** 1, 2, 4, … KiB, MiB, GiB, and 1, 2, 5, 10, … */
const BYTE_INCREMENTS = Array.from({ length: 45 }, (_, i) => 2 ** i);
const COUNT_INCREMENTS = Array.from({ length: 36 }, (_, i) => [1, 2, 5][i % 3]! * 10 ** Math.floor(i / 3));
const FONT = "12px system-ui, sans-serif";

/** The texts and numbers of a chart. */
interface ChartPlan {
  title: string;
  about: string;
  /** The chart in a sentence, for screen readers too. */
  summary: string;
  /** What the horizontal axis counts. */
  axis: string;
  data: number[][];
  series: { name: string; colour: string; isBars: boolean; fill?: string }[];
  xText: (x: number) => string;
  /** The possible steps of the vertical axis. */
  increments: number[];
  yText: (y: number) => string;
  /** The sentence for a place on the horizontal axis. */
  say: (x: number) => string;
  isCategorical: boolean;
}

/** Draws all charts into a box. Returns a function that redraws them after a change of colours or width. */
export function drawCharts(data: LogSummary, box: HTMLElement): () => void {
  const plans = [growthPlan(data), agePlan(data), sizePlan(data, "keys"), sizePlan(data, "values")];
  const draw = () => {
    box.replaceChildren();
    for (const plan of plans) drawChart(plan, box);
  };
  draw();
  return draw;
}

function drawChart(plan: ChartPlan, box: HTMLElement): void {
  const target = element("div", { class: "plot", role: "img", "aria-label": `${plan.title}. ${plan.summary}` });
  const reading = element("p", { class: "reading" }, plan.summary);
  const legend = element("p", { class: "chart-legend" });
  for (const { name, colour } of plan.series.length > 1 ? plan.series : []) {
    const chip = element("span", { class: "chip" });
    chip.style.background = styleValue(colour);
    legend.append(element("span", {}, chip, name));
  }
  const caption = element("figcaption", {}, element("h3", {}, plan.title), element("p", { class: "hint" }, plan.about));
  box.append(element("figure", { class: "chart" }, caption, legend, target, reading));
  new uPlot(optionsOf(plan, target.clientWidth, reading), plan.data as uPlot.AlignedData, target);
}

function optionsOf(plan: ChartPlan, width: number, reading: HTMLElement): uPlot.Options {
  const count = plan.data[0]!.length;
  const axis = { stroke: styleValue("soft"), font: FONT, ticks: { show: false } };
  const bars = uPlot.paths.bars!({ size: [plan.isCategorical ? 0.78 : 0.95, 60], radius: 0.12 });
  return {
    width,
    height: CHART_HEIGHT,
    legend: { show: false },
    padding: [8, 8, 0, 0],
    scales: {
      x: { time: false, range: () => plan.isCategorical ? [-0.6, count - 0.4] : [-0.5, Math.max(0.5, count - 0.5)] },
      y: { range: (_, __, most) => [0, Math.max(1, most * 1.06)] },
    },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    axes: [
      {
        ...axis,
        label: plan.axis,
        labelFont: FONT,
        labelSize: 18,
        size: 26,
        space: 64,
        grid: { show: false },
        splits: (_, __, min, max, step) => splitsOf(min, max, Math.max(1, Math.ceil(step))),
        values: (_, splits) => splits.map((x) => x < 0 || x >= count ? "" : plan.xText(x)),
      },
      {
        ...axis,
        size: 62,
        space: 34,
        incrs: plan.increments,
        grid: { stroke: styleValue("line"), width: 1 },
        values: (_, splits) => splits.map((y) => plan.yText(y)),
      },
    ],
    series: [
      {},
      ...plan.series.map(({ colour, isBars, fill }): uPlot.Series => ({
        stroke: styleValue(colour),
        width: isBars ? 0 : 2,
        ...(isBars || fill !== undefined ? { fill: styleValue(fill ?? colour) } : {}),
        ...(isBars ? { paths: bars } : {}),
        points: { show: false },
      })),
    ],
    hooks: {
      setCursor: [({ cursor }) => {
        reading.textContent = cursor.idx === undefined || cursor.idx === null ? plan.summary : plan.say(cursor.idx);
      }],
    },
  };
}

function splitsOf(min: number, max: number, step: number): number[] {
  const splits: number[] = [];
  for (let x = Math.ceil(min); x <= max; x++) if (x % step === 0) splits.push(x);
  return splits;
}

/** Formats a number for an axis: `950`, `12k`, `3.4M`. */
export function shortNumber(number: number): string {
  if (number < 1000) return String(Math.round(number * 10) / 10);
  const [divisor, unit] = number < 1e6 ? [1e3, "k"] : number < 1e9 ? [1e6, "M"] : [1e9, "G"];
  const value = number / divisor;
  return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)}${unit}`;
}

function sums(values: number[]): number[] {
  let sum = 0;
  return values.map((value) => sum += value);
}

function bytesText(bytes: number): string {
  return bytes === 0 ? "0" : humanBytes(Math.round(bytes));
}

function growthPlan({ series, steps, keys: present, expiredKeys }: LogSummary): ChartPlan {
  const all = sums(series.appended);
  const died = sums(series.died);
  const needed = all.map((bytes, i) => Math.max(0, bytes - died[i]!));
  const keys = sums(series.keys);
  const last = steps.length - 1;
  // The log does not tell when keys expired, only which ones have expired by now.
  const keysText = (i: number) => {
    if (expiredKeys === 0) return counted(Math.max(0, keys[i]!), "key");
    if (i < last) return `${counted(Math.max(0, keys[i]!), "key")}, those that expired included`;
    return `${counted(present, "key")}, and ${grouped(expiredKeys)} that expired`;
  };
  const say = (i: number) =>
    `At sequence ${grouped(steps[i]!)}: ${bytesText(all[i]!)} in the log, ${bytesText(needed[i]!)} not superseded, ` +
    `${keysText(i)}.`;
  return {
    title: "Growth",
    about: "Every write makes the log longer. The gap between the lines is what has been superseded.",
    summary: say(last),
    axis: "sequence number",
    data: [steps.map((_, i) => i), all, needed],
    series: [
      { name: "in the log", colour: "stale-line", isBars: false, fill: "stale" },
      { name: "not superseded", colour: "live", isBars: false, fill: "live-soft" },
    ],
    xText: (x) => shortNumber(steps[x - 1] ?? 0),
    increments: BYTE_INCREMENTS,
    yText: bytesText,
    say,
    isCategorical: false,
  };
}

function agePlan({ age, steps }: LogSummary): ChartPlan {
  const all = age.live.map((live, i) => live + age.stale[i]!);
  const total = all.reduce((sum, bytes) => sum + bytes, 0);
  const half = Math.floor(steps.length / 2);
  const young = age.live.slice(half).reduce((sum, bytes) => sum + bytes, 0);
  const live = age.live.reduce((sum, bytes) => sum + bytes, 0);
  return {
    title: "Age",
    about: "The values in the log by the time they were written. The fuller the bar, the more of them are live.",
    summary: total === 0 || live === 0
      ? "There are no live values."
      : `${percentage(young, live)} of the live bytes were written in the younger half of the history.`,
    axis: "written at sequence number",
    data: [steps.map((_, i) => i), all, age.live],
    series: [
      { name: "stale by now", colour: "stale-line", isBars: true, fill: "stale-line" },
      { name: "live", colour: "live", isBars: true },
    ],
    xText: (x) => shortNumber(steps[x - 1] ?? 0),
    increments: BYTE_INCREMENTS,
    yText: bytesText,
    say: (i) =>
      `Written up to sequence ${grouped(steps[i]!)}: ${bytesText(age.live[i]!)} live, ${
        bytesText(age.stale[i]!)
      } stale.`,
    isCategorical: false,
  };
}

function sizePlan({ sizes }: LogSummary, what: "keys" | "values"): ChartPlan {
  const counts = sizes[what];
  const first = Math.max(0, counts.findIndex((count) => count > 0));
  const shown = counts.slice(first);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const range = (bucket: number) => {
    const [from, to] = bucket === 0 ? [0, 0] : [2 ** (bucket - 1), 2 ** bucket - 1];
    return from === to ? String(from) : `${shortSize(from)}–${shortSize(to)}`;
  };
  let passed = 0;
  const middle = counts.findIndex((count) => (passed += count) >= total / 2);
  const one = what === "keys" ? "key" : "value";
  return {
    title: what === "keys" ? "Sizes of keys" : "Sizes of values",
    about: `Sets in the log, by the bytes of their ${one}.`,
    summary: total === 0
      ? "There are none."
      : `Half of the ${what} have at most ${humanBytes(middle === 0 ? 0 : 2 ** middle - 1)}.`,
    axis: "bytes",
    data: [shown.map((_, i) => i), shown],
    series: [{ name: what, colour: "plain-bar", isBars: true }],
    xText: (x) => range(first + x),
    increments: COUNT_INCREMENTS,
    yText: shortNumber,
    say: (i) => `${range(first + i)} bytes: ${counted(shown[i]!, "set")} (${percentage(shown[i]!, total)}).`,
    isCategorical: true,
  };
}

function shortSize(bytes: number): string {
  return bytes < 1024
    ? String(bytes)
    : bytes < 1048576
    ? `${Math.round(bytes / 1024)}k`
    : `${Math.round(bytes / 1048576)}M`;
}
