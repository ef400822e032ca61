/**
 * Loads a saved order as a whole, and checks all of it on the way: a checksum shows damage, but not a mistake that was
 * saved. Each reference must be of an entry, no two of the same one, and the keys must rise. That takes a third of the
 * time of sorting. References that are missing are added afterwards, by `Order.grow`.
 *
 * @module
 */
import { PARTITIONS } from "../engine/index.ts";
import { ENTRY_FIELDS, ID_MASK } from "../engine/partition.ts";
import type { ImageIndex } from "../lazy_index/image_index.ts";
import { type Edge, isKeyBefore } from "../search/keys.ts";
import { Order } from "../order/order.ts";
import { CHUNK_REFS, OrderDamaged, type SavedOrder } from "./saved.ts";

/** Reading a table from the image takes as long as examining this many keys. */
const TABLE_KEYS = 400;

/** The saved order is not that of the keys, although its checksums are right. */
export class OrderWrong extends Error {}

/** An order that was loaded and checked, and for each table one bit for each entry: whether the order has it. */
export interface Loaded {
  order: Order;
  known: Uint8Array[];
}

/**
 * Loads the saved order of an index, and all its tables. Yields how many keys each step has examined. Throws
 * `OrderDamaged`, `OrderWrong`, or what reading the tables throws.
 */
export function* loadOrder(index: ImageIndex, saved: SavedOrder): Generator<number, Loaded> {
  const known: Uint8Array[] = [];
  for (let table = 0; table < PARTITIONS; table++) {
    known.push(new Uint8Array(((index.existing(table)?.count ?? 0) + 7) >>> 3));
    yield TABLE_KEYS;
  }
  const order = new Order(index, new Uint32Array(0));
  const check = new Check(index, order, known);
  for (let number = 0; number < saved.chunks; number++) {
    checkIsCurrent(index, saved);
    const from = number * CHUNK_REFS;
    const refs = saved.refs(from, Math.min(from + CHUNK_REFS, saved.entry.refs));
    saved.forgetPages();
    check.take(refs, saved.firstKey(number));
    order.append(refs);
    yield refs.length;
  }
  checkIsCurrent(index, saved);
  return { order, known };
}

/** Throws if entries may have other numbers than in the image: tables were read from the log, or have dropped some. */
function checkIsCurrent(index: ImageIndex, saved: SavedOrder): void {
  if (index.saved !== saved) throw new OrderDamaged("the image has been given up");
}

/** Checks references chunk by chunk. */
class Check {
  readonly #index: ImageIndex;
  readonly #order: Order;
  readonly #known: Uint8Array[];
  /** Behind the last key; `undefined` before the first one. */
  #last: Edge | undefined;
  /** Never read. Storing it keeps the compiler from removing the reads of `prefetch`. */
  #sum = 0;

  constructor(index: ImageIndex, order: Order, known: Uint8Array[]) {
    this.#index = index;
    this.#order = order;
    this.#known = known;
  }

  /** Takes the next chunk, which begins with the key `first`. */
  take(refs: Uint32Array, first: Edge): void {
    for (const ref of refs) {
      const table = this.#index.loaded(ref >>> 24);
      if (table === undefined || (ref & ID_MASK) >= table.count) throw new OrderWrong("a reference to no entry");
    }
    this.#sum = this.#order.prefetch(refs, 0, refs.length);
    if (this.#isBefore(refs[0]!, first) || !this.#isBefore(refs[0]!, { ...first, isBehind: true })) {
      throw new OrderWrong("another first key of a chunk");
    }
    for (const ref of refs) {
      if (this.#last !== undefined && this.#isBefore(ref, this.#last)) throw new OrderWrong("keys out of order");
      this.#note(ref);
    }
  }

  #isBefore(ref: number, edge: Edge): boolean {
    const { entries, arena } = this.#index.loaded(ref >>> 24)!;
    return isKeyBefore(arena, entries[(ref & ID_MASK) * ENTRY_FIELDS]!, edge);
  }

  /** Notes that an entry is there. As the keys rise, no entry comes twice. */
  #note(ref: number): void {
    const id = ref & ID_MASK;
    this.#known[ref >>> 24]![id >>> 3]! |= 1 << (id & 7);
    const { bytes, start, length } = this.#index.keyOf(ref);
    const last = this.#last ??= { bytes, start, length, isBehind: true };
    last.bytes = bytes;
    last.start = start;
    last.length = length;
  }
}
