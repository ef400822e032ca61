/**
 * The picture in characters, for a terminal: a bar a segment, to scale, each character for a stretch of the file.
 *
 * @module
 */

import type { LogSurvey, Progress } from "../../../mod.ts";
import { counted, grouped, humanBytes, type Paint, percentage } from "../text/format.ts";
import { escaped } from "../text/notation.ts";
import { barLegend, LINE_COLUMNS, type Part, roomBar, segmentLine, stretchesBar } from "../text/segment_bars.ts";
import type { Cells } from "./cells.ts";
import { collect, type Collected, type CollectOptions } from "./collect.ts";
import { forecastCompaction } from "./compaction_forecast.ts";
import type { BytesByState, SegmentData } from "./log_summary.ts";
import { segmentOf } from "./summarize.ts";

/** Reads a log and draws it; also as figures, for scripts. */
// deno-lint-ignore require-await -- failures come out as rejections, as from the other things a command waits for
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
    cellsOfSegment: barWidth(width),
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

/** How it is drawn. */
export interface DrawingOptions {
  directory: string;
  /** Columns of the terminal. */
  width: number;
  paint: Paint;
}

const NARROWEST_BAR = 16;
/** Of more segments the oldest and the newest are shown. */
const MOST_BARS = 64;

/** Columns for a bar where a line may be so wide. */
export function barWidth(width: number): number {
  return Math.max(NARROWEST_BAR, width - LINE_COLUMNS);
}

/** Draws what was collected, with as many cells in the longest segment as a bar has columns. */
export function drawing(
  collected: Collected,
  data: { segments: SegmentData[]; compaction: { wonBytes: number; inputs: number[] }[] },
  { directory, width, paint }: DrawingOptions,
): string {
  const columns = barWidth(width);
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
  const omitted = bars.length - MOST_BARS;
  if (omitted > 0) bars.splice(MOST_BARS / 2, omitted, `       …  ${counted(omitted, "segment")} more`);
  const lines = [
    `${paint("title", `Store ${escaped(directory)}`)}  ${counted(collected.keys, "key")}, ${files}, ${
      humanBytes(bytes)
    }`,
    "",
    ...bars,
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
  if (won === 0) return "kvstore compact would win nothing";
  const inputs = compaction.reduce((sum, { inputs }) => sum + inputs.length, 0);
  return `kvstore compact would win ${humanBytes(won)} (${grouped(won)} bytes, ${percentage(won, bytes)}) of ${
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

/** For each cell what most of it is; damage wherever there is any. */
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
  // Of a short file the header takes several columns: it is not free, and belongs to what follows.
  const first = stretches.findIndex((part) => part !== "free");
  return first < 0 ? stretches : stretches.fill(stretches[first]!, 0, first);
}
