/**
 * Watches yield the changes of a store one by one, as they become durable. A watch is at a sequence number, and reads
 * the log from there whenever a change is asked for. If there is none, it waits to be woken.
 *
 * On a store that is open for writing, the end of a sync wakes its watches. A reader has no such event. While it has
 * watches, it checks several times a second whether the writer has changed a file, and refreshes.
 *
 * @module
 */
import { startsWith } from "../bytes.ts";
import { corrupt, isTrimmed, KvStoreError } from "../errors.ts";
import { ChangeCursor } from "./changes.ts";
import { FLAG_STRING_KEY, KIND, valueTypeOf } from "../engine/record.ts";
import { keepRunning, paced } from "../platform/turn.ts";
import type { Change, Key, Value, Watch, WatchOptions } from "../types.ts";
import type { OpenStore } from "../store/open_store.ts";
import { durableSequence } from "../follow/durable.ts";
import { decodeKey, EncodedKey } from "../store/keys.ts";
import { checkInteger, checkNames } from "../store/options.ts";
import { refreshReader } from "../follow/refresh.ts";
import { decodeValue } from "../store/values.ts";
import type { Watching } from "./watches.ts";
import { readManifest } from "../store/directory.ts";

/** How often a reader checks for changes. Its writer syncs every second at the latest. */
const CHECK_MS = 250;

type Result<V extends Value, K extends Key> = IteratorResult<Change<V, K>, undefined>;

/** Ends watches that were collected as garbage. */
const ABANDONED = new FinalizationRegistry<() => void>((end) => end());

/** Starts a watch. */
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
  if (signal !== undefined) state.endOnAbort(signal);
  scheduleCheck(store);
  return new ChangeIterator<V, K>(state);
}

/** Checks `since`. A reader is refreshed if it has not come to that number yet. */
function checkSince(store: OpenStore, since: number): void {
  checkInteger("since", since, 0, Number.MAX_SAFE_INTEGER);
  if (since >= store.log.nextSequence && !store.log.isWriter) refreshReader(store);
}

/** The iterator that callers hold. The store refers only to its state, so an abandoned watch becomes garbage. */
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
    // Keeps this from being collected while a call is waiting.
    this.#last = result.then(() => this, () => this);
    return result;
  }

  return(): Promise<Result<V, K>> {
    return paced((): Result<V, K> => {
      ABANDONED.unregister(this);
      this.#state.end();
      return { done: true, value: undefined };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** The state of a watch. */
class WatchState<V extends Value, K extends Key> implements Watching {
  readonly #engine: OpenStore;
  readonly #prefix: Uint8Array;
  readonly #changes: ChangeCursor;
  #isOver = false;
  /** What the next call rejects with. The calls after it are done. */
  #failure: { reason: unknown } | undefined;
  #wake: ((failure?: unknown) => void) | undefined;
  #stopListening = () => {};

  constructor(store: OpenStore, prefix: Uint8Array, since: number) {
    this.#engine = store;
    this.#prefix = prefix;
    this.#changes = new ChangeCursor(since);
  }

  get position(): number {
    return this.#changes.position;
  }

  /** Resolves to the next change once there is one. */
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
      if (step === "end") await this.#waitForNews();
    }
  }

  /** Takes one step, and returns the change that it led to, if any. */
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

  /** Ends the watch. With a failure, the next call rejects with its reason. */
  end(failure?: { reason: unknown }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    this.#stopListening();
    this.#changes.closeCursors();
    this.#engine.watches.remove(this);
    this.#wake?.();
    if (!this.#engine.isClosed) this.#engine.sweep();
  }

  /** Ends the watch when a signal is aborted. */
  endOnAbort(signal: AbortSignal): void {
    const end = () => this.end({ reason: signal.reason });
    if (signal.aborted) return end();
    signal.addEventListener("abort", end, { once: true });
    this.#stopListening = () => signal.removeEventListener("abort", end);
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

  /** Ends the watch with `TRIMMED`, since the log cannot go on from its position. */
  refuse(reason: string, historyFloor: number): void {
    this.end({ reason: new KvStoreError("TRIMMED", `${reason}: begin again with entries()`, { historyFloor }) });
  }

  #step(): "change" | "pause" | "end" {
    try {
      return this.#changes.step(this.#engine.log);
    } catch (error) {
      // Records after a damaged header cannot be found. A watch that went on would miss changes.
      if (error instanceof KvStoreError && error.code === "CORRUPT") this.end();
      throw error;
    }
  }

  /**
   * Refreshes a reader after the writer has removed a file that it did not have open. Above the history floor the
   * present files have every version. Below it, changes in the removed file may be lost, so the watch ends.
   */
  #catchUp(): void {
    refreshReader(this.#engine);
    const { historyFloor } = this.#engine.log;
    if (this.position < historyFloor) this.trim(historyFloor);
  }

  /** The present change; `undefined` if its key does not have the prefix. */
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

  /** Whether the value of the present change checks out. If it cannot be read, the next call returns to this change. */
  #checkValue(): boolean {
    try {
      return this.#changes.record.checkValue();
    } catch (error) {
      this.#changes.stepBack();
      throw error;
    }
  }

  async #pause(): Promise<void> {
    // Segments that were kept for this watch may not be needed any more.
    this.#engine.sweep();
    await this.#changes.slices.pause();
  }

  /** Waits until there may be a new change. */
  async #waitForNews(): Promise<void> {
    const { log } = this.#engine;
    this.#changes.closeCursors();
    this.#engine.sweep();
    this.#engine.writer?.mend();
    if (log.failure !== undefined) this.end({ reason: log.failure });
    // The sweep ends the watch if too many bytes would have to be kept for it.
    if (this.#isOver) return;
    // In a reader, another process may bring changes, so keep this one running. In a writer, only this one can.
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
 * Schedules a check for changes, for a reader with watches. It refreshes the reader if the manifest is another one, or
 * if the active segment has grown since the last check.
 */
function scheduleCheck(store: OpenStore, seenBytes?: number): void {
  const { watches, log } = store;
  if (log.isWriter || store.isClosed || watches.timer !== undefined || watches.isEmpty) return;
  watches.timer = log.platform.startTimer(CHECK_MS, () => {
    watches.timer = undefined;
    let bytes = seenBytes;
    try {
      const { platform, directory, manifestFile: { generation } } = store.log;
      bytes = activeBytes(store);
      const isSame = bytes === seenBytes && readManifest(platform, directory)?.generation === generation;
      if (!isSame || store.follower.isTorn) refreshReader(store);
    } catch (error) {
      bytes = undefined;
      watches.wake(error);
    }
    scheduleCheck(store, bytes);
  });
}

/** Size of the active segment. */
function activeBytes({ log }: OpenStore): number {
  return log.active?.handle.size() ?? 0;
}
