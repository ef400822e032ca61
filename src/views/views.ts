/**
 * Views: what lets snapshots and iterators see the store as it was, without copying it. While a view is open, whoever
 * changes an entry of the index first leaves the old one in the youngest view (undo, as in rollback segments; Reed,
 * "Naming and Synchronization in a Decentralized Computer System", 1978, for the idea of reading old versions). A view
 * answers from its own notes, then from those of the views that were opened after it, and in the end from the index.
 *
 * @module
 */
import { formOf, Index, type KeyBytes, PARTITIONS, type Place, type ReadIndex } from "../engine/index.ts";
import type { PlaceObserver, SegmentHolder } from "../engine/interfaces.ts";
import type { KeyRef } from "../engine/partition.ts";
import type { Segment } from "../engine/segment.ts";

/** The store as it was at one moment. */
export class View {
  /** Counts the views: a segment that was retired when the count was n is needed by views up to n. */
  readonly id: number;
  /** The next sequence number when the view was opened. */
  readonly sequence: number;
  /** The time then, as far as anything had expired: what expires later is there for this view. */
  readonly now: number;
  /** How many keys there were. */
  size: number;
  /** Keys that were changed since, up to when the next view was opened, with the places they had, if any. */
  changed: Index | undefined;
  /** The whole index as it was when `clear` replaced it. */
  cleared: ReadIndex | undefined;

  /** A view with nothing changed yet. */
  constructor(id: number, moment: { sequence: number; now: number }, size: number) {
    this.id = id;
    this.sequence = moment.sequence;
    this.now = moment.now;
    this.size = size;
  }
}

/** The views on a store, oldest first. */
export class Views implements PlaceObserver, SegmentHolder {
  /** The present state. */
  current: ReadIndex;
  /** Views opened so far. */
  #opened = 0;
  #open: View[] = [];
  /** How many views had been opened when a segment was replaced: those may need it. */
  readonly #retiredAt: WeakMap<Segment, number> = new WeakMap();

  /** No views yet. */
  constructor(index: ReadIndex) {
    this.current = index;
  }

  /** Whether any view is open. */
  get isInterested(): boolean {
    return this.#open.length > 0;
  }

  /** Takes note that a segment was replaced. */
  onRetired(segment: Segment): void {
    this.#retiredAt.set(segment, this.#opened);
  }

  /** Whether an open view may read a segment that was replaced. */
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

  /** Closes a view; what it noted goes to the one before it, which may need it still. Closing twice is harmless. */
  close(view: View): void {
    const at = this.#open.indexOf(view);
    if (at < 0) return;
    this.#open.splice(at, 1);
    this.current.holds = this.#open.length;
    const older = this.#open[at - 1];
    if (older === undefined || older.cleared !== undefined) return;
    const { changed } = view;
    if (older.changed === undefined) older.changed = changed;
    else changed?.each((key) => note(older, key, changed));
    older.cleared = view.cleared;
  }

  /** Closes all views. */
  closeAll(): void {
    this.#open = [];
    this.current.holds = 0;
  }

  /** Takes note that a key had that place (a segment of 0: none) before a change. */
  beforeChange(key: KeyBytes, place: Place): void {
    const youngest = this.#open.at(-1);
    if (youngest !== undefined && youngest.cleared === undefined) note(youngest, key, place);
  }

  /** Puts another index in the place of the present one: for a clear, say. Views keep the old one. */
  beforeReplacement(next: ReadIndex): void {
    const youngest = this.#open.at(-1);
    if (youngest !== undefined && youngest.cleared === undefined) youngest.cleared = this.current;
    this.onReplaced(next);
  }

  /** Takes an index for the present one. */
  onReplaced(index: ReadIndex): void {
    index.holds = this.#open.length;
    this.current = index;
  }

