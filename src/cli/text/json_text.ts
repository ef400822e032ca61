/**
 * Parses JSON that may come from anybody. A parser takes a third of a microsecond and up to a hundred bytes for each
 * bracket, during which no signal is handled; so text that cannot be a value is refused before it is parsed.
 *
 * @module
 */

import { InputError } from "../command_line/errors.ts";

/** How deep the library lets a value be nested. */
const MAX_LEVELS = 1000;
/** Each part of a value, or its comma, takes a byte of its JSON, and a value has at most 64 MiB. */
const MAX_PARTS = 64 * 1024 * 1024;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/**
 * Parses JSON text in which a value stands inside `outerLevels` others. Throws an `InputError` that says what is wrong, and
 * what is `wanted` if it is no JSON, or that it is more than a value can be.
 */
export function parseJson(
  text: string,
  { outerLevels, wanted = "" }: { outerLevels: number; wanted?: string },
): unknown {
  checkBounds(text, outerLevels);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`not JSON (${(error as Error).message})${wanted && `; wanted ${wanted}`}`);
  }
}

/** Throws an `InputError` if text is nested deeper, or has more parts, than it can with a value inside `outerLevels`. */
export function checkBounds(text: string, outerLevels: number): void {
  const maxLevels = MAX_LEVELS + outerLevels;
  // Most texts have few brackets, and counting those is much faster than a scan.
  if (text.length <= MAX_PARTS && !hasMoreBrackets(text, maxLevels)) return;
  let depth = 0;
  let parts = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === 0x5d || code === 0x7d) depth--;
    else if (code === 0x5b || code === 0x7b) {
      parts++;
      if (++depth > maxLevels) throw new InputError(`nested too deep; a value may be nested ${MAX_LEVELS} levels deep`);
    } else if (code === COMMA) parts++;
    if (parts > MAX_PARTS) throw new InputError(`too many values in one; a value may have ${MAX_PARTS} bytes as JSON`);
  }
}

function hasMoreBrackets(text: string, most: number): boolean {
  if (text.length <= most) return false;
  let count = 0;
  for (const bracket of "[{") {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (++count > most) return true;
    }
  }
  return false;
}

/** Where a string ends that begins with the quote at `start`: at its last quote, or at the end of the text. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return at;
  }
  return text.length;
}
