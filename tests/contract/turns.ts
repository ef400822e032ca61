/**
 * The event loop: whoever waits for a promise of the store in a loop leaves others their turn.
 *
 * Symptom: `while (…) await store.set(key, value, { durability: "write" })` ran for ever; no timer fired, no signal was
 * heard, nothing was compacted or synced. Cause: every promise on the way settled by a microtask, and the event loop
 * goes on only when there are none left. Now a promise that is to settle when there has been no turn for a few
 * milliseconds does so behind one. The same was true of every call that has nothing to wait for, and of those that
 * reject at once.
 */

import { assert } from "@std/assert";
import type { KvStore, Watch } from "../../mod.ts";
import { assertTurns } from "../support/turns.ts";
import type { Case, Context } from "./support/context.ts";
import { MANUAL } from "./support/helpers.ts";

const WRITE = { durability: "write" } as const;
/** Compaction first looks for something to do a second after opening. */
const LOOP_MS = 2500;

const UNKNOWN = { unknown: true } as object;

/** Each is made in a loop. `close` is missing: all its calls return one promise, which nothing can delay. */
const CALLS: Record<string, (store: KvStore, context: Context) => () => Promise<unknown>> = {
  set: (store) => () => store.set("a", 1, WRITE),
  "set of what cannot be stored": (store) => () => store.set("a", undefined as unknown as string),
  "set of more than may be pending": (store) => {
    const value = new Uint8Array(8 << 20);
    return () => store.set("large", value, WRITE);
  },
  delete: (store) => () => store.delete("a", WRITE),
  "batch of nothing": (store) => () => store.batch([]),
  batch: (store) => () => store.batch([{ type: "set", key: "a", value: 1 }], WRITE),
  flush: (store) => () => store.flush(),
  clear: (store) => () => store.clear(),
  refresh: (store) => () => store.refresh(),
  compact: (store) => () => store.compact(),
  verify: (store) => () => store.verify(),
  history: (store) => () => store.history("k0"),
  restore: (store) => () => store.restore("k0", 1, WRITE),
  "restore of what is not there": (store) => () => store.restore("k0", 7777),
  "backup to where something is": (store, { directory }) => () => store.backup(directory),
  "backup with an option that does not exist": (store, { root }) => () => store.backup(`${root}/copy`, UNKNOWN),
  "verify with an option that does not exist": (store) => () => store.verify(UNKNOWN),
  "history with an option that does not exist": (store) => () => store.history("k0", UNKNOWN),
  "restore with an option that does not exist": (store) => () => store.restore("k0", 1, UNKNOWN),
  "watch's next": (store) => {
    let watch: Watch | undefined;
    let calls = 0;
    return () => {
      if (calls++ % 100 === 0) watch = store.watch({ since: 0 });
      return watch!.next();
    };
  },
  "a watch's return": (store) => () => store.watch().return!(),
  "a watch's disposal": (store) => () => Promise.resolve(store.watch()[Symbol.asyncDispose]()),
};

export const turnCases: Case[] = [
  ...Object.entries(CALLS).map(([name, callOn]): Case => ({
    name: `event loop: ${name}, awaited in a loop, leaves others their turn`,
    async run(context) {
      const store = await context.open(MANUAL);
      for (let i = 0; i < 100; i++) store.set(`k${i}`, i);
      await store.flush();
      await assertTurns(callOn(store, context));
    },
  })),
  {
    name: "event loop: a reader's refresh, awaited in a loop, leaves others their turn",
    async run(context) {
      await context.open(MANUAL);
      const reader = await context.open({ readOnly: true });
      await assertTurns(() => reader.refresh());
    },
  },
  {
    name: "event loop: calls of a store that has failed or is closed, tried again in a loop, leave others their turn",
    async run(context) {
      const store = await context.open(MANUAL);
      const calls = Object.entries(CALLS).filter(([name]) => !name.includes("watch"));
      const made = calls.map(([name, callOn]) => [name, callOn(store, context)] as const);
      const watch = store.watch();
      await store.close();
      for (const [name, call] of made) await assertTurns(call, name);
      await assertTurns(() => watch.next(), "next of a watch that has ended");
    },
  },
  {
    name: "event loop: beside a loop of writes, what it has written is synced",
    async run(context) {
      const store = await context.open(MANUAL);
      const value = "v".repeat(1000);
      let unsyncedBytes = 0;
      for (let i = 0; i < 50_000; i++) {
        await store.set("a", value, WRITE);
        if (i % 100 === 0) unsyncedBytes = Math.max(unsyncedBytes, store.stats().unsyncedBytes);
      }
      // No segment is full by then: it is the sync in the background, from 4 MiB on. A little is written while it runs.
      assert(unsyncedBytes < 16 << 20, `${unsyncedBytes} bytes were not synced`);
    },
    isCostly: true,
  },
  {
    name: "event loop: beside a loop of writes, what it has written is compacted",
    async run(context) {
      const store = await context.open({ segmentBytes: 1 << 20, compaction: { minStaleBytes: 1 << 20 } });
      const value = "v".repeat(1000);
      let written = 0;
      for (const end = Date.now() + LOOP_MS; Date.now() < end;) {
        await store.set("a", value, WRITE);
        written += value.length;
      }
      const { compactions, diskBytes } = store.stats();
      assert(compactions > 0 && diskBytes < written / 4, `${diskBytes} of ${written} bytes left`);
    },
    isCostly: true,
  },
];
