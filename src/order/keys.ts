/**
 * Comparing keys of an index with other keys, by their bytes.
 *
 * @module
 */
import type { KeyBytes, ReadIndex } from "../engine/index.ts";
import { ENTRY_FIELDS, ID_MASK, type KeyRef } from "../engine/partition.ts";

/** A position between keys: before or behind a key, which need not exist. */
export interface Edge extends KeyBytes {
  /** Whether the position is behind the key. */
  isBehind: boolean;
}

/** The length of the key at an offset of an arena. */
export function lengthAt(arena: Uint8Array, at: number): number {
  return arena[at]! | (arena[at + 1]! << 8);
}

/** How many of its first bytes the key at an offset of an arena shares with another key. At least `known` of them. */
export function commonBytes(arena: Uint8Array, at: number, { bytes, start, length }: KeyBytes, known = 0): number {
  const end = Math.min(lengthAt(arena, at), length);
  let common = known;
  while (common < end && arena[at + 2 + common] === bytes[start + common]) common++;
  return common;
}

/** Whether an entry's key is before an edge. */
export function isBefore(index: ReadIndex, ref: KeyRef, edge: Edge): boolean {
  const { entries, arena } = index.loaded(ref >>> 24)!;
  return isKeyBefore(arena, entries[(ref & ID_MASK) * ENTRY_FIELDS]!, edge);
}

/** Whether the key at an offset of an arena is before an edge. `common` is how many of their first bytes are the same. */
export function isKeyBefore(
  arena: Uint8Array,
  at: number,
  edge: Edge,
  common: number = commonBytes(arena, at, edge),
): boolean {
  const { bytes, start, length, isBehind } = edge;
  const ownLength = lengthAt(arena, at);
  if (common < ownLength && common < length) return arena[at + 2 + common]! < bytes[start + common]!;
  return ownLength < length || (isBehind && ownLength === length);
}
