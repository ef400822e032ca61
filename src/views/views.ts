/**
 * Views let snapshots and iterators read the store as it was, without a copy of it. While a view is open, a change of
 * an index entry first saves the old place in the youngest view (an undo log, as in rollback segments; Reed, "Naming
 * and Synchronization in a Decentralized Computer System", 1978). A view looks a key up in its own saved places, then
 * in those of younger views, and last in the index.
 *
 * @module
 */
import { Index, type KeyBytes, PARTITIONS, type Place, type ReadIndex } from "../engine/index.ts";
import { formOf, type KeyRef, refOf } from "../engine/partition.ts";
import type { PlaceObserver } from "../engine/interfaces.ts";
import type { Segment } from "../engine/segment.ts";
import { hashKey } from "../hash.ts";
import type { SegmentHolder } from "../store/segment_holder.ts";

/** The store as it was at one moment. */
export class View {
  /** Number of this view. A segment that was retired after n views were opened is needed by views up to n. */
  readonly id: number;
  /** The next sequence number when the view was opened. */
  readonly sequence: number;
  /** The time up to which keys had expired then. For this view, keys that expire later are present. */
  readonly now: number;
  /** The number of keys. */
  size: number;
  /** Keys that changed between this view and the next younger one, with the places they had before, if any. */
  changed: Index | undefined;
  /** The whole index as it was before a `clear` replaced it. */
  cleared: ReadIndex | undefined;

  /** A view of the present state, with no changes yet. */
  constructor(id: number, moment: { sequence: number; now: number }, size: number) {
    this.id = id;
    this.sequence = moment.sequence;
    this.now = moment.now;
    this.size = size;
  }
}

/** Copies of entries of an index as they are for the view that is opened next, or for all open ones. Never changes. */
export class IndexCopy extends Index {
  /** Appends a copy of an entry, and returns a reference to it. All are in one table, as each table takes memory. */
  append({ bytes, start, length }: KeyBytes, fields: ArrayLike<number>, expiresAt: number): KeyRef {
    const table = this.partition(0);
    const id = table.add(hashKey(bytes, start, length, this.seed), bytes, start, length, true);
    if (expiresAt !== 0) table.reserveExpiry();
    this.point(refOf(0, id), fields[1]!, fields[2]!, fields[3]!, expiresAt);
    return refOf(0, id);
  }
}

/** The open views of a store, the oldest first. */
export class Views implements PlaceObserver, SegmentHolder {
  /** The index of the present state. */
  current: ReadIndex;
  /** The number of views opened so far. */
  #opened = 0;
  #open: View[] = [];
  /** For each retired segment the number of views opened until then. Only those may need it. */
  readonly #retiredAt: WeakMap<Segment, number> = new WeakMap();

  /** No views are open yet. */
  constructor(index: ReadIndex) {
    this.current = index;
  }

  /** Whether any view is open. */
  get isInterested(): boolean {
    return this.#open.length > 0;
  }

  /** Remembers which views may need a segment that has just been retired. */
  onRetired(segment: Segment): void {
    this.#retiredAt.set(segment, this.#opened);
  }

