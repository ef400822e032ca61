/**
 * From an open log to a page.
 *
 * @module
 */

import type { Found, LogSurvey, Progress } from "../../../mod.ts";
import { FLAG_STRING_KEY, valueTypeOf } from "../../../mod.ts";
import { valuePreview } from "../log_fields.ts";
import { collect, type CollectOptions } from "./collect.ts";
import type { PictureData } from "./data.ts";
import { pageOf } from "./emit.ts";
import { pageData } from "./page_data.ts";

/** What bounds the size of a page. */
export type PageLimits = Pick<CollectOptions, "cells" | "cellsOfSegment" | "steps" | "records">;

/** Sizes that keep a page below some three megabytes, and a screen's worth of detail. */
export const PAGE_LIMITS: PageLimits = { cells: 3000, cellsOfSegment: 800, steps: 200, records: 20_000 };
/** Bytes of a value that are shown. */
const PREVIEW_BYTES = 64;
const VALUE_TYPES = ["bytes", "string", "json", "string"] as const;

/** What a page is made of, and who hears of progress. */
export interface PageRequest {
  directory: string;
  hasValues: boolean;
  nowMs?: number;
  onProgress?: (progress: Progress) => void;
  /** Other limits, for tests. */
  limits?: Partial<PageLimits>;
}

/** Reads a log and makes a page of it. */
// deno-lint-ignore require-await -- failures come out as rejections, as from the other things a command waits for
export async function collectPage(
  survey: LogSurvey,
  request: PageRequest,
): Promise<{ html: string; data: PictureData }> {
  const nowMs = Math.max(request.nowMs ?? Date.now(), survey.manifest.clockFloor);
  const options: CollectOptions = { ...PAGE_LIMITS, ...request.limits, nowMs };
  if (request.hasValues) options.preview = preview;
  if (request.onProgress !== undefined) options.onProgress = request.onProgress;
  const collected = collect(survey, options);
  const data = pageData(survey, collected, { directory: request.directory, nowMs, hasValues: request.hasValues });
  return { html: pageOf(data), data };
}

function preview({ cursor, offset, length }: Found): string {
  const { bytes, at, flags, keyStart, keyLength, valueLength } = cursor;
  return valuePreview({
    type: "record",
    segment: 0,
    offset,
    length,
    sequence: cursor.sequence,
    kind: "set",
    key: (flags & FLAG_STRING_KEY) === 0 ? new Uint8Array(0) : "",
    valueType: VALUE_TYPES[valueTypeOf(flags)]!,
    valueBytes: valueLength,
    more: false,
    state: "stale",
    intact: true,
    head: bytes.slice(at, at + keyStart + keyLength + Math.min(valueLength, PREVIEW_BYTES)),
  });
}
