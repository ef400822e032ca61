/**
 * Turns the range that a caller gives into bounds.
 *
 * @module
 */
import { compareBytes } from "../bytes.ts";
import type { Edge } from "../search/keys.ts";
import type { Bounds } from "./range.ts";
import type { Range } from "../types.ts";
import { EncodedKey } from "./keys.ts";
import { checkInteger, checkNames } from "./options.ts";

/** Shared by all calls, as only one is under way at a time. */
const ENCODED = new EncodedKey();
const NAMES = ["prefix", "gt", "gte", "lt", "lte", "reverse", "limit", "keys"];

/** Checks a range and returns its bounds. Throws a `TypeError` or `RangeError` that names what is wrong. */
export function boundsOf(range: Range): Bounds {
  checkNames("a range", range, NAMES);
  const { reverse = false, limit = Infinity } = range;
  if (typeof reverse !== "boolean") throw new TypeError(`reverse is true or false, not ${String(reverse)}`);
  if (limit !== Infinity) checkInteger("limit", limit, 0, Number.MAX_SAFE_INTEGER);
  if (range.keys !== undefined && range.keys !== "bytes") {
    throw new TypeError(`the option keys is "bytes" or absent, not ${JSON.stringify(range.keys)}`);
  }
  const [prefix, gt, gte, lt, lte] = [range.prefix, range.gt, range.gte, range.lt, range.lte].map((key) =>
    key === undefined ? undefined : ENCODED.encode(key).copy()
  );
  const behind = prefix === undefined ? undefined : behindPrefix(prefix);
  const [low] = edges([prefix, false], [gte, false], [gt, true]).reverse();
  const [high] = edges([behind, false], [lt, false], [lte, true]);
  return { low, high, reverse, limit, asBytes: range.keys === "bytes" };
}

/** The edges that are given, sorted by their position. */
function edges(...given: [key: Uint8Array | undefined, isBehind: boolean][]): Edge[] {
  return given
    .flatMap(([key, isBehind]) => key === undefined ? [] : [{ bytes: key, start: 0, length: key.length, isBehind }])
    .sort((a, b) => compareBytes(a.bytes, b.bytes) || Number(a.isBehind) - Number(b.isBehind));
}

/** The least key that is greater than all keys with this prefix; `undefined` if there is none. */
function behindPrefix(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return undefined;
  const behind = prefix.slice(0, length);
  behind[length - 1]!++;
  return behind;
}
