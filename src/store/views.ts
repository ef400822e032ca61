/**
 * Views: what lets snapshots and iterators see the store as it was, without copying it. While a view is open, whoever
 * changes an entry of the index first leaves the old one in the youngest view (undo, as in rollback segments; Reed,
 * "Naming and Synchronization in a Decentralized Computer System", 1978, for the idea of reading old versions). A view
 * answers from its own notes, then from those of the views that were opened after it, and in the end from the index.
 *
 * @module
 */
import { formOf, Index, type KeyBytes, type Place } from "../index/index.ts";
import { SortedKeys } from "../index/sorted.ts";

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
  changed: Index = notes();
  /** The whole index as it was when `clear` replaced it. */
  cleared: SortedIndex | undefined;

  /** A view with nothing changed yet. */
  constructor(id: number, moment: { sequence: number; now: number }, size: number) {
    this.id = id;
    this.sequence = moment.sequence;
    this.now = moment.now;
    this.size = size;
  }
}

/** An index with its keys in order. */
export interface SortedIndex {
  /** The index. */
  index: Index;
  /** Its keys. */
  sorted: SortedKeys;
}

/** The views on a store, oldest first. */
export class Views {
  /** The present state. */
  current: SortedIndex;
  /** Views opened so far. */
  opened = 0;
  #open: View[] = [];

  /** No views yet. */
  constructor(index: Index) {
    this.current = { index, sorted: new SortedKeys(index) };
  }

  /** The id of the oldest open view; `Infinity` without one. */
  get oldest(): number {
    return this.#open[0]?.id ?? Infinity;
  }

  /** Whether a view is open. */
  has(view: View): boolean {
    return this.#open.includes(view);
  }

  /** Opens a view of the present state. */
  open(nextSequence: number, now: number = 0): View {
    const { size } = this.current.index;
    const view = new View(++this.opened, { sequence: nextSequence, now }, size);
    this.#open.push(view);
    this.current.index.holds++;
    return view;
  }

  /** Closes a view; what it noted goes to the one before it, which may need it still. Closing twice is harmless. */
  close(view: View): void {
    const at = this.#open.indexOf(view);
    if (at < 0) return;
    this.#open.splice(at, 1);
    this.current.index.holds = this.#open.length;
    const older = this.#open[at - 1];
    if (older === undefined || older.cleared !== undefined) return;
    view.changed.each((key) => note(older, key, view.changed));
    older.cleared = view.cleared;
  }

  /** Closes all views. */
  closeAll(): void {
    this.#open = [];
    this.current.index.holds = 0;
  }

  /** Takes note that a key had that place (a segment of 0: none) before a change. */
  remember(key: KeyBytes, place: Place): void {
    const youngest = this.#open.at(-1);
    if (youngest !== undefined && youngest.cleared === undefined) note(youngest, key, place);
  }

  /** Puts another index in the place of the present one (`clear`). Returns what was there. */
  replace(next: SortedIndex): SortedIndex {
    const old = this.current;
    const youngest = this.#open.at(-1);
    if (youngest !== undefined && youngest.cleared === undefined) youngest.cleared = old;
    next.index.holds = this.#open.length;
    this.current = next;
    return old;
  }

  /** Takes back a `replace`. */
  restore(old: SortedIndex): void {
    this.current = old;
    old.index.holds = this.#open.length;
  }

  /**
   * A change with that sequence number has been taken back. Views opened after it see what was before it, as everybody
   * does: all changes since are taken back too, so there is nothing left for them to remember.
   */
  rolledBack(sequence: number): void {
    for (const view of this.#open) {
      if (view.cleared === this.current) view.cleared = undefined;
      if (view.sequence <= sequence) continue;
      view.changed = notes();
      view.cleared = undefined;
      view.size = this.current.index.sizeAt(view.now);
    }
  }

  /**
   * Where a key's record was when the view was opened (without one: is); `undefined` if it had none, or if that had
   * expired. Places of what has expired stay in the index, so that a view need not note when it happens.
   */
  find(view: View | undefined, key: KeyBytes): Place | undefined {
    const from = view === undefined ? this.#open.length : this.#open.indexOf(view);
    const now = view === undefined ? this.current.index.now : view.now;
    for (let i = from; i < this.#open.length; i++) {
      const { changed, cleared } = this.#open[i]!;
      if (changed.knows(key.bytes, key.start, key.length)) return copyOf(changed, now);
      if (cleared !== undefined) return lookUp(cleared.index, key, now);
    }
    return lookUp(this.current.index, key, now);
  }

  /** The index that holds all keys of a view that are not among the changed ones. */
  base(view: View): SortedIndex {
    for (let i = this.#open.indexOf(view); i < this.#open.length; i++) {
      const cleared = this.#open[i]!.cleared;
      if (cleared !== undefined) return cleared;
    }
    return this.current;
  }
}

/** An empty list of keys with the places they had. */
function notes(): Index {
  const index = new Index();
  index.holds = 1;
  return index;
}

/** Notes in a view what a key's place was, unless the view knows of an earlier one. */
function note({ changed }: View, key: KeyBytes, { segment, offset, length, isString, expiresAt }: Place): void {
  if (changed.knows(key.bytes, key.start, key.length)) return;
  changed.put(key, segment, offset, formOf(length, isString), expiresAt);
}

function lookUp(index: Index, key: KeyBytes, now: number): Place | undefined {
  return index.find(key.bytes, key.start, key.length) ? copyOf(index, now) : undefined;
}

function copyOf({ segment, offset, length, isString, expiresAt }: Place, now: number): Place | undefined {
  if (segment === 0 || (expiresAt !== 0 && expiresAt <= now)) return undefined;
  return { segment, offset, length, isString, expiresAt };
}