  /** Whether an open view may read a retired segment. */
  needs(segment: Segment): boolean {
    const oldest = this.#open[0]?.id ?? Infinity;
    return (this.#retiredAt.get(segment) ?? Infinity) >= oldest;
  }

  /** Whether a view is open. */
  has(view: View): boolean {
    return this.#open.includes(view);
  }

  /** Opens a view of the present state. */
  open(nextSequence: number, now: number = 0): View {
    const view = new View(++this.#opened, { sequence: nextSequence, now }, this.current.size);
    this.#open.push(view);
    this.current.holds++;
    return view;
  }

  /** Closes a view. Its saved places go to the next older one, which may need them. Closing twice is harmless. */
  close(view: View): void {
    const at = this.#open.indexOf(view);
    if (at < 0) return;
    this.#open.splice(at, 1);
    this.current.holds = this.#open.length;
    const older = this.#open[at - 1];
    if (older === undefined || older.cleared !== undefined) return;
    const { changed } = view;
    if (older.changed === undefined) older.changed = changed;
    else changed?.each((key) => savePlace(older, key, changed));
    older.cleared = view.cleared;
  }

  /** Closes all views. */
  closeAll(): void {
    this.#open = [];
    this.current.holds = 0;
  }

  /** Saves the place of a key before a change. The segment is 0 if the key has no place. */
  beforeChange(key: KeyBytes, place: Place): void {
    const youngest = this.#open.at(-1);
    if (youngest !== undefined && youngest.cleared === undefined) savePlace(youngest, key, place);
  }

  /** Replaces the index, for instance at a clear. Open views keep the old one. */
  beforeReplacement(next: ReadIndex): void {
    const youngest = this.#open.at(-1);
    if (youngest !== undefined && youngest.cleared === undefined) youngest.cleared = this.current;
    this.onReplaced(next);
  }

  /** Makes an index the present one. */
  onReplaced(index: ReadIndex): void {
    index.holds = this.#open.length;
    this.current = index;
  }

  /**
   * Undoes what views recorded of a change that was taken back. A view that is younger than the change now equals the
   * present state: all later changes are taken back as well, so it has nothing to save.
   */
  onRollback(sequence: number): void {
    for (const view of this.#open) {
      if (view.cleared === this.current) view.cleared = undefined;
      if (view.sequence <= sequence) continue;
      view.changed = undefined;
      view.cleared = undefined;
      view.size = sizeAt(this.current, view.now);
    }
  }

  /**
   * The place of a key in a view, or in the present state without one. Returns `undefined` if there was none, or if it
   * had expired. The index keeps the places of expired keys, so views do not have to save them when keys expire.
   */
  find(view: View | undefined, key: KeyBytes): Place | undefined {
    const from = view === undefined ? this.#open.length : this.#open.indexOf(view);
    const now = view === undefined ? this.current.expired.now : view.now;
    for (let i = from; i < this.#open.length; i++) {
      const { changed, cleared } = this.#open[i]!;
      if (changed?.knows(key.bytes, key.start, key.length)) return copyIfPresent(changed, now);
      if (cleared !== undefined) return lookUp(cleared, key, now);
    }
    return lookUp(this.current, key, now);
  }

  /** Whether a key may have a time of expiry in a view, or in the present state without one. Looks at no key. */
  mayExpire(view: View | undefined): boolean {
    const from = view === undefined ? this.#open.length : this.#open.indexOf(view);
    for (let i = from; i < this.#open.length; i++) {
      if (this.#open[i]!.changed !== undefined || this.#open[i]!.cleared !== undefined) return true;
    }
    const { next, count } = this.current.expired;
    return next !== Infinity || count > 0;
  }

  /** Like `find`, for the key of an entry of `index`. Hashes it only if necessary. Valid until the next call. */
  findRef(view: View, index: ReadIndex, ref: KeyRef): Place | undefined {
    let base = this.current;
    for (let i = this.#open.indexOf(view); i < this.#open.length && base === this.current; i++) {
      const { changed, cleared } = this.#open[i]!;
      if (changed !== undefined) {
        const { bytes, start, length } = index.keyOf(ref);
        if (changed.knows(bytes, start, length)) return copyIfPresent(changed, view.now);
      }
      base = cleared ?? base;
    }
    // After a clear was taken back, iterators may still walk over the index that it had begun.
    if (base !== index && !(index instanceof IndexCopy)) return lookUp(base, index.keyOf(ref), view.now);
    return index.look(ref) && (index.expiresAt === 0 || index.expiresAt > view.now) ? index : undefined;
  }

  /** Whether no open view and not even the present state lists the key of an entry. Then the order may drop it. */
  isForgotten(index: ReadIndex, ref: KeyRef): boolean {
    if (index !== this.current || index.lists(ref)) return false;
    const { bytes, start, length } = index.keyOf(ref);
    index.look(ref);
    let place: Place = index;
    for (let i = this.#open.length - 1; i >= 0 && this.#open[i]!.cleared === undefined; i--) {
      const { changed, now } = this.#open[i]!;
      if (changed?.knows(bytes, start, length)) place = changed;
      if (copyIfPresent(place, now) !== undefined) return false;
    }
    return true;
  }

  /** The index that has all keys of a view, apart from those whose places were saved. */
  base(view: View): ReadIndex {
    for (let i = this.#open.indexOf(view); i < this.#open.length; i++) {
      const cleared = this.#open[i]!.cleared;
      if (cleared !== undefined) return cleared;
    }
    return this.current;
  }
}

/** The number of keys that an unchanged index had at an earlier time. */
export function sizeAt(index: ReadIndex, now: number): number {
  let size = index.size + index.expired.count;
  for (let number = 0; number < PARTITIONS; number++) {
    for (const time of index.existing(number)?.expiries?.times ?? []) if (time !== 0 && time <= now) size--;
  }
  return size;
}

/** An empty index for saved places. A hold makes it keep deleted entries. */
function newSavedPlaces(): Index {
  const index = new Index();
  index.holds = 1;
  return index;
}

/** Saves the place of a key in a view, unless the view has an earlier one. */
function savePlace(view: View, key: KeyBytes, { segment, offset, length, isString, expiresAt }: Place): void {
  const changed = view.changed ??= newSavedPlaces();
  if (changed.knows(key.bytes, key.start, key.length)) return;
  changed.put(key, segment, offset, formOf(length, isString), expiresAt);
}

function lookUp(index: ReadIndex, key: KeyBytes, now: number): Place | undefined {
  return index.find(key.bytes, key.start, key.length) ? copyIfPresent(index, now) : undefined;
}

function copyIfPresent({ segment, offset, length, isString, expiresAt }: Place, now: number): Place | undefined {
  if (segment === 0 || (expiresAt !== 0 && expiresAt <= now)) return undefined;
  return { segment, offset, length, isString, expiresAt };
}
