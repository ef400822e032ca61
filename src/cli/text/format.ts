/**
 * Formats numbers and text for people, and lines up columns.
 *
 * @module
 */

const UNITS = ["KiB", "MiB", "GiB", "TiB"];

/** Formats a number of bytes with a unit: `640 B`, `1.5 KiB`. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes;
  let unit = "";
  for (const next of UNITS) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** Formats a number with its thousands separated: `1,234,567`. */
export function grouped(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Formats a number and what it counts: `1 key`, `2 keys`. */
export function counted(number: number, singular: string, plural: string = singular + "s"): string {
  return `${grouped(number)} ${number === 1 ? singular : plural}`;
}

const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Returns the number of terminal columns that a text takes. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** Fits a text into exactly `width` columns: pads it with spaces, or cuts it and adds an ellipsis. */
export function fitted(text: string, width: number): string {
  const missing = width - displayWidth(text);
  if (missing >= 0) return text + " ".repeat(missing);
  let kept = "";
  let used = 0;
  for (const character of text) {
    const next = displayWidth(character);
    if (used + next > width - 1) break;
    kept += character;
    used += next;
  }
  return kept + "…" + " ".repeat(Math.max(0, width - 1 - used));
}

/** Formats a share in percent. A share is never rounded to 0 % or to 100 %. */
export function percentage(part: number, total: number): string {
  const rounded = Math.round((100 * part) / total);
  if (rounded === 0 && part > 0) return "<1 %";
  return rounded === 100 && part < total ? ">99 %" : `${rounded} %`;
}

/** Wraps a text between words, to lines of at most `width` characters. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Colours and weights by their meaning. */
export type Style =
  | "plain"
  | "title"
  | "faint"
  | "live"
  | "expired"
  | "stale"
  | "tombstone"
  | "mark"
  | "bad"
  | "number";

const CODES: Record<Style, string> = {
  plain: "",
  title: "1",
  faint: "2",
  live: "32",
  expired: "33",
  stale: "33",
  tombstone: "35",
  mark: "34",
  bad: "1;31",
  number: "36",
};

/** Adds the codes of a style to a text, or returns it as it is. */
export type Paint = (style: Style, text: string) => string;

/** Returns what paints texts: with colours for a terminal, without for anything else. */
export function painter(coloured: boolean): Paint {
  return coloured
    ? (style, text) => text === "" || style === "plain" ? text : `\x1b[${CODES[style]}m${text}\x1b[0m`
    : (_style, text) => text;
}
