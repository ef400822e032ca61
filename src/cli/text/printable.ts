/**
 * Makes text harmless to terminals. Keys, values, names of files and messages may hold anything: escape sequences that
 * move the cursor or set the title, and characters that are invisible or turn the direction of what follows.
 *
 * @module
 */

/** All that does not print: controls but tab and line feed, formats, lone surrogates, ends of lines and paragraphs. */
// deno-lint-ignore no-control-regex
const UNPRINTABLE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Finds a part of each but lone surrogates, and little else, in a fraction of the time. Most texts have none. */
const SUSPICIOUS =
  // deno-lint-ignore no-control-regex
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890-\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud804-\ud834\udb40\ufeff\ufff0-\uffff]/;

/** What a painter adds. */
// deno-lint-ignore no-control-regex
const PAINT = /^\x1b\[[\d;]*m/;

/** After these, a joiner shapes a word of Persian or an emoji. Elsewhere it is merely invisible. */
const JOINED = /[\p{L}\p{M}\p{S}]/u;

/**
 * Escapes whatever does not print as `\uXXXX`, except tabs and line feeds. In JSON text, what it means stays the same,
 * as such characters stand in strings only. With `isPainted`, keeps what a painter has added.
 */
export function printable(text: string, isPainted: boolean = false): string {
  if (!SUSPICIOUS.test(text) && isWellFormed(text)) return text;
  return text.replace(UNPRINTABLE, (found: string, at: number) => {
    if (isPainted && found === "\x1b" && PAINT.test(text.slice(at, at + 8))) return found;
    const isJoiner = found === "\u200c" || found === "\u200d";
    return isJoiner && joins(text, at) ? found : unicodeEscape(found);
  });
}

/** Whether a text has no lone surrogate. */
export function isWellFormed(text: string): boolean {
  // Declared here: the ES2022 library, which the npm package is built with, does not have it.
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/** Whether a joiner at a place follows a letter, a mark or an emoji, and that is not of ASCII. */
function joins(text: string, at: number): boolean {
  const before = [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? "";
  return before > "\x7f" && JOINED.test(before);
}

/** Escapes the UTF-16 code units of a text as JSON does. */
function unicodeEscape(text: string): string {
  return text.replace(/[^]/g, (unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"));
}

const SHORT_ESCAPES: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

/** Escapes a text as JSON does, so that it is on one line and prints. Quotation marks stay as they are. */
export function escaped(text: string): string {
  return printable(text.replace(/[\n\r\t\\]/g, (character) => SHORT_ESCAPES[character]!));
}

/** Writes a text on one line, with a space for its ends of lines and tabs. */
export function onOneLine(text: string): string {
  return printable(text.replace(/[\n\r\t]+/g, " "));
}
