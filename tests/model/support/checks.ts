/**
 * What is read, and what it must be: single calls, and snapshots and iterators that are held while the store goes on.
 *
 * @module
 */
import { KvStoreError, type Reader } from "../../../mod.ts";
import type { Snapshot } from "../../../src/views/snapshot.ts";
import type { Key, Range, Value } from "../../../src/types.ts";
import type { Look } from "./commands.ts";
import { aliveAt, type Data, digestOf, type Entry, entryOf, nameOf, printable, type State, within } from "./data.ts";
import { isSame } from "./model.ts";

/** Everything that a reader shows. */
export function contentsOf(reader: Reader): State {
  const state: State = new Map();
  for (const [key, value] of reader) state.set(...entryOf(key, value, reader.expiresAt(key)));
  return state;
}

/** Compares two states, and says where they differ. */
export function assertSame(found: State, expected: State, what: string): void {
  for (const name of new Set([...expected.keys(), ...found.keys()])) {
    if (isSame(found.get(name), expected.get(name))) continue;
    throw new Error(`${what}: ${printable(name)} has ${show(found.get(name))}, not ${show(expected.get(name))}`);
  }
}

/** Reads some of a reader, or all of it, and compares. */
export function assertReads(reader: Reader, expected: State, { look, data }: { look: Look; data: Data }): void {
  const many = look.keys.map((number) => data.key(number));
  const key = many[0]!;
  const valueOf = (one: Key) => expected.get(nameOf(one))?.value;
  switch (look.how) {
    case 0:
      return assertSame(contentsOf(reader), expected, "contents");
    case 1:
      return assertText(String(reader.has(key)), String(expected.has(nameOf(key))), "has");
    case 2:
      return assertText(reader.getMany(many).map(digestOf).join("|"), many.map(valueOf).join("|"), "getMany");
    case 3:
      return assertText(String(reader.size), String(expected.size), "size");
    case 4:
      return assertRange(reader, expected, data.range(look.range));
    case 5: {
      const expiresAt = expected.get(nameOf(key))?.expiresAt ?? Infinity;
      return assertText(String(reader.expiresAt(key) ?? Infinity), String(expiresAt), "expiresAt");
    }
    default:
      return assertText(digestOf(reader.get(key)), valueOf(key), `get ${printable(nameOf(key))}`);
  }
}

function assertRange(reader: Reader, expected: State, range: Range): void {
  const wanted = within(expected, range);
  const what = `range ${JSON.stringify(range)}`;
  const keys = Array.from(reader.keys(range), (key) => `${typeof key} ${nameOf(key)}`);
  const names = wanted.map(([name, { isString }]) => `${isString ? "string" : "object"} ${name}`);
  assertText(keys.join("|"), names.join("|"), what);
  const values = Array.from(reader.values(range), (value) => digestOf(value));
  assertText(values.join("|"), wanted.map(([, { value }]) => value).join("|"), what);
}

function assertText(found: string | undefined, expected: string | undefined, what: string): void {
  if (found !== expected) throw new Error(`${what}: ${found?.slice(0, 300)}, not ${expected?.slice(0, 300)}`);
}

function show(entry: Entry | undefined): string {
  return entry === undefined ? "nothing" : `${entry.value.slice(0, 60)} (${entry.isString ? "string" : "bytes"})`;
}

/** When a snapshot or iterator was taken: the state, the time, and the last call before. */
export interface Moment {
  state: State;
  nowMs: number;
  id: number;
}

/** A snapshot that is held, with what it must show. */
export class HeldSnapshot {
  #state: State;
  readonly #snapshot: Snapshot;
  readonly #nowMs: number;
  /** The last call before it was taken. */
  readonly id: number;

  /** A snapshot of that moment. */
  constructor(snapshot: Snapshot, { state, nowMs, id }: Moment) {
    this.#snapshot = snapshot;
    this.#state = new Map(state);
    this.#nowMs = nowMs;
    this.id = id;
  }

