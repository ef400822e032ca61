/**
 * From an open log to a picture in characters.
 *
 * @module
 */

import type { LogSurvey, Progress } from "../../../mod.ts";
import type { Paint } from "../format.ts";
import { collect, type CollectOptions } from "./collect.ts";
import { gainsOf } from "./gains.ts";
import { segmentOf } from "./page_data.ts";
import { barWidth, drawPicture } from "./picture.ts";

/** Reads a log and draws it; also as figures, for scripts. */
// deno-lint-ignore require-await -- failures come out as rejections, as from the other things a command waits for
export async function collectPicture(
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
  const compaction = gainsOf(survey, collected.segments);
  return {
    text: drawPicture(collected, { segments, compaction }, { directory, width, paint }),
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
