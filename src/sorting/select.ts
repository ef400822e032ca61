/**
 * Makes an order of the keys of one range, for ranges that come before there is an order of all keys. A pass over all
 * entries compares each key with the edges of the range, and then sorts those within. For a range with a limit it keeps
 * little more than that many keys: it drops the others, and moves the edge.
 *
 * @module
 */
import { type Edge, isKeyBefore } from "../search/keys.ts";
import { Order } from "../order/order.ts";
import { PARTITIONS, type ReadIndex } from "../engine/index.ts";
import { ENTRY_FIELDS, type KeyRef, type Partition, refOf } from "../engine/partition.ts";
import { sortRefs } from "./sort.ts";
import type { Stretch } from "../order/walk.ts";

/** Twice the limit and this many more keys are collected before the edge moves. */
const SPARE = 4096;

/** What to select. */
export interface Selection extends Stretch {
  /** The largest number of listed keys. */
  limit: number;
  /** The time of the view: keys that expire later are listed. */
  now: number;
  /** Whether the view lists the key of an entry. Only those count towards the limit. */
  isListed(ref: KeyRef): boolean;
}

/**
 * An order of the keys of `index` that a walk passes until it has seen `limit` listed ones. Deleted keys are included,
 * since deletes may be taken back. It does not follow later changes. Reads all tables, which can fail.
 */
export function select(index: ReadIndex, selection: Selection): Order {
  return new Order(index, sorted(index, selectRefs(index, selection, (number) => index.existing(number))));
}

/** References to those keys among the tables that `tableOf` returns, each from an entry on, in no order. */
export function selectRefs(
  index: ReadIndex,
  { low, high, reverse, limit, isListed }: Selection,
  tableOf: (number: number) => Partition | undefined,
  firstOfTable: (number: number) => number = () => 0,
): KeyRef[] {
  let found: KeyRef[] = [];
  let room = 2 * limit + SPARE;
  for (let table = 0; table < PARTITIONS; table++) {
    const { entries, arena, count } = tableOf(table) ?? NO_TABLE;
    for (let id = firstOfTable(table); id < count; id++) {
      const at = entries[id * ENTRY_FIELDS]!;
      if (low !== undefined && isKeyBefore(arena, at, low)) continue;
      if (high !== undefined && !isKeyBefore(arena, at, high)) continue;
      found.push(refOf(table, id));
      if (found.length < room) continue;
      const first = firstOf(sorted(index, found), { reverse, limit, isListed });
      if (first !== undefined) {
        found = first;
        const last: Edge = { ...copyOf(index, found[reverse ? 0 : found.length - 1]!), isBehind: !reverse };
        if (reverse) low = last;
        else high = last;
      }
      room = Math.max(room, 2 * found.length);
    }
  }
  return found;
}

/** What of a selection counts keys. */
type Counted = Pick<Selection, "reverse" | "limit" | "isListed">;

const NO_TABLE = { entries: new Uint32Array(0), arena: new Uint8Array(0), count: 0 };

function sorted(index: ReadIndex, refs: KeyRef[]): Uint32Array {
  return sortRefs(Uint32Array.from(refs), index);
}

/** The first references (last, if reversed) that include `limit` listed keys; `undefined` if there are too few. */
function firstOf(refs: Uint32Array, { reverse, limit, isListed }: Counted): KeyRef[] | undefined {
  let remaining = limit;
  let taken = 0;
  while (taken < refs.length && remaining > 0) {
    if (isListed(refs[reverse ? refs.length - 1 - taken : taken]!)) remaining--;
    taken++;
  }
  if (remaining > 0 || taken === 0) return undefined;
  return Array.from(reverse ? refs.subarray(refs.length - taken) : refs.subarray(0, taken));
}

function copyOf(index: ReadIndex, ref: KeyRef) {
  const { bytes, start, length } = index.keyOf(ref);
  return { bytes: bytes.slice(start, start + length), start: 0, length };
}
