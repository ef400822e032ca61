/**
 * Patterns for keys, as shells and Redis have them.
 *
 * | written | stands for |
 * |---|---|
 * | `*` | any characters, or none |
 * | `?` | one character |
 * | `[a-z_]`, `[!a-z_]` | one of these; one that is none of these (also `[^…]`) |
 * | `\x` | the character `x` itself |
 *
 * @module
 */

/** A pattern. */
export interface Glob {
  /** What every text that matches begins with. */
  prefix: string;
  /** Whether a whole text matches. */
  matches: (text: string) => boolean;
}

/** Any characters. */
const ANY = "*";
/** Any characters, or whether one character fits. */
type Part = typeof ANY | ((character: string) => boolean);

/** Parses a pattern. Every text is one: a `[` that is not closed stands for itself. */
export function parseGlob(pattern: string): Glob {
  const parts: Part[] = [];
  let prefix = "";
  let isPrefix = true;
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    const set = characters[at] === "[" ? setAt(characters, at) : undefined;
    if (characters[at] === "*") parts.push(ANY);
    else if (characters[at] === "?") parts.push(() => true);
    else if (set !== undefined) parts.push(set.has);
    else {
      if (characters[at] === "\\" && at + 1 < characters.length) at++;
      const literal = characters[at]!;
      parts.push((character) => character === literal);
      if (isPrefix) prefix += literal;
      continue;
    }
    isPrefix = false;
    at = set?.end ?? at;
  }
  return { prefix, matches: (text) => fits([...text], parts) };
}

/** Reads a set that begins with a `[`. `end` is where its `]` stands. */
function setAt(
  pattern: readonly string[],
  at: number,
): { has: (character: string) => boolean; end: number } | undefined {
  const isNegated = pattern[at + 1] === "!" || pattern[at + 1] === "^";
  const first = at + (isNegated ? 2 : 1);
  const ranges: [from: string, to: string][] = [];
  for (let i = first; i < pattern.length; i++) {
    if (pattern[i] === "]" && i > first) {
      const isIn = (one: string) => ranges.some(([from, to]) => order(from) <= order(one) && order(one) <= order(to));
      return { has: (one) => isIn(one) !== isNegated, end: i };
    }
    const unescaped = () => pattern[i] === "\\" && i + 1 < pattern.length ? pattern[++i]! : pattern[i]!;
    const from = unescaped();
    const isRange = pattern[i + 1] === "-" && i + 2 < pattern.length && pattern[i + 2] !== "]";
    if (isRange) i += 2;
    ranges.push([from, isRange ? unescaped() : from]);
  }
  return undefined;
}

function order(character: string): number {
  return character.codePointAt(0)!;
}

/**
 * Whether characters fit the parts. What does not fit goes back to the latest `*` only, as whatever an earlier one could
 * take, that one can take as well: so the time is at most the product of both lengths.
 */
function fits(text: readonly string[], parts: readonly Part[]): boolean {
  let part = 0;
  let retry: { part: number; at: number } | undefined;
  for (let at = 0; at < text.length;) {
    const next = parts[part];
    if (next === ANY) {
      retry = { part: ++part, at };
    } else if (next?.(text[at]!)) {
      part++;
      at++;
    } else if (retry !== undefined) {
      part = retry.part;
      at = ++retry.at;
    } else {
      return false;
    }
  }
  return parts.slice(part).every((rest) => rest === ANY);
}
