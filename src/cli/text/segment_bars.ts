/**
 * Segments as bars of characters: what their bytes are worth, each kind with a character of its own, so that it shows
 * without colours, too.
 *
 * @module
 */

import { humanBytes, type Paint, percentage, type Style } from "./format.ts";

/** What bytes of a log may be worth. */
export type Part = "live" | "stale" | "tombstone" | "expired" | "damaged" | "free";
/** Each with its character and style. */
export const PARTS: Readonly<Record<Part, { character: string; style: Style }>> = {
  live: { character: "█", style: "live" },
  stale: { character: "░", style: "stale" },
  tombstone: { character: "▒", style: "tombstone" },
  expired: { character: "▚", style: "mark" },
  damaged: { character: "!", style: "bad" },
  free: { character: "·", style: "faint" },
};
/** Bytes by what they are worth. */
export type Shares = Partial<Record<Part, number>>;

/** A bar of `width` characters, divided by shares. What is there at all shows. */
export function sharesBar(shares: Shares, width: number, paint: Paint): string {
  const parts = Object.keys(PARTS).map((part) => part as Part).filter((part) => (shares[part] ?? 0) > 0);
  if (width < 1 || parts.length === 0) return "";
  const lengths = barLengths(parts.map((part) => shares[part]!), width);
  return parts.map((part, i) => paint(PARTS[part].style, PARTS[part].character.repeat(lengths[i]!))).join("");
}

/** A bar whose every character stands for a stretch of a file: runs of equal ones are painted together. */
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

/** What a segment that is being written may still grow by: to the length of the longest. */
export function roomBar(width: number, paint: Paint): string {
  return width <= 0 ? "" : paint(PARTS.free.style, PARTS.free.character.repeat(width));
}

/** The characters that occur, with their names: one line. */
export function barLegend(parts: readonly Part[], paint: Paint): string {
  return parts.map((part) => `${paint(PARTS[part].style, PARTS[part].character)} ${part}`).join("   ");
}

/** A line of a list of segments: its number, its bar in so many columns, its size and what of it is stale. */
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

/** Columns that `segmentLine` takes beside the bar. */
export const LINE_COLUMNS: number = 8 + 2 + 2 + 8 + 2 + 5 + 6;

/** Shares of a bar, whole characters that add up; what is there at all has one. */
export function barLengths(bytes: readonly number[], width: number): number[] {
  const total = bytes.reduce((sum, part) => sum + part, 0);
  const lengths = bytes.map((part) => part === 0 ? 0 : Math.max(1, Math.round((width * part) / total)));
  const longest = lengths.indexOf(Math.max(...lengths));
  lengths[longest]! += Math.max(0, width - lengths.reduce((sum, length) => sum + length, 0));
  // What was rounded up is taken from the longest; of a bar shorter than its parts are many, some are left out.
  for (let over = lengths.reduce((sum, length) => sum + length, 0) - width; over > 0; over--) {
    lengths[lengths.indexOf(Math.max(...lengths))]!--;
  }
  return lengths;
}
