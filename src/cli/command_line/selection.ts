/**
 * Which keys a command is for: all of them, those with a prefix, or those that match a pattern.
 *
 * @module
 */

import type { Key, Range, Reader, Snapshot, Value } from "../../../mod.ts";
import { parseGlob } from "../text/glob.ts";
import { keyProblem, keyText } from "../text/notation.ts";
import { hasSwitch, keyArgument, optionText, wholeNumber } from "./arguments.ts";
import type { Context, Option } from "./definition.ts";
import { UsageError } from "./errors.ts";

/** The option with which a command takes a pattern. */
export const MATCH_OPTION: Option = {
  name: "match",
  value: "PATTERN",
  about: "only keys like it: * is any characters, ? one, [a-z] one of these",
};

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** The keys that PREFIX, `--match`, `--limit` and `--reverse` select. */
export class Selection {
  /** Contains all selected keys. If there is a pattern, it contains others, too. */
  readonly range: Range = {};
  readonly #context: Context;
  readonly #matches: ((text: string) => boolean) | undefined;
  readonly #limit: number = Infinity;

  /** Reads the arguments of a command, of which the first is PREFIX if `hasPrefix`. */
  constructor(context: Context, { hasPrefix }: { hasPrefix: boolean }) {
    this.#context = context;
    const limit = optionText(context, "limit");
    if (limit !== undefined) this.#limit = wholeNumber(limit, "--limit", 0);
    if (hasSwitch(context, "reverse")) this.range.reverse = true;
    const pattern = optionText(context, "match");
    const isPrefixed = hasPrefix && context.args.length > 0;
    if (isPrefixed) {
      if (pattern !== undefined) throw new UsageError("it takes PREFIX or --match, and was given both");
      this.range.prefix = keyArgument(context, 0);
    }
    if (pattern === undefined) {
      if (limit !== undefined) this.range.limit = this.#limit;
      return;
    }
    const { prefix, matches } = parseGlob(pattern);
    const problem = keyProblem(prefix);
    if (problem !== undefined) throw new UsageError(`--match: ${problem}`);
    this.range.prefix = prefix;
    this.#matches = matches;
  }

  /** Whether a key in the range is selected. Of a key that is not text, U+FFFD stands for what is not. */
  has(key: Key): boolean {
    return this.#matches?.(typeof key === "string" ? key : lenient.decode(key)) ?? true;
  }

  keys(reader: Reader): Iterable<Key> {
    return this.#matches === undefined ? reader.keys(this.range) : this.#matching(reader);
  }

  entries(snapshot: Snapshot): Iterable<[Key, Value]> {
    return this.#matches === undefined ? snapshot.entries(this.range) : this.#matchingEntries(snapshot);
  }

  count(reader: Reader): number {
    if (this.#matches === undefined) return reader.count(this.range);
    let count = 0;
    for (const _ of this.#matching(reader)) count++;
    return count;
  }

  *#matching(reader: Reader): Generator<Key> {
    let left = this.#limit;
    if (left === 0) return;
    for (const key of reader.keys(this.range)) {
      if (!this.has(key)) continue;
      yield key;
      if (--left === 0) return;
    }
  }

  /** Reads no values of keys that do not match. */
  *#matchingEntries(snapshot: Snapshot): Generator<[Key, Value]> {
    for (const key of this.#matching(snapshot)) yield [key, snapshot.get(key)!];
  }

  /** Says how to use a pattern, if PREFIX looks like one and no key begins with it. */
  hint(reader: Reader): void {
    const { prefix } = this.range;
    if (this.#matches !== undefined || typeof prefix !== "string" || !/[*?[]/.test(prefix)) return;
    if (reader.keys({ prefix, limit: 1 }).next().done !== true) return;
    const own = this.#context.command.options.includes(MATCH_OPTION);
    const advice = own
      ? `for keys like it: --match '${keyText(prefix)}'`
      : "PREFIX is taken as it is, and patterns are not taken";
    this.#context.note(`no key begins with ${keyText(prefix)}; ${advice}`);
  }
}
