/**
 * Plots of the figures, by Observable Plot. It comes from npm when it is needed and is no part of the repository's
 * graph of modules: its names are put together here.
 *
 * @module
 */

import { join } from "node:path";
import peers from "../peers/package.json" with { type: "json" };
import { engineOf } from "../engines/mod.ts";
import { type Metric, METRICS } from "./metrics.ts";
import type { Results } from "./results.ts";

/** The part of Observable Plot that is used. */
interface Plot {
  plot(options: Record<string, unknown>): { outerHTML: string };
  barX(data: unknown[], options: Record<string, unknown>): unknown;
  text(data: unknown[], options: Record<string, unknown>): unknown;
  ruleX(data: number[]): unknown;
}

interface Document {
  createElementNS(namespace: string, name: string): unknown;
}

/** A point of a plot. */
interface Point {
  runtime: string;
  engine: string;
  role: string;
  value: number;
  keys: number;
}

/** Colours that can be told apart on light and dark pages, and by those who see few colours. */
const COLOURS: Record<string, string> = { ours: "#d9480f", native: "#3b6ea5", script: "#7aa6d1", floor: "#9a9a9a" };

/** Draws everything that there are figures of into a folder; returns files and titles. */
export async function drawPlots(results: Results, folder: string): Promise<{ file: string; title: string }[]> {
  const plots: { file: string; title: string }[] = [];
  const tools = await load();
  for (const metric of METRICS) {
    if (metric.hasChart !== true) continue;
    const points = pointsOf(results, metric);
    if (points.length === 0) continue;
    const title = `${metric.title}, ${metric.unit}`;
    const file = `${metric.name}.svg`;
    await Deno.writeTextFile(join(folder, file), bars(tools, title, points));
    plots.push({ file, title });
  }
  return plots;
}

interface Tools {
  plot: Plot;
  document: Document;
}

async function load(): Promise<Tools> {
  const specifier = (name: keyof typeof peers.devDependencies) => `npm:${name}@${peers.devDependencies[name]}`;
  const plot: Plot = await import(specifier("@observablehq/plot"));
  const { parseHTML }: { parseHTML(text: string): { document: Document } } = await import(specifier("linkedom"));
  return { plot, document: parseHTML("<html><body></body></html>").document };
}

/** Bars are of the largest number of keys of each engine, as tables have the others. */
function pointsOf(results: Results, metric: Metric): Point[] {
  const points = new Map<string, Point>();
  for (const { runtime, engine, keys, median } of results.measurements.filter((one) => one.metric === metric.name)) {
    const name = [runtime, engine].join();
    if ((points.get(name)?.keys ?? 0) > keys) continue;
    const { role } = engineOf(engine);
    points.set(name, { runtime: runtime === "deno" ? "Deno" : "Node", engine, role, value: median, keys });
  }
  return [...points.values()];
}

function bars({ plot, document }: Tools, title: string, points: Point[]): string {
  const engines = [...new Set(points.toSorted((a, b) => b.value - a.value).map(({ engine }) => engine))];
  const most = Math.max(...points.map(({ value }) => value));
  const mostKeys = Math.max(...points.map(({ keys }) => keys));
  const { format } = Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });
  const figure = plot.plot({
    ...frame(document, title),
    height: 60 + 22 * engines.length,
    x: { domain: [0, most * 1.18], grid: true, ticks: 4, tickFormat: "~s", label: null },
    y: { domain: engines, label: null },
    fx: { label: null },
    marks: [
      plot.barX(points, { x: "value", y: "engine", fx: "runtime", fill: (point: Point) => COLOURS[point.role] }),
      plot.text(points, {
        x: "value",
        y: "engine",
        fx: "runtime",
        text: ({ value, keys }: Point) => keys < mostKeys ? `${format(value)} (${format(keys)} keys)` : format(value),
        textAnchor: "start",
        dx: 3,
      }),
      plot.ruleX([0]),
    ],
  });
  return withTitle(figure.outerHTML, title);
}

function frame(document: Document, title: string): Record<string, unknown> {
  return {
    document,
    ariaLabel: title,
    width: 860,
    marginTop: 40,
    marginLeft: 140,
    marginBottom: 30,
    style: { fontFamily: "system-ui, sans-serif", fontSize: "12px", background: "white", color: "#222" },
  };
}

/** As a file of its own an image needs its namespace, and a title of its own keeps Plot from making it a page. */
function withTitle(svg: string, title: string): string {
  const escaped = title.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const text = `<text x="8" y="18" text-anchor="start" font-size="14" font-weight="600" fill="#222">${escaped}</text>`;
  const named = svg.includes("xmlns=") ? svg : svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ');
  return `${named.replace(/<\/svg>\s*$/, `${text}</svg>`)}\n`;
}
