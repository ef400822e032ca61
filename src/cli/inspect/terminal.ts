/**
 * Draws a log in characters: a bar for each segment, to scale, with a character for each stretch of the file.
 *
 * @module
 */

import type { LogSurvey, Progress } from "../../../mod.ts";
import { counted, grouped, humanBytes, type Paint, percentage } from "../text/format.ts";
import { escaped } from "../text/printable.ts";
import {
  barColumns,
  barLegend,
  type Part,
  roomBar,
  segmentLine,
  shortened,
  stretchesBar,
} from "../text/segment_bars.ts";
import type { Cells } from "./cells.ts";
import { collect, type Collected, type CollectOptions } from "./collect.ts";
import { forecastCompaction } from "./compaction_forecast.ts";
import type { BytesByState, SegmentData } from "./log_summary.ts";
import { segmentOf } from "./summarize.ts";

/** Reads a log. Returns it drawn in characters, and as figures for scripts. */
// deno-lint-ignore require-await -- a failure comes out as a rejection
export async function drawForTerminal(
  survey: LogSurvey,
  { directory, width, paint, onProgress }: {
    directory: string;
    width: number;
    paint: Paint;
    onProgress?: (progress: Progress) => void;
  },
): Promise<{ text: string; json: unknown }> {
  const options: CollectOptions = {
    cells: Infinity,
    cellsOfSegment: barColumns(width),
    steps: 1,
    records: 0,
    nowMs: Math.max(Date.now(), survey.manifest.clockFloor),
  };
  if (onProgress !== undefined) options.onProgress = onProgress;
  const collected = collect(survey, options);
  const segments = collected.segments.map((one) => segmentOf(one));
  const compaction = forecastCompaction(survey, collected.segments);
  return {
    text: drawing(collected, { segments, compaction }, { directory, width, paint }),
    json: {
      keys: collected.keys,
      records: collected.records,
      damages: collected.damages,
      segments: segments.map(({ headerBytes: _, cells: __, isMissing, compactedAfter: ___, ...figures }) => {
        return isMissing ? { ...figures, isMissing } : figures;
      }),
      compaction,
    },
  };
}

/** How to draw a log. */
interface DrawingOptions {
  directory: string;
  /** Columns of the terminal. */
  width: number;
  paint: Paint;
}

/** Draws a log whose longest segment has as many cells as a bar has columns. */
function drawing(
  collected: Collected,
  data: { segments: SegmentData[]; compaction: { wonBytes: number; inputs: number[] }[] },
  { directory, width, paint }: DrawingOptions,
): string {
  const columns = barColumns(width);
  const bytes = data.segments.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
  const files = counted(data.segments.length, "segment");
  const bars = data.segments.map((segment, i) => {
    const stretches = stretchesOf(collected.segments[i]!.cells);
    const { number, fileBytes, bytes } = segment;
    const line = { number, bytes: fileBytes, staleBytes: bytes.stale + bytes.mark };
    const missing = Math.max(0, columns - stretches.length);
    const room = roomBar(segment.isSealed ? 0 : missing, paint);
    return segmentLine(line, stretchesBar(stretches, paint) + room, segment.isSealed ? missing : 0);
  });
  const lines = [
    `${paint("title", `Store ${escaped(directory)}`)}  ${counted(collected.keys, "key")}, ${files}, ${
      humanBytes(bytes)
    }`,
    "",
    ...shortened(bars),
    "",
    " ".repeat(10) + barLegend(partsIn(data.segments), paint),
    "",
    gainText(data.compaction, bytes),
  ];
  if (collected.damages > 0) {
    lines.push(paint("bad", `${counted(collected.damages, "place")} damaged: see kvstore verify`));
  }
  return lines.join("\n") + "\n";
}

function gainText(compaction: { wonBytes: number; inputs: number[] }[], bytes: number): string {
  const won = compaction.reduce((sum, { wonBytes }) => sum + wonBytes, 0);
  if (won === 0) return "kvstore compact would reclaim nothing";
  const inputs = compaction.reduce((sum, { inputs }) => sum + inputs.length, 0);
  return `kvstore compact would reclaim ${humanBytes(won)} (${grouped(won)} bytes, ${percentage(won, bytes)}) of ${
    counted(inputs, "segment")
  }`;
}

function partsIn(segments: SegmentData[]): Part[] {
  const has = (state: keyof BytesByState) => segments.some(({ bytes }) => bytes[state] > 0);
  const parts: Part[] = ["live", "stale", "tombstone"];
  if (has("expired")) parts.push("expired");
  if (has("damaged")) parts.push("damaged");
  if (has("unused") || segments.some(({ isSealed }) => !isSealed)) parts.push("free");
  return parts;
}

/** Returns for each cell the kind of most of its bytes; damage, if it has any. */
function stretchesOf(cells: Cells): Part[] {
  const { set, tombstone, mark, expired, damaged } = cells.bytes;
  const stretches = Array.from({ length: cells.count }, (_, cell): Part => {
    if (damaged[cell]! > 0) return "damaged";
    const live = cells.liveBytes(cell);
    const stale = set[cell]! - expired[cell]! - live + mark[cell]!;
    const shares: [Part, number][] = [
      ["live", live],
      ["stale", stale],
      ["tombstone", tombstone[cell]!],
      ["expired", expired[cell]!],
    ];
    const [part, bytes] = shares.reduce((most, one) => one[1] > most[1] ? one : most);
    return bytes > 0 ? part : "free";
  });
  // In a short file the header takes several columns. It is not free, so it takes the kind of what follows.
  const first = stretches.findIndex((part) => part !== "free");
  return first < 0 ? stretches : stretches.fill(stretches[first]!, 0, first);
}