  /** Takes a look. */
  check(tools: { look: Look; data: Data }): void {
    assertReads(this.#snapshot, this.#state, tools);
  }

  /** What it was taken of has been taken back: it shows that state, as of the time when it was taken. */
  takeBack(state: State): void {
    this.#state = aliveAt(this.#nowMs, state);
  }

  /** Whether it has nothing more to show, which a snapshot never says: it throws. */
  isDone(): boolean {
    return this.#snapshot.size < 0;
  }

  /** Gives it up. */
  release(): void {
    this.#snapshot.close();
    assertCode(() => this.#snapshot.size, "CLOSED");
  }
}

/** An iterator that is held half-way, with what it must still yield. */
export class HeldIterator {
  readonly id: number;
  readonly #iterator: IterableIterator<[Key, Value]>;
  readonly #left: [name: string, entry: Entry][];
  /** After writes were taken back: which keys it visits was settled before; what they have must be this. */
  #loose: State | undefined;
  readonly #isAsBytes: boolean;
  readonly #nowMs: number;

  /** An iterator over a range of `state`. */
  constructor(reader: Reader, { state, nowMs, id }: Moment, range: Range) {
    this.#iterator = reader.entries(range);
    this.#left = within(state, range);
    this.#isAsBytes = range.keys === "bytes";
    this.#nowMs = nowMs;
    this.id = id;
  }

  /** Goes on for a few steps. */
  check({ look }: { look: Look }): void {
    for (let steps = look.keys.length; steps > 0; steps--) {
      const { done, value } = this.#iterator.next();
      const [name, entry] = this.#left.shift() ?? [];
      if (done) {
        if (name === undefined || this.#loose !== undefined) return;
        throw new Error(`iterator: ends before ${printable(name)}`);
      }
      const [foundName, found] = entryOf(...value as [Key, Value]);
      // An iterator does not say when a key expires.
      found.expiresAt = (this.#loose?.get(foundName) ?? entry)?.expiresAt ?? Infinity;
      const loose = this.#loose?.get(foundName);
      const wanted = loose && this.#isAsBytes ? { ...loose, isString: false } : loose ?? entry;
      if (this.#loose === undefined && foundName !== name) {
        throw new Error(`iterator: ${printable(foundName)}, not ${name === undefined ? "the end" : printable(name)}`);
      }
      if (!isSame(found, wanted)) {
        throw new Error(`iterator: ${printable(foundName)} has ${show(found)}, not ${show(wanted)}`);
      }
    }
  }

  /** Some of what it was to visit has been taken back. */
  takeBack(state: State): void {
    this.#loose = aliveAt(this.#nowMs, state);
  }

  /** Whether it has nothing more to yield. */
  isDone(): boolean {
    return this.#iterator.next().done === true;
  }

  /** Gives it up. */
  release(): void {
    this.#iterator.return!();
    if (!this.isDone()) throw new Error("iterator: goes on after return()");
  }
}

/** Expects a `KvStoreError` with that code. */
export function assertCode(action: () => unknown, code: string): void {
  try {
    action();
  } catch (error) {
    if (KvStoreError.is(error) && error.code === code) return;
    throw error;
  }
  throw new Error(`no error, where ${code} was to be expected`);
}

/** Expects that what was held of a store ended with it; an iterator may have come to its end before. */
export function assertEnded(held: HeldSnapshot | HeldIterator): void {
  try {
    if (held.isDone()) return;
  } catch (error) {
    if (KvStoreError.is(error) && error.code === "CLOSED") return;
    throw error;
  }
  throw new Error("a snapshot or iterator goes on after close()");
}

/** Whether that is what a store says when the system refuses. */
export function isFailure(error: unknown): error is KvStoreError {
  return KvStoreError.is(error) && (error.code === "IO" || error.code === "FAILED");
}
