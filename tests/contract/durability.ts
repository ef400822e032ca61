/** Durability: what survives the death of the process, what survives a power cut, and how many syncs that takes. */

import { assert, assertEquals } from "@std/assert";
import type { KvStore } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import { contents, fill, holdSyncs, MANUAL, SMALL, turns, until } from "./support/helpers.ts";

const MEBIBYTE = 1024 * 1024;

/** Every kind of write, each acknowledged with the durability. */
async function writeAll(store: KvStore, durability: "sync" | "write"): Promise<void> {
  await store.set("a", 1, { durability });
  await store.set("b", 2, { durability });
  await store.delete("a", { durability });
  await store.batch([{ type: "set", key: "c", value: 3 }, { type: "delete", key: "b" }], { durability });
  await store.set("d", 4, { durability });
}

const WRITTEN: [string, number][] = [["c", 3], ["d", 4]];

export const durabilityCases: Case[] = [
  ...(["sync", "write"] as const).map((durability): Case => ({
    name: `durability "${durability}": what was acknowledged survives the death of the process`,
    async run(context) {
      await writeAll(await context.open(), durability);
      assertEquals(contents(await context.reopenAfterKill()), WRITTEN);
    },
  })),
  {
    name: "durability: what is written after a clean close and a new opening survives the death of the process",
    async run(context) {
      let store = await context.open(MANUAL);
      await store.set("a", 1);
      store = await context.reopen(store, MANUAL);
      await store.set("b", 1);
      assertEquals(contents(await context.reopenAfterKill(MANUAL)), [["a", 1], ["b", 1]]);
    },
  },
  {
    name: 'durability "sync": what was acknowledged survives a power cut',
    needsPowerCut: true,
    async run(context) {
      await writeAll(await context.open(), "sync");
      assertEquals(contents(await context.reopenAfterPowerCut()), WRITTEN);
    },
  },
  {
    name: 'durability "sync" is the default, and the store\'s own setting is that of calls without one',
    needsPowerCut: true,
    async run(context) {
      let store = await context.open(MANUAL);
      await store.set("a", 1);
      assertEquals(store.stats().unsyncedBytes, 0);
      store = await context.reopenAfterPowerCut({}, { durability: "write" });
      await store.set("b", 1);
      assert(store.stats().unsyncedBytes > 0);
      await store.set("c", 1, { durability: "sync" });
      await store.set("d", 1);
      assertEquals(contents(await context.reopenAfterPowerCut()), [["a", 1], ["b", 1], ["c", 1]]);
    },
  },
  {
    name: 'durability "write": resolves without waiting for a sync',
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("first", 1);
      const release = holdSyncs(context);
      const { syncs } = store.stats();
      await store.set("a", 1, { durability: "write" });
      assertEquals([store.stats().syncs, store.stats().pendingBytes], [syncs, 0]);
      release();
    },
  },
  {
    name: 'durability "write": after a power cut the store opens with a prefix of the writes',
    needsPowerCut: true,
    async run(context) {
      let store = await context.open({ durability: "write", ...SMALL });
      for (let i = 0; i < 200; i++) await store.set(String(1000 + i), "v".repeat(50));
      store = await context.reopenAfterPowerCut();
      const keys = [...store.keys()];
      assertEquals(keys, keys.map((_, i) => String(1000 + i)));
      // Every full segment was synced before the next one was begun.
      assert(keys.length > 100, `${keys.length}`);
    },
  },
  {
    name: 'durability "write": is synced in the background within about a second',
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1, { durability: "write" });
      assert(store.stats().unsyncedBytes > 0);
      await until(() => store.stats().unsyncedBytes === 0, "the background sync was done");
    },
  },
  {
    name: 'durability "write": is synced in the background after 4 MiB',
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("first", 1);
      const { syncs } = store.stats();
      for (let i = 0; i < 5; i++) await store.set("a", new Uint8Array(MEBIBYTE), { durability: "write" });
      assertEquals(store.stats().syncs, syncs + 1);
      await store.clear();
      await store.compact();
    },
  },
  {
    name: "flush: everything written before it is synced",
    needsPowerCut: true,
    async run(context) {
      let store = await context.open({ durability: "write", ...MANUAL });
      const pending = store.set("a", 1);
      await store.flush();
      await pending;
      assertEquals(store.stats().unsyncedBytes, 0);
      store = await context.reopenAfterPowerCut();
      assertEquals(contents(store), [["a", 1]]);
    },
  },
  {
    name: "flush: with nothing to sync it resolves at once and syncs nothing",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1);
      const { syncs } = store.stats();
      assertEquals(await store.flush(), undefined);
      assertEquals(store.stats().syncs, syncs);
    },
  },
  {
    name: 'clear: is always synced, in a store with durability "write" too',
    needsPowerCut: true,
    async run(context) {
      let store = await context.open({ durability: "write", ...MANUAL });
      await store.set("a", 1);
      await store.clear();
      store = await context.reopenAfterPowerCut();
      assertEquals(contents(store), []);
    },
  },
  {
    name: "group commit: 1,000 concurrent sets over several turns of the event loop take a few syncs",
    async run(context) {
      const store = await context.open(MANUAL);
      const writes: Promise<void>[] = [];
      for (let turn = 0; turn < 10; turn++) {
        for (let i = 0; i < 100; i++) writes.push(store.set(`key ${turn} ${i}`, i));
        await turns(1);
      }
      await Promise.all(writes);
      const { syncs } = store.stats();
      assert(syncs >= 1 && syncs <= 12, `${syncs} syncs`);
      assertEquals(store.size, 1000);
    },
  },
  {
    name: "group commit: calls that arrive during a sync share the next one",
    async run(context) {
      const store = await context.open(MANUAL);
      const release = holdSyncs(context);
      const writes = [store.set("first", 1)];
      for (let turn = 0; turn < 5; turn++) {
        await turns(1);
        for (let i = 0; i < 200; i++) writes.push(store.set(`key ${turn} ${i}`, i));
      }
      release();
      await Promise.all(writes);
      assertEquals(store.stats().syncs, 2);
    },
  },
  {
    name: "rotation: the old segment is synced before the first record of the next, at every durability",
    needsPowerCut: true,
    async run(context) {
      let store = await context.open({ ...SMALL, durability: "write" });
      await fill(store, 30);
      await turns(1);
      // Only what was never synced of the last segment may be gone, even if nothing was waited for.
      const lost = Math.ceil(4096 / 130);
      store = await context.reopenAfterPowerCut({ entry: () => true });
      assert(store.size >= 30 - lost - 1, `${store.size}`);
    },
  },
];