  /**
   * A change with that sequence number has been taken back. Views opened after it see what was before it, as everybody
   * does: all changes since are taken back too, so there is nothing left for them to remember.
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
   * Where a key's record was when the view was opened (without one: is); `undefined` if it had none, or if that had
   * expired. Places of what has expired stay in the index, so that a view need not note when it happens.
   */
  find(view: View | undefined, key: KeyBytes): Place | undefined {
    const from = view === undefined ? this.#open.length : this.#open.indexOf(view);
    const now = view === undefined ? this.current.now : view.now;
    for (let i = from; i < this.#open.length; i++) {
      const { changed, cleared } = this.#open[i]!;
      if (changed?.knows(key.bytes, key.start, key.length)) return copyOf(changed, now);
      if (cleared !== undefined) return lookUp(cleared, key, now);
    }
    return lookUp(this.current, key, now);
  }

  /** `find` for the key of an entry of `index`: hashes it only where it may have been noted. Good until the next call. */
  look(view: View, index: ReadIndex, ref: KeyRef): Place | undefined {
    let base = this.current;
    for (let i = this.#open.indexOf(view); i < this.#open.length && base === this.current; i++) {
      const { changed, cleared } = this.#open[i]!;
      if (changed !== undefined) {
        const { bytes, start, length } = index.keyOf(ref);
        if (changed.knows(bytes, start, length)) return copyOf(changed, view.now);
      }
      base = cleared ?? base;
    }
    // A clear that was taken back leaves walks over an index that nobody has any more.
    if (base !== index) return lookUp(base, index.keyOf(ref), view.now);
    return index.look(ref) && (index.expiresAt === 0 || index.expiresAt > view.now) ? index : undefined;
  }

  /** Whether neither the present nor an open view has the key of an entry of `index`: then its order may do without. */
  isForgotten(index: ReadIndex, ref: KeyRef): boolean {
    if (index !== this.current || index.lists(ref)) return false;
    const { bytes, start, length } = index.keyOf(ref);
    index.look(ref);
    let place: Place = index;
    for (let i = this.#open.length - 1; i >= 0 && this.#open[i]!.cleared === undefined; i--) {
      const { changed, now } = this.#open[i]!;
      if (changed?.knows(bytes, start, length)) place = changed;
      if (copyOf(place, now) !== undefined) return false;
    }
    return true;
  }

  /** The index that holds all keys of a view that are not among the changed ones. */
  base(view: View): ReadIndex {
    for (let i = this.#open.indexOf(view); i < this.#open.length; i++) {
      const cleared = this.#open[i]!.cleared;
      if (cleared !== undefined) return cleared;
    }
    return this.current;
  }
}

/** How many keys an index had as of an earlier time, if it was as it is. */
export function sizeAt(index: ReadIndex, now: number): number {
  let size = index.size + index.expired.count;
  for (let number = 0; number < PARTITIONS; number++) {
    for (const time of index.existing(number)?.expiries?.times ?? []) if (time !== 0 && time <= now) size--;
  }
  return size;
}

/** An empty list of keys with the places they had. */
function notes(): Index {
  const index = new Index();
  index.holds = 1;
  return index;
}

/** Notes in a view what a key's place was, unless the view knows of an earlier one. */
function note(view: View, key: KeyBytes, { segment, offset, length, isString, expiresAt }: Place): void {
  const changed = view.changed ??= notes();
  if (changed.knows(key.bytes, key.start, key.length)) return;
  changed.put(key, segment, offset, formOf(length, isString), expiresAt);
}

function lookUp(index: ReadIndex, key: KeyBytes, now: number): Place | undefined {
  return index.find(key.bytes, key.start, key.length) ? copyOf(index, now) : undefined;
}

function copyOf({ segment, offset, length, isString, expiresAt }: Place, now: number): Place | undefined {
  if (segment === 0 || (expiresAt !== 0 && expiresAt <= now)) return undefined;
  return { segment, offset, length, isString, expiresAt };
}
