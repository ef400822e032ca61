/**
 * Answers the first ranges of a process from the saved order, while most tables of the index are still in the file. It
 * makes a small index with copies of the entries in the range, and an order of those. Only tables in memory may have
 * changed since the image was written. Those are searched as a whole.
 *
 * @module
 */
import { formOf, type KeyRef } from "../engine/partition.ts";
import type { ImageIndex } from "../lazy_index/image_index.ts";
import { type Edge, FIRST_REFS, isKeyBefore, Order } from "../order/order.ts";
import { type Selection, selectRefs } from "../order/select.ts";
import { sortRefs } from "../order/sort.ts";
import { IndexCopy } from "../views/views.ts";
import { OrderDamaged, type SavedOrder } from "./saved.ts";

/** Larger ranges are not worth it: they need all tables, and much of the order. */
const MAX_KEYS = 4096;
/** This many keys more than the limit are looked at first, as some may be deleted or expired. */
const SPARE = 32;

/**
 * An order of copies of the entries in a range; `undefined` if the saved order is of no use for it. Throws
 * `OrderDamaged` if it does not check out.
 */
export function excerpt(index: ImageIndex, selection: Selection): Order | undefined {
  const { saved } = index;
  if (saved === undefined || !index.isLazy) return undefined;
  try {
    return new Excerpt(index, saved).of(selection);
  } finally {
    saved.forgetPages();
  }
}

class Excerpt {
  readonly #index: ImageIndex;
  readonly #saved: SavedOrder;

  constructor(index: ImageIndex, saved: SavedOrder) {
    this.#index = index;
    this.#saved = saved;
  }

  of(selection: Selection): Order | undefined {
    const { low, high, reverse, limit } = selection;
    const from = low === undefined ? 0 : this.#position(low);
    const to = high === undefined ? this.#saved.entry.refs : this.#position(high);
    const most = Math.max(0, to - from);
    for (let count = Math.min(most, limit + SPARE);; count = Math.min(most, 2 * count)) {
      if (count > MAX_KEYS) return undefined;
      const copy = new IndexCopy(this.#index.seed);
      const start = reverse ? to - count : from;
      const refs = this.#copy(copy, this.#saved.refs(start, start + count));
      checkRise(copy, refs, selection);
      if (count < most && countListed(copy, refs, selection) < limit) continue;
      const loaded = selectRefs(this.#index, selection, (number) => this.#index.loaded(number));
      if (loaded.length === 0) return new Order(copy, refs);
      const all = Uint32Array.from([...refs, ...this.#copyLoaded(copy, loaded)]);
      return new Order(copy, sortRefs(all, copy));
    }
  }

  /** How many references are before an edge. */
  #position(edge: Edge): number {
    const first = this.#saved.chunkBefore(edge) * FIRST_REFS;
    const refs = this.#saved.refs(first, Math.min(first + FIRST_REFS, this.#saved.entry.refs));
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

  /**
   * Copies the entries in tables that are still in the file, if they have a place. Returns references to the copies.
   */
  #copy(copy: IndexCopy, refs: Uint32Array): Uint32Array {
    const copies: KeyRef[] = [];
    for (const ref of refs) {
      if (this.#index.loaded(ref >>> 24) !== undefined) continue;
      const { key, fields, expiresAt } = this.#saved.entryOf(ref);
      if (fields[1] === 0) continue;
      copies.push(copy.append({ bytes: key, start: 2, length: key.length - 2 }, fields, expiresAt));
    }
    return Uint32Array.from(copies);
  }

  /** Copies entries of tables in memory. */
  #copyLoaded(copy: IndexCopy, refs: KeyRef[]): KeyRef[] {
    const index = this.#index;
    const copies: KeyRef[] = [];
    for (const ref of refs) {
      if (!index.look(ref)) continue;
      const fields = [0, index.segment, index.offset, formOf(index.length, index.isString)];
      copies.push(copy.append(index.keyOf(ref), fields, index.expiresAt));
    }
    return copies;
  }
}

/** Throws unless the keys rise, and are within the range. */
function checkRise(copy: IndexCopy, refs: Uint32Array, { low, high }: Selection): void {
  let last = low;
  for (const ref of refs) {
    const { bytes, start, length } = copy.keyOf(ref);
    if (last !== undefined && isKeyBefore(bytes, start - 2, last)) throw new OrderDamaged("keys out of order");
    last = { bytes, start, length, isBehind: true };
  }
  if (last !== undefined && high !== undefined && refs.length > 0 && !isKeyBefore(last.bytes, last.start - 2, high)) {
    throw new OrderDamaged("keys out of order");
  }
}

function countListed(copy: IndexCopy, refs: Uint32Array, { now }: Selection): number {
  return refs.reduce(
    (count, ref) => copy.look(ref) && (copy.expiresAt === 0 || copy.expiresAt > now) ? count + 1 : count,
    0,
  );
}
