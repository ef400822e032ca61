/**
 * The model: every state that the store has gone through, and up to where it must not lose any.
 *
 * A key expires when somebody looks at a time that is not before its own, and never comes back, whatever the clock says
 * later. A crash may lose what was seen to expire: then the key is there again if its time has not come by then. Which
 * of these keys are there, nobody can say who did not see the store.
 *
 * @module
 */
import type { Durability } from "../../../src/types.ts";
import { alive, type Entry, type State } from "./data.ts";

/** Stands for the number of the call that set an entry that had expired when the store was opened. */
const EXPIRED = -1;

/** What one call changes; all of it takes effect, or nothing. */
interface Change {
  id: number;
  clears: boolean;
  puts: [name: string, entry: Entry | undefined][];
}

/** The states since the store was opened, as changes in the order of the calls. */
export class History {
  /** The state after the last call, with what has expired since. */
  head: State = new Map();
  /** The number of the last call. Numbers are never used again. */
  lastId = 0;
  /** Everything up to these calls has been acknowledged. */
  readonly acknowledged: Record<Durability, number> = { write: 0, sync: 0 };
  /** The latest time at which anybody has looked at the store. */
  latestMs: number = -Infinity;
  /** Calls whose changes the store took back. */
  readonly lost: Set<number> = new Set();
  /** Calls that may have been taken back or not: the contents are the same either way. */
  readonly ambiguous: Set<number> = new Set();
  #base: State = new Map();
  #changes: Change[] = [];
  /** What had been called before changes were taken back, and the last call then. */
  #branches: { id: number; changes: Change[] }[] = [];
  /** Looks that let something expire: the time, and the last call before. Later ones have earlier times. */
  #looks: { nowMs: number; id: number }[] = [];
  /** Whether what was seen to expire has been recorded. */
  #isRecorded = false;

  readonly #now: () => number;

