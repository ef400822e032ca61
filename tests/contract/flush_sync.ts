/** flushSync: what is written is durable when the call returns. */

import { assert, assertEquals } from "@std/assert";
import type { Case } from "./support/context.ts";
import { assertCode, assertThrowsCode, contents, failSyncs, failWrites, MANUAL, outcomes } from "./support/helpers.ts";

export const flushSyncCases: Case[] = [
  {
    name: "flushSync: what was written before survives a power cut, without a turn in between",
    needsPowerCut: true,
    async run(context) {
      const store = await context.open(MANUAL);
      store.set("a", 1).catch(() => {});
      store.set("b", 2, { durability: "write" }).catch(() => {});
      store.flushSync();
      assertEquals([store.stats().pendingBytes, store.stats().unsyncedBytes], [0, 0]);
      assertEquals(contents(await context.reopenAfterPowerCut()), [["a", 1], ["b", 2]]);
    },
  },
  {
    name: "flushSync: beside a sync under way, what was written during it is durable, and all promises settle",
    needsPowerCut: true,
    async run(context) {
      const store = await context.open(MANUAL);
      const first = store.set("a", 1);
      await Promise.resolve();
      await Promise.resolve();
      const rest = [store.set("b", 2), store.set("c", 3, { durability: "write" }), store.flush()];
      store.flushSync();
      assertEquals(store.stats().unsyncedBytes, 0);
      store.flushSync();
      assertEquals(await outcomes([first, ...rest]), ["done", "done", "done", "done"]);
      assertEquals(contents(await context.reopenAfterPowerCut()), [["a", 1], ["b", 2], ["c", 3]]);
    },
  },
  {
    name: "flushSync: of a store with nothing to write does nothing, and it can be written to afterwards",
    async run(context) {
      const store = await context.open(MANUAL);
      store.flushSync();
      await store.set("a", 1);
      const { syncs } = store.stats();
      store.flushSync();
      assertEquals(store.stats().syncs, syncs);
      await store.set("b", 2);
    },
  },
  {
    name:
      "flushSync: a write that fails is taken back, thrown and told; a sync that fails is FAILED, also for those who wait",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1);
      failWrites(context);
      const lost = outcomes([store.set("b", 2)]);
      assertThrowsCode(() => store.flushSync(), "IO");
      assertEquals([await lost, store.has("b")], [["IO"], false]);
      context.platform.onOperation = undefined;
      await store.set("c", 3);
      failSyncs(context);
      const unsure = outcomes([store.set("d", 4), store.flush()]);
      assertThrowsCode(() => store.flushSync(), "FAILED");
      assertEquals(await unsure, ["FAILED", "FAILED"]);
      assertThrowsCode(() => store.flushSync(), "FAILED");
      await assertCode(store.close(), "FAILED");
      context.forget(store);
    },
  },
  {
    name: "flushSync: throws READ_ONLY and CLOSED",
    async run(context) {
      const store = await context.open(MANUAL);
      const reader = await context.open({ readOnly: true });
      assertThrowsCode(() => reader.flushSync(), "READ_ONLY");
      const pending = store.set("a", 1);
      const closing = store.close();
      assertThrowsCode(() => store.flushSync(), "CLOSED");
      await Promise.all([pending, closing]);
      assert((await context.reopen(store)).has("a"));
    },
  },
];
