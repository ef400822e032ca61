/**
 * Watching: the changes of a store as they become durable, one after the other. A watch stands at a sequence number and
 * reads the log from there whenever it is asked for a change; where there is none, it waits to be told of news.
 *
 * On a store that was opened for writing the end of a sync is news. A reader has nobody to tell it: as long as it has
 * watches, it looks several times a second whether the writer has changed a file, and refreshes.
 *
 * @module
 */
import { startsWith } from "../bytes.ts";
import { corrupt, isTrimmed, KvStoreError } from "../errors.ts";
import { ChangeCursor } from "./changes.ts";
import { readManifest } from "../engine/manifest.ts";
import { FLAG_STRING_KEY, KIND, valueTypeOf } from "../engine/record.ts";
import { keepRunning, paced } from "../platform/turn.ts";
import type { Change, Key, Value, Watch, WatchOptions } from "../types.ts";
import type { OpenStore } from "../store/open_store.ts";
import { durableSequence } from "./durable.ts";
import { EncodedKey } from "../engine/key.ts";
import { decodeKey } from "../store/keys.ts";
import { checkInteger, checkNames } from "../store/options.ts";
import { refreshReader } from "../follow/refresh.ts";
import { decodeValue } from "../store/values.ts";
import type { Watching } from "./watches.ts";

/** How often a reader looks for what the writer has done. The writer tells of its syncs within a second. */
const LOOK_MS = 250;

type Result<V extends Value, K extends Key> = IteratorResult<Change<V, K>, undefined>;

/** Ends the watches that nobody holds any more. */
const ABANDONED = new FinalizationRegistry<() => void>((end) => end());

/** Begins a watch. */
export function watchStore<V extends Value, K extends Key>(store: OpenStore, options: WatchOptions): Watch<V, K> {
  checkNames("watch", options, ["prefix", "since", "signal"]);
  const { prefix = "", since, signal } = options;
  if (since !== undefined) checkSince(store, since);
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw new TypeError("signal must be an AbortSignal");
  }
  const bytes = new EncodedKey().encode(prefix).copy();
  const durable = durableSequence(store);
  const state = new WatchState<V, K>(store, bytes, since ?? durable);
  if (store.watches.isEmpty) store.watches.durableSequence = durable;
  store.watches.add(state);
  const { nextSequence, historyFloor } = store.log;
  if (state.position >= nextSequence) {
    state.refuse(`the log ends at ${nextSequence - 1}, before ${since}; it is another, or an older one`, historyFloor);
  } else if (state.position < historyFloor) state.trim(historyFloor);
  if (signal !== undefined) state.heed(signal);
  lookLater(store);
  return new ChangeIterator<V, K>(state);
}

/** A number that a reader has not come to may be one that its writer has. */
function checkSince(store: OpenStore, since: number): void {
  checkInteger("since", since, 0, Number.MAX_SAFE_INTEGER);
  if (since >= store.log.nextSequence && !store.log.isWriter) refreshReader(store);
}

