/**
 * Delivers messages to the handlers of all handles of a store. message.ts says how they stand in it.
 *
 * Messages are taken in the order in which they are due, each once its commit is durable. Before a handler gets one, that
 * is noted in the store, and handed over to the operating system: so a message that kills its process is not delivered for
 * ever. A message is gone once its removal is durable. Which of them handlers have at the moment is known in memory alone.
 * One that is noted as taken, while no handler has it, was left by a crash or by a handle that was closed. That counts as
 * a failure.
 *
 * @module
 */
import type { KvStore } from "../../mod.ts";
import { platform } from "../platform/mod.ts";
import { Deferred, keepRunning } from "../platform/turn.ts";
import type { Timer } from "../platform/types.ts";
import { Database, isTakenBack, nameOf } from "./database.ts";
import { afterFailure, type Content, messageKey, type Operation, setOf } from "./message.ts";
import { sequenceOf, valueOf } from "./stored.ts";
import { decodeValue } from "./values.ts";

/** How many messages a listener has at a time. */
const MOST_AT_A_TIME = 100;
/** After this time at most, it looks again: timers stand still while a machine sleeps, and clocks are set. */
const LONGEST_TIMER_MS = 60_000;
/** After this time, what the disk did not take is written again. */
const RETRY_MS = 1000;
/** The property of a store that has its queue: all copies of the package in a process share the store, so this, too. */
const QUEUE: unique symbol = Symbol.for("@kvstore/kvstore/queue");

/** A call of `listenQueue`. */
interface Listener {
  handler: (value: unknown) => unknown;
  /** The messages that it has, by the texts of their keys, with what gives one back while its handler was not called. */
  taken: Map<string, Operation | undefined>;
  /** Keeps the process running. */
  running: Timer;
  ended: Deferred;
}

/** The queue of a store. */
export function queueOf(store: KvStore<Uint8Array> & { [QUEUE]?: Queue }): Queue {
  return store[QUEUE] ??= new Queue(store, {}, () => Promise.resolve());
}

/** A store as its queue sees it, with those who listen. */
class Queue extends Database {
  /** In the order in which they get messages. */
  readonly #listeners = new Set<Listener>();
  /** All messages that are due before this time have been taken. */
  #from = 0;
  #isAtWork = false;
  /** Until the next message is due. */
  #timer: Timer | undefined;

  /** Delivers messages to a handler until the handle is closed. */
  listen({ onClose }: Database, handler: Listener["handler"]): Promise<void> {
    const listener = { handler, taken: new Map(), running: keepRunning(), ended: new Deferred() };
    this.#listeners.add(listener);
    onClose.add(() => this.#end(listener));
    void this.wake(0);
    return listener.ended.promise;
  }

  /** Delivers what is due, also at times from `from` on, which it may have passed. */
  async wake(from: number): Promise<void> {
    this.#from = Math.min(this.#from, from);
    this.#timer?.stop();
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    try {
      while (this.#listeners.size > 0 && this.#deliver()) await this.lasts();
    } catch (error) {
      this.#fail(error);
    }
    this.#isAtWork = false;
  }

  /** Delivers what is due, to those who have room. Returns true where it meets what may yet be taken back. */
  #deliver(): boolean {
    const now = platform.now();
    const range = { gte: messageKey(this.#from), lt: messageKey(Number.MAX_SAFE_INTEGER), keys: "bytes" } as const;
    for (const [key, stored] of this.store.entries(range)) {
      const dueAt = sequenceOf(key.subarray(1));
      if (dueAt > now) {
        this.#timer = platform.startTimer(Math.min(dueAt - now, LONGEST_TIMER_MS), () => void this.wake(dueAt));
        return false;
      }
      const listeners = Array.from(this.#listeners);
      if (listeners.some(({ taken }) => taken.has(nameOf(key)))) continue;
      const listener = listeners.find(({ taken }) => taken.size < MOST_AT_A_TIME);
      if (listener === undefined) return false;
      // A number above all that were given out comes from another store.
      if (!this.isLasting(stored) && sequenceOf(stored) <= this.store.lastSequence) return true;
      // To the end of the line.
      this.#listeners.delete(listener);
      this.#listeners.add(listener);
      listener.taken.set(nameOf(key), { type: "set", key, value: stored });
      this.#from = dueAt;
      void this.#handle(listener, { key, content: valueOf(stored) as Content });
    }
    return false;
  }

  async #handle(listener: Listener, { key, content }: { key: Uint8Array; content: Content }): Promise<void> {
    const [wasTaken, ...rest] = content;
    let isDone = !wasTaken;
    const note = setOf(key, [true, ...rest], this.store.lastSequence + 1);
    // Where it cannot be written, the attempt is not counted: on a full disk, what is delivered makes room.
    await this.store.batch([note], { durability: "write" }).catch(() => {});
    if (!this.#listeners.has(listener)) return;
    listener.taken.set(nameOf(key), undefined);
    try {
      if (isDone) await listener.handler(decodeValue(content[3]));
    } catch (error) {
      isDone = false;
      // As Deno does: nobody else hears of it.
      console.error("Exception in queue handler", error);
    }
    // Once its handle is closed, somebody else may have the message.
    while (this.#listeners.has(listener)) {
      const at = { now: platform.now(), sequence: this.store.lastSequence + 1 };
      try {
        // If the store was cleared, the message is gone.
        const outcome = isDone || !this.store.has(key) ? [] : afterFailure(key, content, at);
        await this.wrote(this.store.batch([{ type: "delete", key }, ...outcome]), outcome);
        listener.taken.delete(nameOf(key));
        return void this.wake(at.now);
      } catch (error) {
        if (!isTakenBack(error)) return this.#fail(error);
        await new Promise<void>((resolve) => void platform.startTimer(RETRY_MS, resolve));
      }
    }
  }

  /** Ends a listener. Its promise resolves once what its handlers have done so far is durable. */
  #end(listener: Listener): void {
    if (!this.#listeners.delete(listener)) return;
    listener.running.stop();
    const untaken = Array.from(listener.taken.values()).filter((operation) => operation !== undefined);
    this.store.batch(untaken.filter(({ key }) => this.store.has(key))).catch(() => {});
    this.store.flush().then(listener.ended.resolve, listener.ended.resolve);
    void this.wake(0);
  }

  /** Tells all that listen that the store has failed. */
  #fail(error: unknown): void {
    for (const listener of this.#listeners) {
      listener.ended.reject(error as Error);
      this.#end(listener);
    }
  }
}
