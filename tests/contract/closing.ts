/** close(), and a store whose fsync failed. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { KvStore } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import {
  assertCode,
  contents,
  failSyncs,
  failWrites,
  fill,
  heal,
  holdSyncs,
  MANUAL,
  outcomes,
  SMALL,
  turns,
} from "./support/helpers.ts";

function everyWritingCall(store: KvStore): Promise<unknown>[] {
  return [
    store.set("a", 1),
    store.delete("a"),
    store.delete("never"),
    store.batch([]),
    store.batch([{ type: "set", key: "a", value: 1 }]),
    store.clear(),
    store.flush(),
    store.compact(),
  ];
}

const WRITING = ["write", "rename", "remove", "makeDirectory", "sync", "syncDirectory"] as const;

export const closingCases: Case[] = [
  {
    name: "close: every call returns the same promise",
    async run(context) {
      const store = await context.open();
      const closed = store.close();
      assertStrictEquals(store.close(), closed);
      assertStrictEquals(store[Symbol.asyncDispose](), closed);
      assertEquals(await closed, undefined);
      assertStrictEquals(store.close(), closed);
    },
  },
  {
    name: "close: `await using` closes",
    async run(context) {
      let kept: KvStore;
      {
        await using store = await context.open();
        kept = store;
        await store.set("a", 1);
      }
      await assertCode(kept.set("a", 2), "CLOSED");
      assertEquals(contents(await context.open()), [["a", 1]]);
    },
  },
  {
    name: "close: flushes what is pending, whose promises resolve",
    async run(context) {
      const store = await context.open({ durability: "write" });
      const writes = [store.set("a", 1), store.delete("a"), store.set("b", 2)];
      await store.close();
      assertEquals(await Promise.all(writes), [undefined, true, undefined]);
      assertEquals(contents(await context.open()), [["b", 2]]);
    },
  },
  {
    name: "close: what was written survives a power cut right after it",
    needsPowerCut: true,
    async run(context) {
      const store = await context.open({ durability: "write", ...SMALL });
      await fill(store, 100);
      await store.close();
      const after = await context.reopenAfterPowerCut();
      assertEquals([after.size, after.recovery.clean], [100, true]);
    },
  },
  {
    name: "close: intake stops at once: every promise-returning call rejects with CLOSED",
    async run(context) {
      const store = await context.open();
      const closed = store.close();
      const calls = [
        ...everyWritingCall(store),
        store.verify(),
        store.backup(`${context.root}/backup`),
        store.refresh(),
      ];
      assertEquals(new Set(await outcomes(calls)), new Set(["CLOSED"]));
      await closed;
      assertEquals(new Set(await outcomes(everyWritingCall(store))), new Set(["CLOSED"]));
      assertEquals(context.files(context.root), ["store"]);
    },
  },
  {
    name: "close: aborts compaction, and the store opens as it was",
    async run(context) {
      const store = await context.open({ ...MANUAL, segmentBytes: 256 * 1024 });
      await fill(store, 6000, "x".repeat(200));
      await fill(store, 3000, "y".repeat(200));
      const compaction = outcomes([store.compact()]);
      await turns(1);
      await store.close();
      const [outcome] = await compaction;
      assert(outcome === "CLOSED" || outcome === "done", outcome);
      assertEquals((await context.open(MANUAL)).size, 6000);
    },
  },
  {
    name: "close: during a backup, that rejects with CLOSED or ends well, and leaves no half store that opens",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", new Uint8Array(8 * 1024 * 1024));
      await store.set("b", new Uint8Array(8 * 1024 * 1024));
      const backup = outcomes([store.backup(`${context.root}/backup`)]);
      await turns(1);
      await store.close();
      const [outcome] = await backup;
      assert(outcome === "CLOSED" || outcome === "done", outcome);
    },
  },
  {
    name: "close: during verify, that rejects with CLOSED or ends well",
    async run(context) {
      const store = await context.open(MANUAL);
      for (const key of ["a", "b"]) await store.set(key, new Uint8Array(8 * 1024 * 1024));
      const verified = outcomes([store.verify()]);
      await store.close();
      const [outcome] = await verified;
      assert(outcome === "CLOSED" || outcome === "done", outcome);
    },
  },
  {
    name: "close: releases lock and files even if the flush fails, and then rejects",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1);
      failWrites(context);
      const write = store.set("b", 1);
      const closed = store.close();
      assertEquals(await outcomes([write, closed]), ["IO", "IO"]);
      assertStrictEquals(store.close(), closed);
      heal(context);
      assertEquals(context.platform.held, 0);
      const again = await context.open();
      assertEquals(contents(again), [["a", 1]]);
      context.forget(store);
    },
  },
  {
    name: "failed fsync: the writes that waited for it and all behind reject with FAILED",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1);
      const release = holdSyncs(context);
      const first = store.set("b", 1);
      await turns(1);
      const queued = [store.set("c", 1), store.delete("never"), store.delete("a"), store.flush(), store.clear()];
      release(new Error("input/output error"));
      assertEquals(new Set(await outcomes([first, ...queued])), new Set(["FAILED"]));
    },
  },
  {
    name: "failed fsync: reads go on, everything else rejects with FAILED and its cause, and nothing more is written",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1);
      const snapshot = store.snapshot();
      failSyncs(context);
      await assertCode(store.set("b", 1), "FAILED");
      heal(context);
      const before = context.platform.countOf(...WRITING);
      const [error] = await Promise.all(everyWritingCall(store).map((call) => assertCode(call, "FAILED")));
      assert(error!.cause instanceof Error && error!.message.includes("input/output error"), error!.message);
      assertEquals([store.get("a"), store.has("a"), snapshot.get("a"), [...snapshot.keys()]], [1, true, 1, ["a"]]);
      assertEquals([...store.keys()][0], "a");
      assertEquals(store.stats().pendingBytes, 0);
      await assertCode(store.close(), "FAILED");
      assertEquals(context.platform.countOf(...WRITING), before);
      assertEquals(context.platform.held, 0);
    },
  },
  {
    name: "failed fsync: opening again takes up from what is on the disk",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1);
      failSyncs(context);
      await assertCode(store.set("b", 1), "FAILED");
      await assertCode(store.close(), "FAILED");
      heal(context);
      const again = await context.open(MANUAL);
      assertEquals([again.recovery.clean, again.get("a")], [false, 1]);
      await again.set("c", 1);
      assertEquals(again.get("c"), 1);
    },
  },
  {
    name: "failed fsync: of a rotation, of the manifest or of the directory fails the store as well",
    async run(context) {
      for (const kind of ["sync", "syncDirectory"] as const) {
        const directory = `${context.root}/${kind}`;
        const store = await context.open(SMALL, directory);
        await store.set("a", 1);
        context.platform.onOperation = (operation) => {
          if (operation.kind === kind && !operation.path.includes("00000001")) throw new Error("input/output error");
        };
        const results: string[] = [];
        for (let i = 0; i < 40; i++) results.push(...await outcomes([store.set(`k${i}`, "v".repeat(200))]));
        heal(context);
        assertEquals(results.at(-1), "FAILED", kind);
        assertEquals(store.get("a"), 1);
        await assertCode(store.close(), "FAILED");
      }
    },
  },
  {
    name: "failed fsync: a compaction under way ends with FAILED and the inputs stay",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 200);
      for (let i = 0; i < 200; i += 2) store.delete(`key ${String(i).padStart(5, "0")}`).catch(() => {});
      await store.flush();
      failSyncs(context);
      await assertCode(store.compact(), "FAILED");
      heal(context);
      assertEquals([store.size, [...store.values()].length], [100, 100]);
      await assertCode(store.close(), "FAILED");
      assertEquals((await context.open(SMALL)).size, 100);
    },
  },
  {
    name: "failed fsync: of the copy that a compaction makes fails the store as well",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 200);
      await fill(store, 100, "second");
      await store.flush();
      const there = new Set(context.segments());
      const written = new Map<string, number>();
      context.platform.onOperation = ({ kind, path, bytes }) => {
        const name = path.slice(path.lastIndexOf("/") + 1);
        if (kind === "write") written.set(name, (written.get(name) ?? 0) + bytes!);
        // A copy has records in it when it is synced, and not only a header.
        if (kind === "sync" && !there.has(name) && written.get(name)! > 100) throw new Error("input/output error");
      };
      await assertCode(store.compact(), "FAILED");
      heal(context);
      await assertCode(store.set("later", 1), "FAILED");
      assertEquals(store.size, 200);
      await assertCode(store.close(), "FAILED");
      assertEquals((await context.open(SMALL)).size, 200);
    },
  },
];
