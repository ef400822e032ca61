/**
 * Takes a line of the shell apart into words, and quotes a word so that a line gives it back. The rules are those of
 * the shells of Unix, without anything that is expanded.
 *
 * | written | means |
 * |---|---|
 * | `'…'` | what it says, to the next `'` |
 * | `"…"` | what it says, but a backslash makes `"`, `\`, `$` or a backquote an ordinary character |
 * | `$'…'` | with the escapes that `list` prints: `\\`, `\n`, `\r`, `\t`, `\uXXXX`, and `\'` |
 * | `\x` | the character `x` |
 *
 * @module
 */

import { UsageError } from "../command_line/errors.ts";
import { printable } from "../text/printable.ts";

/** A word of a line. */
export interface Word {
  text: string;
  /** Where it begins in the line, and where it ends. */
  start: number;
  end: number;
}

/** The words of a line, and what its last word lacks: the closing quote, or a character after a backslash. */
export interface Line {
  words: Word[];
  lacks: string | undefined;
}

/** What stands outside of quotes. A dollar sign may begin some. */
const PLAIN = /[^\s'"\\$]+|\$/y;
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|([^]))/g;
const ESCAPED: Record<string, string> = { n: "\n", r: "\r", t: "\t", "\\": "\\", "'": "'", '"': '"' };

/** Takes a line apart, also one that is not complete. */
export function splitLine(line: string): Line {
  const words: Word[] = [];
  let lacks: string | undefined;
  for (let at = line.search(/\S/); at >= 0 && at < line.length; at += /^\s*/.exec(line.slice(at))![0].length) {
    const word = { text: "", start: at, end: at };
    for (let found = stretchAt(line, at); found !== undefined; found = stretchAt(line, at)) {
      word.text += found.text;
      lacks = found.lacks;
      at += found.length;
    }
    word.end = at;
    words.push(word);
  }
  return { words, lacks };
}

/** Returns the words of a complete line. Throws a `UsageError` if it is not complete. */
export function wordsOf(line: string): string[] {
  const { words, lacks } = splitLine(line);
  if (lacks !== undefined) throw new UsageError(`the line is not complete: it lacks ${lacks}`, { general: true });
  return words.map(({ text }) => text);
}

/** A part of a word: in quotes of one kind, a character behind a backslash, or what needs neither. */
interface Stretch {
  text: string;
  lacks: string | undefined;
  length: number;
}

/** The kinds of quotes: how one begins, what ends it or escapes a character in it, and how to read what it holds. */
const QUOTES = [
  { opening: "'", special: /'/g, read: (text: string) => text },
  { opening: "$'", special: /['\\]/g, read: unescaped },
  { opening: '"', special: /["\\]/g, read: (text: string) => text.replace(/\\(["\\$`])/g, "$1") },
];

function stretchAt(line: string, at: number): Stretch | undefined {
  const kind = QUOTES.find(({ opening }) => line.startsWith(opening, at));
  if (kind !== undefined) {
    const begin = at + kind.opening.length;
    const end = closingQuote(line, begin, kind.special);
    const text = kind.read(line.slice(begin, end));
    const lacks = end === undefined ? `a ${kind.opening.at(-1)}` : undefined;
    return { text, lacks, length: (end === undefined ? line.length : end + 1) - at };
  }
  if (line[at] === "\\") {
    const text = line.slice(at + 1, at + 2);
    return { text, lacks: text === "" ? "a character after \\" : undefined, length: 1 + text.length };
  }
  PLAIN.lastIndex = at;
  const text = PLAIN.exec(line)?.[0];
  return text === undefined ? undefined : { text, lacks: undefined, length: text.length };
}

/** Finds the quote that closes. A loop: one pattern for a long text with many escapes would overflow the stack. */
function closingQuote(line: string, begin: number, special: RegExp): number | undefined {
  special.lastIndex = begin;
  for (let found = special.exec(line); found !== null; found = special.exec(line)) {
    if (found[0] !== "\\") return found.index;
    special.lastIndex++;
  }
  return undefined;
}

function unescaped(text: string): string {
  return text.replace(ESCAPE, (all: string, hex: string | undefined, character: string) => {
    return hex === undefined ? ESCAPED[character] ?? all : String.fromCharCode(parseInt(hex, 16));
  });
}

/** Quotes a text where it needs it, so that `splitLine` gives it back as one word. */
export function quoted(text: string): string {
  if (/^[\p{L}\p{N}_@%+=:,./-]+$/u.test(text)) return text;
  if (printable(text) === text && !/[\n\t]/.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const inner = text.replace(/[\\'\n\r\t]/g, (one) => ({ "\n": "\\n", "\r": "\\r", "\t": "\\t" })[one] ?? `\\${one}`);
  return `$'${printable(inner)}'`;
}
