/**
 * Keys in order, and how they compare with another key: by their bytes.
 *
 * @module
 */
import type { KeyBytes } from "../engine/index.ts";

/** A position between keys: before or behind a key, which need not exist. */
export interface Edge extends KeyBytes {
  /** Whether the position is behind the key. */
  isBehind: boolean;
}

/** Keys in order, wherever they lie in memory. */
export interface KeyList {
  /** How many keys there are. */
  readonly length: number;
  /** The array with a key. */
  arenaOf(at: number): Uint8Array;
  /** Where in that array its length starts, two bytes, which its own bytes follow. */
  offsetOf(at: number): number;
}

/** The length of the key at an offset of an arena. */
export function lengthAt(arena: Uint8Array, at: number): number {
  return arena[at]! | (arena[at + 1]! << 8);
}

/** How many of its first bytes the key at an offset of an arena shares with another key. */
export function commonBytes(arena: Uint8Array, at: number, { bytes, start, length }: KeyBytes): number {
  const end = Math.min(lengthAt(arena, at), length);
  let common = 0;
  while (common < end && arena[at + 2 + common] === bytes[start + common]) common++;
  return common;
}

/** Whether the key at an offset of an arena is before an edge. */
export function isKeyBefore(arena: Uint8Array, at: number, edge: Edge): boolean {
  const { bytes, start, length, isBehind } = edge;
  const ownLength = lengthAt(arena, at);
  const common = commonBytes(arena, at, edge);
  if (common < ownLength && common < length) return arena[at + 2 + common]! < bytes[start + common]!;
  return ownLength < length || (isBehind && ownLength === length);
}

/** Whether a key is before an edge. */
export function isBefore(keys: KeyList, at: number, edge: Edge): boolean {
  return isKeyBefore(keys.arenaOf(at), keys.offsetOf(at), edge);
}

/** How many keys are before an edge, if that is one of the numbers from `low` to `high`. */
export function bisect(keys: KeyList, edge: Edge, low: number, high: number): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(keys, middle, edge)) low = middle + 1;
    else high = middle;
  }
  return low;
}
