/**
 * Checks of JSON values that `JSON.stringify` does not make: a limit on nesting and, on request, that nothing is lost.
 *
 * @module
 */
import { describe, isStackOverflow } from "../kinds.ts";

/**
 * How deep arrays and objects may be nested. `JSON.stringify` fails at 4,000 levels on Node and never on Deno, and
 * sooner if the caller has used up stack. With this limit, every runtime can read what another one has stored.
 */
const MAX_DEPTH = 1000;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The JSON text of a value; `undefined` if it has none. Throws on every runtime if the value is nested too deep. */
export function textOf(value: unknown): string | undefined {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    // On some runtimes deep nesting overflows the stack.
    throw isStackOverflow(error) && isTooDeep(value) ? tooDeep() : error;
  }
  if (text !== undefined) checkDepth(text);
  return text;
}

/** Whether a value is nested too deep. Uses no recursion, since the stack may be full. */
function isTooDeep(value: unknown): boolean {
  const open: [thing: unknown, depth: number][] = [[value, 1]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [thing, depth] = next;
    if (thing === null || typeof thing !== "object") continue;
    if (depth > MAX_DEPTH) return true;
    for (const inner of Object.values(thing)) open.push([inner, depth + 1]);
  }
  return false;
}

/** Throws if JSON text is nested too deep. */
function checkDepth(text: string): void {
  // A level takes two characters. Most long texts have few brackets, and counting those is much faster than a scan.
  if (text.length <= 2 * MAX_DEPTH || !hasManyBrackets(text)) return;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > MAX_DEPTH) throw tooDeep();
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
}

function hasManyBrackets(text: string): boolean {
  let count = 0;
  for (const bracket of "[{") {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (++count > MAX_DEPTH) return true;
    }
  }
  return false;
}

/** Where a string ends that begins with the quote at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1;; at++) {
    at = text.indexOf('"', at);
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return at;
  }
}

/**
 * Throws if JSON would change or drop a part of a value, and says which. Properties that are `undefined` are allowed,
 * since they read the same when they are missing. So is -0.
 */
export function checkKept(thing: unknown, path: string, depth: number = 0): void {
  if (thing === null || typeof thing === "string" || typeof thing === "boolean") return;
  if (typeof thing === "number" && Number.isFinite(thing)) return;
  if (typeof thing !== "object") throw new TypeError(`${path} is ${describePart(thing)}, which JSON does not keep`);
  // The text was not nested too deep. So only parts that a toJSON hides can be.
  if (depth > MAX_DEPTH) throw tooDeep();
  if (typeof (thing as { toJSON?: unknown }).toJSON === "function") {
    throw new TypeError(`${path} is ${describe(thing)} with a toJSON, whose result would come back in its place`);
  }
  if (Array.isArray(thing)) {
    for (let i = 0; i < thing.length; i++) checkKept(thing[i], `${path}[${i}]`, depth + 1);
    return;
  }
  if (!isPlain(thing)) throw new TypeError(`${path} is ${describe(thing)}, which JSON does not keep`);
  for (const [name, inner] of Object.entries(thing)) {
    if (inner !== undefined) checkKept(inner, `${path}${pathStep(name)}`, depth + 1);
  }
}

/** Whether an object is a plain one, of any realm, and no instance of a class. */
export function isPlain(thing: object): boolean {
  const prototype = Object.getPrototypeOf(thing);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function pathStep(name: string): string {
  return /^[\w$]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function describePart(thing: unknown): string {
  return typeof thing === "number" || thing === undefined ? String(thing) : describe(thing);
}

function tooDeep(): RangeError {
  return new RangeError(`a value may be nested ${MAX_DEPTH} levels deep; this one is deeper`);
}
