/**
 * The model that crash tests compare with: every write in call order, what its caller was told, and so what contents
 * a store may have after a crash: those after some prefix of the history that has everything that was acknowledged.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Durability, type Key, type KvStore, KvStoreError, type Snapshot, type Value } from "../../../mod.ts";

/** Contents of a store: keys are strings in these tests. */
export type Contents = Map<string, Value>;

/** What a write's caller knows: nothing yet, that it is done, that it was refused, that a sync failed. */
type Outcome = "pending" | "done" | "refused" | "failed";

interface Write {
  /** Changes the contents; says what the call is to resolve to. */
  apply: (contents: Contents) => boolean | void;
  outcome: Outcome;
  durability: Durability;
}

/** Contents as one comparable text. */
export function textOf(contents: Iterable<[Key, Value]>): string {
  return Array.from(contents, ([key, value]) => `${String(key)}=${textOfValue(value)}`).sort().join("\n");
}

function textOfValue(value: Value): string {
  return value instanceof Uint8Array ? `bytes ${value.toString()}` : JSON.stringify(value);
}

/** What a store holds: as its iterator has it, and every key asked for by itself. */
export function contentsOf(store: KvStore | Snapshot, keys: Iterable<string> = []): string {
  const there = new Map(Array.from(store.entries(), ([key, value]) => [String(key), textOfValue(value)]));
  assertEquals(store.size, there.size, "size and iterator agree");
  for (const key of new Set([...keys, ...there.keys()])) {
    assertEquals(store.has(key), there.has(key), `has(${key}) and the iterator agree`);
    const value = store.get(key);
    assertEquals(value === undefined ? undefined : textOfValue(value), there.get(key), `get(${key}) and the iterator`);
  }
  return Array.from(there, ([key, text]) => `${key}=${text}`).sort().join("\n");
}

/** All writes of one run. */
export class History {
  /** Keys that were ever written. */
  readonly keys: Set<string> = new Set();
  /** How often callers heard of an error. */
  rejections = 0;
  /** Once the machine is off nobody is there to hear what becomes of a call. */
  isFrozen = false;
  #writes: Write[] = [];
  /** This many writes, from the first on, are known to survive a power cut … */
  #synced = 0;
  /** … and the death of the process. */
  #written = 0;

  /** How many writes there were. */
  get length(): number {
    return this.#writes.length;
  }

  /** Notes a write that has just been called. Resolves, never rejects, when its caller knows. */
  write(call: Promise<boolean | void>, durability: Durability, keys: string[], apply: Write["apply"]): Promise<void> {
    const write: Write = { apply, outcome: "pending", durability };
    const count = this.#writes.push(write);
    for (const key of keys) this.keys.add(key);
    return call.then((result) => {
      if (this.isFrozen) return;
      write.outcome = "done";
      this.#acknowledge(durability, count);
      this.#checkResult(count - 1, result);
    }, (error) => {
      if (this.isFrozen) return;
      this.rejections++;
      write.outcome = codeOf(error) === "FAILED" ? "failed" : "refused";
    });
  }

  /** Notes a call that is to make every write before it durable. Resolves to whether it did. */
  barrier(call: Promise<void>): Promise<boolean> {
    const count = this.#writes.length;
    return call.then(() => {
      if (this.isFrozen) return true;
      this.#acknowledge("sync", count);
      return true;
    }, (error) => {
      codeOf(error);
      this.rejections++;
      return false;
    });
  }

  /** The history as known at this moment. */
  copy(): History {
    const copy = new History();
    copy.#writes = this.#writes.map((write) => ({ ...write }));
    copy.#synced = this.#synced;
    copy.#written = this.#written;
    for (const key of this.keys) copy.keys.add(key);
    return copy;
  }

  /** What the store must hold if nothing but errors met it: all that was not refused. */
  present(): string {
    return this.#textAfter(this.#writes.filter(({ outcome }) => outcome === "done" || outcome === "pending"));
  }

  /**
   * Whether a store may hold `contents` after an end that kept everything of that durability: they are those after
   * some prefix of the history, and it has all that was acknowledged.
   */
  isPossible(contents: string, after: Durability): boolean {
    return this.#find(contents, after) !== undefined;
  }

  /** Fails unless `contents` are possible. */
  assertPossible(contents: string, after: Durability, message: string): void {
    if (this.#find(contents, after) !== undefined) return;
    const what = `${message}: no prefix of the history with all that was acknowledged has these contents`;
    assertEquals(contents.split("\n"), this.present().split("\n"), what);
    assert(false, what);
  }

  /** From here on the contents that were found are the history: what is not in them is forgotten. */
  settle(contents: string, after: Durability, message: string): void {
    this.assertPossible(contents, after, message);
    this.#writes = this.#find(contents, after)!.map((write) => ({ ...write, outcome: "done" }));
    // What an open shows is durable: recovery has written anew what was not known to be.
    this.#synced = this.#written = this.#writes.length;
  }

  #find(contents: string, after: Durability): Write[] | undefined {
    const known = after === "sync" ? this.#synced : this.#written;
    const before = this.#writes.slice(0, known).filter(({ outcome }) => outcome !== "refused");
    const behind = this.#writes.slice(known);
    const size = contents === "" ? 0 : contents.split("\n").length;
    let longest: Write[] | undefined;
    // Refused writes are gone once a later one is acknowledged; until then their bytes may be found, in order.
    for (const later of [behind, behind.filter(({ outcome }) => outcome !== "refused")]) {
      const writes = [...before, ...later];
      const state: Contents = new Map();
      for (let count = 0; count <= writes.length; count++) {
        if (count > 0) writes[count - 1]!.apply(state);
        const isMatch = count >= before.length && state.size === size && textOf(state) === contents;
        if (isMatch) longest = writes.slice(0, count);
      }
    }
    return longest;
  }

  #acknowledge(durability: Durability, count: number): void {
    this.#written = Math.max(this.#written, count);
    if (durability === "sync") this.#synced = Math.max(this.#synced, count);
  }

  #checkResult(at: number, result: boolean | void): void {
    if (typeof result !== "boolean") return;
    const contents: Contents = new Map();
    for (const write of this.#writes.slice(0, at)) {
      // Whether writes before it were refused is not known for all of them yet.
      if (write.outcome === "refused" || write.outcome === "failed") return;
      write.apply(contents);
    }
    assertEquals(result, this.#writes[at]!.apply(contents), "what delete resolves to");
  }

  #textAfter(writes: Write[]): string {
    const contents: Contents = new Map();
    for (const write of writes) write.apply(contents);
    return textOf(contents);
  }
}

/** The code of an error, which must be one of the store's. */
export function codeOf(error: unknown): string {
  assert(KvStoreError.is(error), `an error of another kind: ${error}`);
  return error.code;
}
