/** Failed appends: the group and what is queued behind it reject, the state returns, the next write works. */

import { assert, assertEquals } from "@std/assert";
import type { KvStore, Stats } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import {
  assertCode,
  contents,
  failWrites,
  fill,
  heal,
  holdSyncs,
  MANUAL,
  outcomes,
  SMALL,
  turns,
} from "./support/helpers.ts";

/** The figures that a rejected write must leave as they were. */
function accounts(store: KvStore): Partial<Stats> {
  const { keys, liveBytes, staleBytes, tombstoneBytes, pendingBytes, diskBytes } = store.stats();
  return { keys, liveBytes, staleBytes, tombstoneBytes, pendingBytes, diskBytes };
}

export const failedWriteCases: Case[] = [
  {
    name: "failed append: every kind of write rejects with IO and its cause, and the state returns",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.batch([{ type: "set", key: "a", value: 1 }, { type: "set", key: "b", value: 2 }]);
      const calls: (() => Promise<unknown>)[] = [
        () => store.set("c", 3),
        () => store.set("a", 9),
        () => store.delete("a"),
        () => store.batch([{ type: "delete", key: "b" }, { type: "set", key: "d", value: 4 }]),
        () => store.clear(),
        () => store.set("a", 9, { durability: "write" }),
      ];
      for (const call of calls) {
        // Begins a new segment where an append has failed: the next failure is one of an append again.
        await store.set("a", 1);
        const before = accounts(store);
        failWrites(context);
        const write = call();
        assert(store.stats().pendingBytes > 0, "the call failed before its append");
        const error = await assertCode(write, "IO");
        assert(error.cause instanceof Error && error.message.includes("no space left"), error.message);
        heal(context);
        assertEquals(contents(store), [["a", 1], ["b", 2]]);
        assertEquals(accounts(store), before);
      }
      await store.set("c", 3);
      assertEquals(contents(await context.reopen(store)), [["a", 1], ["b", 2], ["c", 3]]);
    },
  },
  {
    name: "failed append: the whole group rejects, with the deletes that found nothing and the empty batches in it",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("b", 1);
      await store.delete("b");
      failWrites(context);
      const writes = [store.set("a", 1), store.delete("never"), store.batch([]), store.delete("a"), store.flush()];
      assertEquals(await outcomes(writes), ["IO", "IO", "IO", "IO", "IO"]);
      heal(context);
      assertEquals(contents(store), []);
      assertEquals(await store.delete("a"), false);
    },
  },
  {
    name: "failed append: reads see the pending writes before it, and the former state after it",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1);
      failWrites(context);
      const writes = [store.set("a", 2), store.set("b", 2)];
      assertEquals([store.get("a"), store.get("b"), store.size], [2, 2, 2]);
      await outcomes(writes);
      assertEquals([store.get("a"), store.get("b"), store.size], [1, undefined, 1]);
      heal(context);
    },
  },
  {
    name: "failed append: writes queued during a sync reject, those that the sync covers do not",
    async run(context) {
      const store = await context.open(MANUAL);
      const release = holdSyncs(context);
      const first = store.set("a", 1);
      await turns(1);
      const queued = [store.set("a", 2), store.set("b", 1)];
      failWrites(context);
      release();
      assertEquals(await outcomes([first, ...queued]), ["done", "IO", "IO"]);
      heal(context);
      assertEquals(contents(store), [["a", 1]]);
    },
  },
  {
    name: "failed append: part of a group in the file is never read, not even after the death of the process",
    async run(context) {
      let store = await context.open(MANUAL);
      await store.set("a", 1);
      let calls = 0;
      context.platform.onOperation = ({ kind, path }) => {
        if (kind !== "write" || !path.endsWith(".seg")) return;
        if (calls++ > 0) throw new Error("no space left");
        return 70;
      };
      const writes = [store.set("b", 1), store.set("c", 1), store.set("d", 1)];
      assertEquals(await outcomes(writes), ["IO", "IO", "IO"]);
      heal(context);
      assertEquals(contents(store), [["a", 1]]);
      await store.set("e", 1);
      store = await context.reopenAfterKill(MANUAL);
      assertEquals(contents(store), [["a", 1], ["e", 1]]);
    },
  },
  {
    name: "failed append: what was rejected before a clean close never comes back, even behind a later record",
    async run(context) {
      let store = await context.open(MANUAL);
      await store.set("a", 1);
      let calls = 0;
      context.platform.onOperation = ({ kind, path }) => {
        if (kind !== "write" || !path.endsWith(".seg")) return;
        if (calls++ > 0) throw new Error("no space left");
        // Two records of 26 bytes, and a part of the third.
        return 60;
      };
      const writes = [store.set("b", 1), store.set("c", 1), store.set("d", 1)];
      assertEquals(await outcomes(writes), ["IO", "IO", "IO"]);
      heal(context);
      store = await context.reopen(store, MANUAL);
      // As long as what was rejected: in its place, it would lie right before the record of "c".
      await store.set("e", 1, { durability: "write" });
      store = await context.reopenAfterKill(MANUAL);
      assertEquals(contents(store), [["a", 1], ["e", 1]]);
    },
  },
  {
    name: "failed append: a write that takes no byte counts as failed",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1);
      context.platform.onOperation = ({ kind, path }) => kind === "write" && path.endsWith(".seg") ? 0 : undefined;
      await assertCode(store.set("a", 2), "IO");
      heal(context);
      assertEquals(contents(store), [["a", 1]]);
    },
  },
  {
    name: "short writes are continued from where they stopped",
    async run(context) {
      const store = await context.open(SMALL);
      context.platform.onOperation = ({ kind }) => kind === "write" ? 7 : undefined;
      await fill(store, 100);
      heal(context);
      assertEquals(store.size, 100);
      assertEquals((await context.reopen(store)).size, 100);
    },
  },
  {
    name: "failed append: again and again, then space comes back: what was acknowledged is there, and nothing else",
    async run(context) {
      let store = await context.open(SMALL);
      const expected: [string, number][] = [];
      for (let i = 0; i < 60; i++) {
        const key = `k${String(i).padStart(2, "0")}`;
        if (i % 3 === 1) failWrites(context);
        const [outcome] = await outcomes([store.set(key, i)]);
        heal(context);
        assertEquals(outcome, i % 3 === 1 ? "IO" : "done");
        if (outcome === "done") expected.push([key, i]);
      }
      assertEquals(contents(store), expected);
      store = await context.reopenAfterKill(SMALL);
      assertEquals(contents(store), expected);
    },
  },
  {
    name: "failed append: sequence numbers of what was rejected are not used again",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1);
      failWrites(context);
      const rejected = store.set("a", 2);
      const { lastSequence } = store.stats();
      await outcomes([rejected]);
      heal(context);
      await store.set("a", 3);
      assert(store.stats().lastSequence > lastSequence);
    },
  },
  {
    name: "failed append: in a synchronous loop beyond the bound, only what was not written rejects",
    async run(context) {
      const store = await context.open(MANUAL);
      const value = new Uint8Array(1024 * 1024);
      let left = 10;
      context.platform.onOperation = ({ kind, path, bytes = 0 }) => {
        if (kind !== "write" || !path.endsWith(".seg") || bytes < 1024) return;
        left -= bytes / value.length;
        if (left < 0) throw new Error("no space left");
      };
      const writes: Promise<void>[] = [];
      for (let i = 0; i < 20; i++) writes.push(store.set(`k${i}`, value));
      const results = await outcomes(writes);
      heal(context);
      const kept = results.flatMap((result, i) => result === "done" ? [`k${i}`] : []);
      assert(kept.length > 0 && kept.length < 20, results.join());
      assertEquals(new Set(results), new Set(["done", "IO"]));
      assertEquals([...store.keys()].map(String).sort(), kept.sort());
      await store.clear();
      await store.compact();
    },
  },
  {
    name: "failed append: calls that wait for nothing but the sync of earlier groups do not reject",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1, { durability: "write" });
      failWrites(context);
      const waiting = [store.flush(), store.delete("never"), store.batch([])];
      const failing = store.set("b", 1);
      assertEquals(await outcomes([...waiting, failing]), ["done", "done", "done", "IO"]);
      heal(context);
    },
  },
  {
    name: "failed rotation: the write that needed it rejects, the others are there, the next one works",
    async run(context) {
      let store = await context.open(SMALL);
      context.platform.onOperation = ({ kind, path }) => {
        if (kind === "open" && path.includes("00000002.seg")) throw new Error("no space left");
      };
      const results: string[] = [];
      for (let i = 0; i < 40; i++) results.push(...await outcomes([store.set(`k${i}`, "v".repeat(200))]));
      assert(results.includes("IO") && results.includes("done"), results.join());
      const kept = results.flatMap((result, i) => result === "done" ? [`k${i}`] : []).sort();
      assertEquals([...store.keys()], kept);
      heal(context);
      await store.set("z", 1);
      store = await context.reopenAfterKill(SMALL);
      assertEquals([...store.keys()], [...kept, "z"]);
    },
  },
];
