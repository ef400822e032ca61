/**
 * An order of the keys of one range alone: for ranges that are asked for before the order of all keys is there. A pass
 * over all entries compares each key with the edges of the range, and sorts what lies between them. Of a range with a
 * limit it keeps little more than that many, and the edge moves with them.
 *
 * @module
 */
import { type Edge, isKeyBefore, Order } from "./order.ts";
import { PARTITIONS, type ReadIndex } from "../engine/index.ts";
import { ENTRY_FIELDS, type KeyRef, refOf } from "../engine/partition.ts";
import { sortRefs } from "./sort.ts";
import type { Stretch } from "./walk.ts";

/** So many keys more than twice the limit are kept before the edge moves. */
const SPARE = 4096;

/** What to select. */
export interface Selection extends Stretch {
  /** At most so many keys. */
  limit: number;
  /** Which keys count. */
  counts(ref: KeyRef): boolean;
}

/**
 * An order of the keys of `index` that a walk over a stretch comes to before it has seen as many as count; of deleted
 * keys as well, as a write may be taken back. It does not follow later changes. Reads all tables: that may fail.
 */
export function select(index: ReadIndex, { low, high, reverse, limit, counts }: Selection): Order {
  let found: KeyRef[] = [];
  let room = 2 * limit + SPARE;
  for (let table = 0; table < PARTITIONS; table++) {
    const { entries, arena, count } = index.existing(table) ?? NO_TABLE;
    for (let id = 0; id < count; id++) {
      const at = entries[id * ENTRY_FIELDS]!;
      if (low !== undefined && isKeyBefore(arena, at, low)) continue;
      if (high !== undefined && !isKeyBefore(arena, at, high)) continue;
      found.push(refOf(table, id));
      if (found.length < room) continue;
      const first = firstOf(sorted(index, found), { low, high, reverse, limit, counts });
      if (first !== undefined) {
        found = first;
        const last: Edge = { ...copyOf(index, found[reverse ? 0 : found.length - 1]!), isBehind: !reverse };
        if (reverse) low = last;
        else high = last;
      }
      room = Math.max(room, 2 * found.length);
    }
  }
  return new Order(index, sorted(index, found));
}

const NO_TABLE = { entries: new Uint32Array(0), arena: new Uint8Array(0), count: 0 };

function sorted(index: ReadIndex, refs: KeyRef[]): Uint32Array {
  return sortRefs(Uint32Array.from(refs), index);
}

/** The first ones, or the last ones, that have as many among them as are wanted; `undefined` if there are not so many. */
function firstOf(refs: Uint32Array, { reverse, limit, counts }: Selection): KeyRef[] | undefined {
  let left = limit;
  let taken = 0;
  while (taken < refs.length && left > 0) {
    if (counts(refs[reverse ? refs.length - 1 - taken : taken]!)) left--;
    taken++;
  }
  if (left > 0 || taken === 0) return undefined;
  return Array.from(reverse ? refs.subarray(refs.length - taken) : refs.subarray(0, taken));
}

function copyOf(index: ReadIndex, ref: KeyRef) {
  const { bytes, start, length } = index.keyOf(ref);
  return { bytes: bytes.slice(start, start + length), start: 0, length };
}
