/**
 * Answers the ranges of a process from the saved order until that is loaded. While tables of the index are still in the
 * file and nothing has changed, it makes a small index with copies of the entries in the range, and an order of those.
 *
 * Tables in memory may have changed since the image was written. They are searched for entries that the saved order
 * lacks: those that are new and, unless it had every entry, all of them, as a deleted key may have come back.
 *
 * @module
 */
import { PARTITIONS, type ReadIndex } from "../engine/index.ts";
import { formOf, type KeyRef } from "../engine/partition.ts";
import type { ImageIndex } from "../lazy_index/image_index.ts";
import { type Edge, isKeyBefore } from "../search/keys.ts";
import { Order } from "../order/order.ts";
import { type Selection, selectRefs } from "../sorting/select.ts";
import { sortRefs } from "../sorting/sort.ts";
import { IndexCopy } from "../views/views.ts";
import { CHUNK_REFS, OrderDamaged, type SavedOrder } from "./saved.ts";

/** Larger ranges are not worth it, nor are more new entries: loading the order pays soon. */
const MAX_KEYS = 4096;
/** This many keys more than the limit are looked at first, as some may be deleted or expired. */
const SPARE = 32;

/**
 * An order of copies of the entries in a range; `undefined` if the saved order is of no use for it. Throws
 * `OrderDamaged` if it does not check out.
 */
export function excerpt(index: ImageIndex, selection: Selection): Order | undefined {
  // A change may be taken back, which a copy would not hear of.
  if (index.saved !== undefined && index.isChanged) index.changeable();
  const { saved } = index;
  if (saved === undefined) return undefined;
  try {
    return new Excerpt(index, saved).of(selection);
  } finally {
    saved.forgetPages();
  }
}

class Excerpt {
  readonly #index: ImageIndex;
  readonly #saved: SavedOrder;

  /** Whether the saved order had every entry of the tables, including those of keys that had been deleted. */
  readonly #hadAll: boolean;

  constructor(index: ImageIndex, saved: SavedOrder) {
    this.#index = index;
    this.#saved = saved;
    this.#hadAll = saved.entry.refs === saved.entries;
  }

  of(selection: Selection): Order | undefined {
    const { low, high, reverse, limit } = selection;
    const index = this.#index;
    const saved = this.#saved;
    if (!index.isLazy && (!this.#hadAll || this.#countAdded() > MAX_KEYS)) return undefined;
    const from = low === undefined ? 0 : this.#position(low);
    const to = high === undefined ? saved.entry.refs : this.#position(high);
    const most = Math.max(0, to - from);
    for (let count = Math.min(most, limit + SPARE);; count = Math.min(most, 2 * count)) {
      if (count > MAX_KEYS) return undefined;
      const base = index.isLazy ? new IndexCopy(index.seed) : index;
      const start = reverse ? to - count : from;
      const refs = this.#refsIn(base, saved.refs(start, start + count).filter((ref) => this.#isFound(ref)));
      checkRise(base, refs, selection);
      if (count < most && countListed(base, refs, selection) < limit) continue;
      const added = selectRefs(index, selection, (table) => index.loaded(table), (table) => this.#firstAdded(table));
      if (added.length === 0) return new Order(base, refs);
      return new Order(base, sortRefs(Uint32Array.from([...refs, ...this.#refsIn(base, added)]), base));
    }
  }

  /** How many entries are new in the tables, all of which are in memory. */
  #countAdded(): number {
    let entries = 0;
    for (let table = 0; table < PARTITIONS; table++) entries += this.#index.loaded(table)?.count ?? 0;
    return entries - this.#saved.entries;
  }

  /** Whether an entry is found by the saved order, and not by the search of the tables in memory. */
  #isFound(ref: KeyRef): boolean {
    return this.#hadAll || this.#index.loaded(ref >>> 24) === undefined;
  }

  /** The first entry of a table in memory that the saved order may lack. */
  #firstAdded(table: number): number {
    return this.#hadAll ? this.#saved.countOf(table) : 0;
  }

  /** How many references are before an edge. */
  #position(edge: Edge): number {
    const first = this.#saved.chunkBefore(edge) * CHUNK_REFS;
    const refs = this.#saved.refs(first, Math.min(first + CHUNK_REFS, this.#saved.entry.refs));
    let low = 0;
    let high = refs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBefore(refs[middle]!, edge)) low = middle + 1;
      else high = middle;
    }
    return first + low;
  }

  #isBefore(ref: KeyRef, edge: Edge): boolean {
    if (this.#index.loaded(ref >>> 24) === undefined) return isKeyBefore(this.#saved.entryOf(ref).key, 0, edge);
    const { bytes, start } = this.#index.keyOf(ref);
    return isKeyBefore(bytes, start - 2, edge);
  }

  /** References to the same entries in the index itself, or in a copy, which gets those that have a place. */
  #refsIn(base: ImageIndex | IndexCopy, refs: Iterable<KeyRef>): Uint32Array {
    if (!(base instanceof IndexCopy)) return Uint32Array.from(refs);
    const index = this.#index;
    const copies: KeyRef[] = [];
    for (const ref of refs) {
      if (index.loaded(ref >>> 24) === undefined) {
        const { key, fields, expiresAt } = this.#saved.entryOf(ref);
        const bytes = { bytes: key, start: 2, length: key.length - 2 };
        if (fields[1] !== 0) copies.push(base.append(bytes, fields, expiresAt));
      } else if (index.look(ref)) {
        const fields = [0, index.segment, index.offset, formOf(index.length, index.isString)];
        copies.push(base.append(index.keyOf(ref), fields, index.expiresAt));
      }
    }
    return Uint32Array.from(copies);
  }
}

/** Throws unless the keys rise, and are within the range. */
function checkRise(index: ReadIndex, refs: Uint32Array, { low, high }: Selection): void {
  let last = low;
  for (const ref of refs) {
    const { bytes, start, length } = index.keyOf(ref);
    if (last !== undefined && isKeyBefore(bytes, start - 2, last)) throw new OrderDamaged("keys out of order");
    last = { bytes, start, length, isBehind: true };
  }
  if (last !== undefined && high !== undefined && refs.length > 0 && !isKeyBefore(last.bytes, last.start - 2, high)) {
    throw new OrderDamaged("keys out of order");
  }
}

function countListed(base: ReadIndex, refs: Uint32Array, { now, isListed }: Selection): number {
  const isThere = (ref: KeyRef) => base.look(ref) && (base.expiresAt === 0 || base.expiresAt > now);
  return refs.filter(base instanceof IndexCopy ? isThere : isListed).length;
}
