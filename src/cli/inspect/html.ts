/**
 * Makes the page of `inspect --html`: one file with all that it needs, and a policy that forbids it to load more.
 *
 * @module
 */

import { FLAG_STRING_KEY, type Found, type LogSurvey, type Progress, valueTypeOf } from "../../../mod.ts";
import { valuePreview } from "../log/fields.ts";
import { printable } from "../text/printable.ts";
import { collect, type CollectOptions } from "./collect.ts";
import { BODY, LICENCE, SCRIPT, SCRIPT_HASH, STYLE, STYLE_HASH } from "./generated.ts";
import type { LogSummary } from "./log_summary.ts";
import { summarize } from "./summarize.ts";

/** Limits on what a page holds. */
export type PageLimits = Pick<CollectOptions, "cells" | "cellsOfSegment" | "steps" | "records">;

/** Limits that give a screen's worth of detail and a page of at most about three megabytes. */
export const PAGE_LIMITS: PageLimits = { cells: 3000, cellsOfSegment: 800, steps: 200, records: 20_000 };
/** The most bytes of a value on the page. */
const PREVIEW_BYTES = 64;
const VALUE_TYPES = ["bytes", "string", "json", "string"] as const;

/** What to put into a page. */
export interface PageRequest {
  directory: string;
  hasValues: boolean;
  nowMs?: number;
  onProgress?: (progress: Progress) => void;
  /** Other limits, for tests. */
  limits?: Partial<PageLimits>;
}

/** Reads a log and makes a page of it. */
// deno-lint-ignore require-await -- a failure comes out as a rejection
export async function makePage(
  survey: LogSurvey,
  request: PageRequest,
): Promise<{ html: string; data: LogSummary }> {
  const nowMs = Math.max(request.nowMs ?? Date.now(), survey.manifest.clockFloor);
  const options: CollectOptions = { ...PAGE_LIMITS, ...request.limits, nowMs };
  if (request.hasValues) options.preview = preview;
  if (request.onProgress !== undefined) options.onProgress = request.onProgress;
  const collected = collect(survey, options);
  const data = summarize(survey, collected, { directory: request.directory, nowMs, hasValues: request.hasValues });
  return { html: htmlOf(data), data };
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

const POLICY = [
  "default-src 'none'",
  `script-src '${SCRIPT_HASH}'`,
  `style-src '${STYLE_HASH}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** Returns the HTML of a page. */
export function htmlOf(data: LogSummary): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapedHtml(data.directory)}: a picture of the log</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<!-- The charts in this page are drawn by uPlot:
${LICENCE}
-->
${
    BODY.replace("</body>", () =>
      `<script type="application/json" id="data">${jsonForHtml(data)}</script>
<script>${SCRIPT}</script>
</body>`)
  }
</html>
`;
}

/** Encodes JSON for a script element: nothing in it can end the element or begin a comment. */
export function jsonForHtml(data: unknown): string {
  return printable(JSON.stringify(data)).replace(/[<>&]/g, (character) => {
    return "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0");
  });
}

function escapedHtml(text: string): string {
  return printable(text).replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