/** What callers hold. The store knows the state alone: a watch that nobody asks any more is garbage. */
class ChangeIterator<V extends Value, K extends Key> implements Watch<V, K> {
  readonly #state: WatchState<V, K>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(state: WatchState<V, K>) {
    this.#state = state;
    ABANDONED.register(this, () => state.end(), this);
  }

  get position(): number {
    return this.#state.position;
  }

  next(): Promise<Result<V, K>> {
    const result = this.#last.then(() => this.#state.next());
    // While somebody waits, this must not be garbage.
    this.#last = result.then(() => this, () => this);
    return result;
  }

  // deno-lint-ignore require-await -- an iterator's calls return promises
  async return(): Promise<Result<V, K>> {
    ABANDONED.unregister(this);
    this.#state.end();
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** A watch under way. */
class WatchState<V extends Value, K extends Key> implements Watching {
  readonly #engine: OpenStore;
  readonly #prefix: Uint8Array;
  readonly #changes: ChangeCursor;
  #isOver = false;
  /** What the next call rejects with: the last that is heard. */
  #failure: { reason: unknown } | undefined;
  #wake: ((failure?: unknown) => void) | undefined;
  #unheed = () => {};

  constructor(store: OpenStore, prefix: Uint8Array, since: number) {
    this.#engine = store;
    this.#prefix = prefix;
    this.#changes = new ChangeCursor(since);
  }

  get position(): number {
    return this.#changes.position;
  }

  /** The next change, once there is one. */
  next(): Promise<Result<V, K>> {
    return paced(() => this.#next());
  }

  async #next(): Promise<Result<V, K>> {
    for (;;) {
      if (this.#engine.isClosed) this.end();
      if (this.#failure !== undefined) {
        const { reason } = this.#failure;
        this.#failure = undefined;
        throw reason;
      }
      if (this.#isOver) return { done: true, value: undefined };
      const { step, value } = this.#advance();
      if (value !== undefined) return { done: false, value };
      if (step === "pause") await this.#pause();
      if (step === "end") await this.#news();
    }
  }

  /** One step, and the change that it led to. */
  #advance(): { step: "change" | "pause" | "end"; value?: Change<V, K> | undefined } {
    try {
      const step = this.#step();
      return { step, value: step === "change" ? this.#change() : undefined };
    } catch (error) {
      if (!isTrimmed(error)) throw error;
      this.#catchUp();
      return { step: "pause" };
    }
  }

  /** Ends the watch; with a reason, the next call rejects with that. */
  end(failure?: { reason: unknown }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    this.#unheed();
    this.#changes.rest();
    this.#engine.watches.remove(this);
    this.#wake?.();
    if (!this.#engine.isClosed) this.#engine.sweep();
  }

  /** Ends the watch when a signal says so. */
  heed(signal: AbortSignal): void {
    const end = () => this.end({ reason: signal.reason });
    if (signal.aborted) return end();
    signal.addEventListener("abort", end, { once: true });
    this.#unheed = () => signal.removeEventListener("abort", end);
  }

  wake(failure?: unknown): void {
    this.#wake?.(failure);
  }

  trim(historyFloor: number): void {
    this.refuse(
      `the log has lost changes after ${this.position} to compaction; it has all of those after ${historyFloor}`,
      historyFloor,
    );
  }

  /** Ends the watch, as the log cannot go on from where it is. */
  refuse(reason: string, historyFloor: number): void {
    this.end({ reason: new KvStoreError("TRIMMED", `${reason}: begin again with entries()`, { historyFloor }) });
  }

  #step(): "change" | "pause" | "end" {
    try {
      return this.#changes.step(this.#engine.log);
    } catch (error) {
      // What a damaged header hides nobody can tell, and so the rest would not be all changes.
      if (error instanceof KvStoreError && error.code === "CORRUPT") this.end();
      throw error;
    }
  }

  /**
   * The writer has removed a file that we had no descriptor of. Above the history floor every version is in the files that
   * it has now; below, nobody knows what was in that one.
   */
  #catchUp(): void {
    refreshReader(this.#engine);
    const { historyFloor } = this.#engine.log;
    if (this.position < historyFloor) this.trim(historyFloor);
  }

  /** The change that the cursor stands on; `undefined` if it is not asked for. */
  #change(): Change<V, K> | undefined {
    const { record, segment } = this.#changes;
    const { sequence: seq, kind, flags } = record;
    if (kind === KIND.clear) return { seq, type: "clear" };
    if (!startsWith(record.key, this.#prefix)) return undefined;
    const key = decodeKey(record.key, (flags & FLAG_STRING_KEY) !== 0) as K;
    if (kind === KIND.delete) return { seq, type: "delete", key };
    const bad = (reason: string) => corrupt(segment.name, record.offset, reason);
    if (!this.#checkValue()) throw bad("checksum of a value");
    const { expiresAt } = record;
    try {
      const value = decodeValue(valueTypeOf(flags), record.value) as V;
      return { seq, type: "set", key, value, ...(expiresAt === 0 ? {} : { expiresAt }) };
    } catch (error) {
      throw bad(`a value that does not decode: ${String(error)}`);
    }
  }

  /** Whether the value of the change checks out. Where it cannot be read, the next call comes to this change again. */
  #checkValue(): boolean {
    try {
      return this.#changes.record.checkValue();
    } catch (error) {
      this.#changes.back();
      throw error;
    }
  }

  async #pause(): Promise<void> {
    // What was kept for us may not be needed any more.
    this.#engine.sweep();
    await this.#changes.slices.pause();
  }

  /** Waits until there may be something new. */
  async #news(): Promise<void> {
    const { log } = this.#engine;
    this.#changes.rest();
    this.#engine.sweep();
    if (log.failure !== undefined) this.end({ reason: log.failure });
    // The sweep may have found that too much would have to be kept.
    if (this.#isOver) return;
    // Other processes may bring news to a reader; to a writer only its own can.
    const running = log.isWriter ? undefined : keepRunning();
    try {
      await new Promise<void>((resolve, reject) => {
        this.#wake = (failure) => failure === undefined ? resolve() : reject(failure);
      });
    } finally {
      this.#wake = undefined;
      running?.stop();
    }
  }
}

/**
 * Lets a reader look, in a while, whether there is something new for its watches: another manifest, or more in the file
 * that is being written than there was before the last look.
 */
function lookLater(store: OpenStore, seenBytes?: number): void {
  const { watches, log } = store;
  if (log.isWriter || store.isClosed || watches.timer !== undefined || watches.isEmpty) return;
  watches.timer = log.platform.startTimer(LOOK_MS, () => {
    watches.timer = undefined;
    let bytes = seenBytes;
    try {
      const { platform, directory, generation } = store.log;
      bytes = writtenBytes(store);
      const isSame = bytes === seenBytes && readManifest(platform, directory)?.generation === generation;
      if (!isSame || store.follower.isTorn) refreshReader(store);
    } catch (error) {
      bytes = undefined;
      watches.wake(error);
    }
    lookLater(store, bytes);
  });
}

/** Size of the file that is being written. */
function writtenBytes({ log }: OpenStore): number {
  return log.active?.handle.size() ?? 0;
}
