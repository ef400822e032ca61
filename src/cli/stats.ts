/** `stats`. @module */

import process from "node:process";
import { openLog, type Segment, type Stats } from "../../mod.ts";
import { hasSwitch } from "./command_line/arguments.ts";
import type { Command } from "./command_line/definition.ts";
import { EXIT, UsageError } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { drawingStyle } from "./input_output/terminal.ts";
import { grouped, humanBytes, type Paint, percentage } from "./text/format.ts";
import { barColumns, barLegend, roomBar, segmentLine, sharesBar, shortened } from "./text/segment_bars.ts";

/** Prints the store's figures. */
export const stats: Command = {
  name: "stats",
  elsewhere: ["info", "status"],
  args: [],
  options: [{ name: "prometheus", about: "print the figures in the text format of Prometheus" }],
  summary: "print figures: keys, bytes on disk, bytes that compaction can reclaim",
  description:
    `Live bytes belong to records that hold a present value. Compaction can reclaim stale bytes. Tombstones hide keys
that were deleted or have expired, as long as an older segment may hold them. On a terminal, prints a bar for
each segment, to scale.

--prometheus prints kvstore_keys, kvstore_disk_bytes and so on, for the textfile collector of a node exporter or
a scrape.`,
  json: "an object with the figures of stats() in the library",
  example: ["kvstore stats", "keys                3", "disk               226 B  …"],
  run: (context) => {
    const forPrometheus = hasSwitch(context, "prometheus");
    if (forPrometheus && context.json) throw new UsageError("--prometheus and --json are two forms; choose one");
    return withStore(context, "read", async (store) => {
      const figures = store.stats();
      const { lastCompactionError: error, ...plain } = figures;
      const text = context.json
        ? JSON.stringify(error === undefined ? plain : { ...plain, lastCompactionError: error.message }) + "\n"
        : forPrometheus
        ? prometheusText(figures)
        : statsTable(figures);
      context.out.add(text);
      const isTable = !context.json && !forPrometheus && !context.quiet;
      if (isTable && process.stdout.isTTY) context.out.add(segmentBars(context.dir));
      await context.out.flush();
      return EXIT.done;
    });
  },
};

/** The figures that say something about the store and not about a process: their metrics and what they mean. */
const METRICS: readonly [figure: keyof Stats, metric: string, help: string][] = [
  ["keys", "kvstore_keys", "Keys, without those that have expired."],
  ["segments", "kvstore_segments", "Segments of the log."],
  ["diskBytes", "kvstore_disk_bytes", "Size of all segments."],
  ["liveBytes", "kvstore_live_bytes", "Size of the records that hold the current values."],
  ["staleBytes", "kvstore_stale_bytes", "Bytes that compaction can reclaim."],
  ["tombstoneBytes", "kvstore_tombstone_bytes", "Size of the tombstones."],
  ["indexBytes", "kvstore_index_bytes", "Memory that the index takes."],
  ["lastSequence", "kvstore_sequence_total", "The last sequence number: one for each set, delete and clear."],
];

/** Writes figures in the text format of Prometheus, version 0.0.4. */
export function prometheusText(figures: Stats): string {
  return METRICS.map(([figure, metric, help]) => {
    const type = figure === "lastSequence" ? "counter" : "gauge";
    return `# HELP ${metric} ${help}\n# TYPE ${metric} ${type}\n${metric} ${figures[figure]}\n`;
  }).join("");
}

/** Draws the segments of a store as bars for the terminal. */
function segmentBars(directory: string): string {
  const { segments, close } = openLog(directory);
  try {
    return segments.length === 0 ? "" : `\n${barsOf(segments, drawingStyle(DEFAULT_WIDTH))}`;
  } finally {
    close();
  }
}

/** Columns if the terminal does not tell. */
const DEFAULT_WIDTH = 80;

/** The figures that a bar shows. */
type BarPart = "liveBytes" | "expiredBytes" | "staleBytes" | "tombstoneBytes" | "graveBytes";

/** Draws a bar for each segment, to scale. The longest segment takes all columns. */
export function barsOf(
  segments: readonly Pick<Segment, "number" | "sealed" | "endBytes" | BarPart>[],
  { width, paint }: { width: number; paint: Paint },
): string {
  const columns = barColumns(width);
  const longest = segments.reduce((most, { endBytes }) => Math.max(most, endBytes), 1);
  const lines = segments.map((segment) => {
    const { number, sealed, endBytes, staleBytes: stale } = segment;
    const live = segment.liveBytes - segment.expiredBytes;
    const tombstone = segment.tombstoneBytes + segment.graveBytes;
    const isEmpty = live + stale + tombstone === 0;
    const length = isEmpty ? 0 : Math.max(1, Math.round((columns * endBytes) / longest));
    const bar = sharesBar({ live, stale, tombstone }, length, paint) + roomBar(sealed ? 0 : columns - length, paint);
    return segmentLine({ number, bytes: endBytes, staleBytes: stale }, bar, sealed ? columns - length : 0);
  });
  return `${shortened(lines).join("\n")}\n\n${" ".repeat(10)}${
    barLegend(["live", "stale", "tombstone", "free"], paint)
  }\n`;
}

/** Writes the figures as a table. Figures that are about a running process are left out. */
export function statsTable(figures: Stats): string {
  const share = (bytes: number) => figures.diskBytes > 0 ? percentage(bytes, figures.diskBytes) : "";
  const rows: [name: string, human: string, exact: string, share: string][] = [
    ["keys", grouped(figures.keys), "", ""],
    ["segments", grouped(figures.segments), "", ""],
    ["last sequence", grouped(figures.lastSequence), "", ""],
    ["disk", humanBytes(figures.diskBytes), `${grouped(figures.diskBytes)} bytes`, ""],
    ["  live", humanBytes(figures.liveBytes), `${grouped(figures.liveBytes)} bytes`, share(figures.liveBytes)],
    ["  stale", humanBytes(figures.staleBytes), `${grouped(figures.staleBytes)} bytes`, share(figures.staleBytes)],
    [
      "  tombstones",
      humanBytes(figures.tombstoneBytes),
      `${grouped(figures.tombstoneBytes)} bytes`,
      share(figures.tombstoneBytes),
    ],
    ["index in memory", humanBytes(figures.indexBytes), `${grouped(figures.indexBytes)} bytes`, ""],
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map(([name, human, exact, part]) => {
    const cells = [name.padEnd(widths[0]!), human.padStart(widths[1]!), exact.padStart(widths[2]!), part.padStart(5)];
    return cells.join("   ").trimEnd() + "\n";
  }).join("");
}