  /** A history in a world where it is `now`. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** What the store must show at present. */
  get present(): State {
    return new Map([...this.head].filter(([, entry]) => alive(entry, Math.max(this.#now(), this.#seenBy(entry)))));
  }

  /** Somebody looks at the store. */
  look(): void {
    const nowMs = this.#now();
    this.latestMs = Math.max(this.latestMs, nowMs);
    while ((this.#looks.at(-1)?.nowMs ?? Infinity) <= nowMs) this.#looks.pop();
    this.#looks.push({ nowMs, id: this.lastId });
  }

  /** The store was closed: what was seen to expire outlasts that. */
  record(): void {
    this.#isRecorded = true;
  }

  /** How many states there are besides the first. */
  get length(): number {
    return this.#changes.length;
  }

  /** Takes note of a call that changes these keys. Returns its number. */
  put(puts: [name: string, entry: Entry | undefined][]): number {
    return this.#add({ id: ++this.lastId, clears: false, puts });
  }

  /** Takes note of a call that deletes everything. */
  clear(): number {
    return this.#add({ id: ++this.lastId, clears: true, puts: [] });
  }

  /** A call has reached a durability, and with it all calls before. */
  acknowledge(durability: Durability, id: number): void {
    for (const one of durability === "sync" ? ["sync", "write"] as const : ["write"] as const) {
      this.acknowledged[one] = Math.max(this.acknowledged[one], id);
    }
    const last = this.lastWritten(this.acknowledged.write);
    this.#branches = this.#branches.filter((branch) => branch.id >= last);
  }

  /** The position of the state after a call. */
  positionOf(id: number): number {
    let position = this.#changes.length;
    while (position > 0 && this.#changes[position - 1]!.id > id) position--;
    return position;
  }

  /** The last call up to `id` whose change is in the log for sure; 0 if there is none. */
  lastWritten(id: number): number {
    return this.#changes.findLast((change) => change.id <= id && !this.ambiguous.has(change.id))?.id ?? 0;
  }

  /** The number of the call after which the state at a position came; 0 for the first. */
  idAt(position: number): number {
    return this.#changes[position - 1]?.id ?? 0;
  }

  /** Positions, from `from` on, whose state is just `contents`. */
  positions(contents: State, from: number): number[] {
    return this.#positionsIn(this.#changes, contents).filter((position) => position >= from);
  }

  /**
   * Whether `contents` are those of a time that includes everything acknowledged. Writes that failed may count after a
   * crash, as long as nothing that came later was acknowledged: until then nobody could say where the log ends.
   */
  isPossible(contents: State, durability: Durability): boolean {
    const branches = [...this.#branches, { id: this.lastId, changes: this.#changes }];
    return branches.some(({ changes }) => {
      const floor = this.#floor(changes, durability);
      return this.#positionsIn(changes, contents).some((position) => position >= floor);
    });
  }

  /** The position of everything that was acknowledged. */
  floor(durability: Durability): number {
    return this.#floor(this.#changes, durability);
  }

  /**
   * Goes back to an earlier state. `certain`: the first position with the same contents. Whether there was anything to
   * take back.
   */
  cut(position: number, certain: number): boolean {
    const before = [...this.#changes];
    const gone = this.#changes.splice(position);
    for (const { id } of gone) this.lost.add(id);
    for (const { id } of this.#changes.slice(certain)) this.ambiguous.add(id);
    if (gone.length === 0) return false;
    this.#branches.push({ id: this.lastId, changes: before });
    this.head = new Map(this.#base);
    for (const change of this.#changes) apply(this.head, change);
    return true;
  }

  /** The end of the log has been recorded: what failed does not count. */
  forgetFailed(): void {
    this.#branches = [];
  }

  /** Begins anew with what was found; all of it is durable, as opening makes it. */
  restart(contents: State): void {
    this.#base = new Map([...this.#expired(contents), ...contents]);
    this.#changes = [];
    this.#branches = [];
    this.#looks = [{ nowMs: Infinity, id: EXPIRED }];
    this.#isRecorded = false;
    this.head = new Map(this.#base);
    this.acknowledged.write = this.acknowledged.sync = this.lastId;
  }

  /** Calls that may have been taken back are no part of what was acknowledged, even if a later call was. */
  #floor(changes: Change[], durability: Durability): number {
    const limit = this.acknowledged[durability];
    return changes.findLastIndex(({ id }) => id <= limit && !this.lost.has(id) && !this.ambiguous.has(id)) + 1;
  }

  /** What has expired of a state whose contents were found. It may come back with the next crash. */
  #expired(contents: State): State {
    for (const changes of [this.#changes, ...this.#branches.map((branch) => branch.changes)]) {
      const position = this.#positionsIn(changes, contents).at(-1);
      if (position === undefined) continue;
      const state = new Map(this.#base);
      for (const change of changes.slice(0, position)) apply(state, change);
      return new Map(Array.from(state, ([name, entry]) => [name, { ...entry, id: EXPIRED }]));
    }
    return new Map();
  }

  /** The latest time at which an entry, or what had replaced it, was looked at. */
  #seenBy({ id = 0 }: Entry): number {
    return this.#looks.find((look) => look.id >= id)?.nowMs ?? -Infinity;
  }

  #positionsIn(changes: Change[], contents: State): number[] {
    return positionsIn(this.#base, changes, contents, (entry, found) => {
      if (entry === undefined || entry.expiresAt <= this.#now()) return found === undefined;
      const isGone = entry.expiresAt <= this.#seenBy(entry);
      return isGone && found === undefined || !(isGone && this.#isRecorded) && isSame(entry, found);
    });
  }

  #add(change: Change): number {
    for (const [, entry] of change.puts) if (entry !== undefined) entry.id = change.id;
    this.#changes.push(change);
    apply(this.head, change);
    return change.id;
  }
}

/** Positions in a row of changes whose state is just `contents`, as far as `fits` says so of each entry. */
function positionsIn(
  base: State,
  changes: Change[],
  contents: State,
  fits: (entry: Entry | undefined, found: Entry | undefined) => boolean,
): number[] {
  const found: number[] = [];
  const state = new Map(base);
  let wrong = 0;
  for (const name of new Set([...state.keys(), ...contents.keys()])) {
    wrong += fits(state.get(name), contents.get(name)) ? 0 : 1;
  }
  for (let position = 0;; position++) {
    if (wrong === 0) found.push(position);
    const change = changes[position];
    if (change === undefined) return found;
    if (change.clears) wrong = contents.size;
    for (const [name, entry] of change.puts) {
      wrong -= fits(state.get(name), contents.get(name)) ? 0 : 1;
      wrong += fits(entry, contents.get(name)) ? 0 : 1;
      apply(state, { ...change, puts: [[name, entry]] });
    }
    if (change.clears) state.clear();
  }
}

function apply(state: State, { clears, puts }: Change): void {
  if (clears) state.clear();
  for (const [name, entry] of puts) {
    if (entry === undefined) state.delete(name);
    else state.set(name, entry);
  }
}

/** Whether two entries say the same. */
export function isSame(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.isString === b.isString && a.value === b.value && a.expiresAt === b.expiresAt;
}
