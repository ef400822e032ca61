/**
 * Breakages of what the queue of the interface of Deno KV promises.
 *
 * @module
 */
import type { Promised } from "./types.ts";

const HISTORIES = "kv: random histories of a queue";
const QUEUE_CRASHES = "kv: a crash loses no message, and delivers none again that was done";
const POISON = "kv: a message that kills its process each time is given up";
const UNSEEN = "kv: no attempt is counted that no handler has seen, whenever the handle is closed";
const CLOCK_SET = "kv: a clock that is set back holds up no message for longer";

/** What the queue promises. */
export const kvQueuePromises: Promised[] = [
  {
    sentence: "A message is delivered once its commit is durable, in the order of the times at which messages are due.",
    mutants: [
      {
        id: "delivered-while-pending",
        in: "Queue.#deliver",
        find: "if (!this.isLasting(stored) &&",
        replace: "if (stored.length === 0 &&",
        killers: [HISTORIES],
      },
      {
        id: "messages-sorted-by-the-second",
        in: "messageKey",
        find: "stampWith(key.subarray(1), dueAt);",
        replace: "stampWith(key.subarray(1), Math.floor(dueAt / 1000) * 1000);",
        killers: [HISTORIES],
      },
      {
        id: "messages-before-the-last-one-passed-over",
        in: "commit",
        find: "void queueOf(store).wake(now);",
        replace: "void queueOf(store).wake(Infinity);",
        killers: [CLOCK_SET],
      },
    ],
  },
  {
    sentence: "A message is delivered until a handler succeeds or its attempts are used up; then its keys are set. " +
      "A crash loses none.",
    mutants: [
      {
        id: "next-attempt-in-a-batch-of-its-own",
        in: "Queue.#handle",
        find: 'await this.wrote(this.store.batch([{ type: "delete", key }, ...outcome]), outcome);',
        replace: 'await this.store.batch([{ type: "delete", key }]).then(() => this.wrote(this.store.batch(outcome)));',
        killers: [HISTORIES, QUEUE_CRASHES],
      },
      {
        id: "given-up-when-the-disk-fails",
        in: "Queue.#handle",
        find: "await new Promise<void>((resolve) => void platform.startTimer(RETRY_MS, resolve));",
        replace: "return;",
        killers: [HISTORIES],
      },
    ],
  },
  {
    sentence: "What a handler has done is not delivered again once that is durable. No two handlers have a message.",
    mutants: [
      {
        id: "removal-not-synced",
        in: "Queue.#handle",
        find: 'await this.wrote(this.store.batch([{ type: "delete", key }, ...outcome]), outcome);',
        replace: 'await this.store.batch([{ type: "delete", key }, ...outcome], { durability: "write" });',
        killers: [HISTORIES],
      },
      {
        id: "delivered-while-a-handler-has-it",
        in: "Queue.#deliver",
        find: "if (listeners.some(({ taken }) => taken.has(nameOf(key)))) continue;",
        replace: "",
        killers: [HISTORIES],
      },
    ],
  },
  {
    sentence: "An attempt counts if its process dies in it, and only if a handler was called.",
    mutants: [
      {
        id: "attempt-noted-too-late",
        in: "Queue.#handle",
        find: "await this.store.batch([note], ",
        replace: "void this.store.batch([note], ",
        killers: [POISON],
      },
      {
        id: "attempt-counted-that-was-none",
        in: "Queue.#end",
        find: "this.store.batch(untaken.filter(({ key }) => this.store.has(key))).catch(() => {});",
        replace: "void untaken;",
        killers: [UNSEEN],
      },
    ],
  },
];
