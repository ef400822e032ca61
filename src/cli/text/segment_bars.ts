/**
 * Draws segments as bars of characters. Each kind of bytes has a character of its own, so bars work without colours.
 *
 * @module
 */

import { counted, humanBytes, type Paint, percentage, type Style } from "./format.ts";

/** The kinds of bytes in a log. */
export type Part = "live" | "stale" | "tombstone" | "expired" | "damaged" | "free";
/** The character and style of each kind. */
export const PARTS: Readonly<Record<Part, { character: string; style: Style }>> = {
  live: { character: "█", style: "live" },
  stale: { character: "░", style: "stale" },
  tombstone: { character: "▒", style: "tombstone" },
  expired: { character: "▚", style: "mark" },
  damaged: { character: "!", style: "bad" },
  free: { character: "·", style: "faint" },
};
/** Bytes of each kind. */
export type Shares = Partial<Record<Part, number>>;

/** Returns a bar of `width` characters, divided by shares. Every kind that occurs shows. */
export function sharesBar(shares: Shares, width: number, paint: Paint): string {
  const parts = Object.keys(PARTS).map((part) => part as Part).filter((part) => (shares[part] ?? 0) > 0);
  if (width < 1 || parts.length === 0) return "";
  const lengths = barLengths(parts.map((part) => shares[part]!), width);
  return parts.map((part, i) => paint(PARTS[part].style, PARTS[part].character.repeat(lengths[i]!))).join("");
}

/** Returns a bar in which each character stands for a stretch of a file. Paints runs of equal characters together. */
export function stretchesBar(stretches: readonly Part[], paint: Paint): string {
  let bar = "";
  for (let start = 0; start < stretches.length;) {
    const part = stretches[start]!;
    let end = start;
    while (end < stretches.length && stretches[end] === part) end++;
    bar += paint(PARTS[part].style, PARTS[part].character.repeat(end - start));
    start = end;
  }
  return bar;
}

/** Returns the rest of the bar of the active segment, which may still grow to the length of the longest. */
export function roomBar(width: number, paint: Paint): string {
  return width <= 0 ? "" : paint(PARTS.free.style, PARTS.free.character.repeat(width));
}

/** Returns a line with characters and their names. */
export function barLegend(parts: readonly Part[], paint: Paint): string {
  return parts.map((part) => `${paint(PARTS[part].style, PARTS[part].character)} ${part}`).join("   ");
}

/** Returns the line for a segment: number, bar, size and stale share. The bar is padded by `missingColumns`. */
export function segmentLine(
  segment: { number: number; bytes: number; staleBytes: number },
  bar: string,
  missingColumns: number,
): string {
  const { number, bytes, staleBytes } = segment;
  const stale = bytes > 0 ? percentage(staleBytes, bytes) : "0 %";
  return `${String(number).padStart(8)}  ${bar}${" ".repeat(missingColumns)}  ${humanBytes(bytes).padStart(8)}  ${
    stale.padStart(5)
  } stale`;
}

/** The columns of `segmentLine` beside the bar. */
const LINE_COLUMNS = 8 + 2 + 2 + 8 + 2 + 5 + 6;
const NARROWEST_BAR = 16;
/** The most segments in a list. */
const MOST_LINES = 64;

/** Returns the columns of a bar in lines of `width` columns. */
export function barColumns(width: number): number {
  return Math.max(NARROWEST_BAR, width - LINE_COLUMNS);
}

/** Shortens a list of very many segments: keeps the oldest and the newest. */
export function shortened(lines: readonly string[]): string[] {
  const omitted = lines.length - MOST_LINES;
  if (omitted <= 0) return [...lines];
  const half = MOST_LINES / 2;
  return [...lines.slice(0, half), `       …  ${counted(omitted, "segment")} more`, ...lines.slice(-half)];
}

/** Divides a bar among parts, in whole characters that add up to its width. Every part that occurs has one. */
export function barLengths(bytes: readonly number[], width: number): number[] {
  const total = bytes.reduce((sum, part) => sum + part, 0);
  const lengths = bytes.map((part) => part === 0 ? 0 : Math.max(1, Math.round((width * part) / total)));
  const longest = lengths.indexOf(Math.max(...lengths));
  lengths[longest]! += Math.max(0, width - lengths.reduce((sum, length) => sum + length, 0));
  // The longest part gives up what was rounded up. If there are more parts than characters, some are left out.
  for (let over = lengths.reduce((sum, length) => sum + length, 0) - width; over > 0; over--) {
    lengths[lengths.indexOf(Math.max(...lengths))]!--;
  }
  return lengths;
}
