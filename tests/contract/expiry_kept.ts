/** Keys that have expired stay gone, and those that have not stay there: compaction, crashes, clocks that go back. */

import { assert, assertEquals } from "@std/assert";
import type { Key, KvStore, Value } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import { fillExpiring, openAt, START } from "./expiry.ts";
import {
  contents,
  damage,
  failWrites,
  fill,
  heal,
  holdSyncs,
  MANUAL,
  outcomes,
  SMALL,
  text,
  turns,
  until,
} from "./support/helpers.ts";

/** Bytes of a record's header with a time of expiry. */
const HEADER = 32;
/** Bytes of a durable mark. */
const MARK = 32;

/** What the store says its bytes are worth. */
function account(store: KvStore): { live: number; stale: number; tombstones: number } {
  const { liveBytes, staleBytes, tombstoneBytes } = store.stats();
  return { live: liveBytes, stale: staleBytes, tombstones: tombstoneBytes };
}

export const keptExpiryCases: Case[] = [
  {
    name:
      "expiry: stats count what a tombstone needs as one and the rest as stale; superseded or cleared it is all stale",
    async run(context) {
      const store = await openAt(context, MANUAL);
      await store.batch(["a", "bb"].map((key) => ({ type: "set", key, value: text("v", 1000), ttl: 10 })));
      const whole = account(store);
      assertEquals([whole.stale, whole.tombstones, whole.live], [0, 0, 2 * (HEADER + 1000) + 3]);
      context.clock.nowMs = START + 10;
      assertEquals(account(store), { live: 0, stale: 2000, tombstones: 2 * HEADER + 3 });
      assertEquals((await store.verify()).problems, []);
      await store.set("a", "");
      assertEquals(account(store), { live: 24 + 1, stale: HEADER + 1 + 2000 + MARK, tombstones: HEADER + 2 });
      assertEquals((await store.verify()).problems, []);
      await store.clear();
      assertEquals(account(store), { live: 0, stale: 2 * HEADER + 3 + 2000 + 25 + 2 * MARK, tombstones: 24 });
      await store.compact();
      assertEquals(store.stats().diskBytes, 44);
    },
  },
  {
    name: "expiry: an older value does not come back when a newer one has expired and is compacted away",
    async run(context) {
      const options = { segmentBytes: 4096, compaction: { minStaleBytes: 0 } };
      let store = await openAt(context, options);
      await store.set("k", "old");
      await fill(store, 100);
      await store.set("k", "new", { ttl: 10 });
      await fillExpiring(store, 10);
      const before = store.stats();
      context.clock.nowMs = START + 10;
      assertEquals(store.size, 100);
      // The segments that hold the older value and nothing else to win stay, the others go.
      await until(() => store.stats().diskBytes < before.diskBytes - 5000, "compaction has found what expired");
      await store.verify();
      assert(store.stats().tombstoneBytes > 0, "the tombstone that is still needed");
      for (const name of ["INDEX", ""]) {
        store = await context.reopenAfterKill(options);
        assertEquals([store.has("k"), store.size], [false, 100], `without ${name}`);
        await store.close();
        context.clock.nowMs = START;
        if (context.files().includes(name)) context.platform.inner.remove(`${context.directory}/${name}`);
      }
      store = await context.open(options);
      assertEquals([store.has("k"), store.size], [false, 100]);
      await store.compact();
      assertEquals([store.has("k"), store.size], [false, 100]);
    },
  },
  {
    name: "expiry: compaction wins the values of expired keys even where their tombstones have to stay",
    async run(context) {
      const store = await openAt(context, SMALL);
      await fill(store, 100);
      await fillExpiring(store, 10);
      context.clock.nowMs = START + 10;
      const { staleBytes, tombstoneBytes, liveBytes } = store.stats();
      assert(staleBytes >= 100 * 100 && tombstoneBytes < 100 * 50);
      await store.compact();
      assertEquals(store.stats().liveBytes, liveBytes);
      assert(store.stats().staleBytes < 1000);
      assertEquals(contents(store).length, 100);
    },
  },
  {
    name: "expiry: compaction keeps times of expiry, and a snapshot keeps what expires while it is open",
    async run(context) {
      let store = await openAt(context, SMALL);
      await fillExpiring(store, 1000);
      await store.set("stays", 1, { ttl: 5000 });
      for (let i = 0; i < 50; i++) await store.delete(`expiring ${2 * i}`);
      await store.compact();
      assertEquals(store.expiresAt("expiring 1"), START + 1000);
      using snapshot = store.snapshot();
      context.clock.nowMs = START + 1000;
      assertEquals([...store.keys()], ["stays"]);
      await store.compact();
      await store.compact();
      assertEquals([snapshot.size, contents(snapshot).length, snapshot.get("expiring 1")?.toString().length], [
        51,
        51,
        100,
      ]);
      assert(store.stats().pinnedSegments > 0);
      snapshot.close();
      assertEquals(store.stats().pinnedSegments, 0);
      store = await context.reopen(store);
      assertEquals([[...store.keys()], store.expiresAt("stays")], [["stays"], START + 5000]);
    },
  },
  {
    name: "expiry: the damaged value of an expired key is no obstacle to compaction",
    async run(context) {
      const store = await openAt(context, SMALL);
      await store.set("e", "to be damaged", { ttl: 10 });
      await fill(store, 100);
      damage(context, "to be damaged");
      context.clock.nowMs = START + 10;
      await store.compact();
      assertEquals(store.size, 100);
    },
  },
  {
    name: "expiry: repair lists no expired key as lost, and revives no older value of it",
    async run(context) {
      const store = await openAt(context);
      await store.set("e", "old");
      await store.set("e", "to be damaged, expired", { ttl: 10 });
      await store.set("f", "old");
      await store.set("f", "to be damaged, current", { ttl: 1000 });
      await store.close();
      damage(context, "to be damaged, current");
      damage(context, "to be damaged, expired");
      context.clock.nowMs = START + 10;
      const { lostKeys, problems } = await context.repair();
      assertEquals([lostKeys, problems.length], [["f"], 2]);
      context.clock.nowMs = START;
      assertEquals((await context.open()).size, 0);
    },
  },
  {
    name: "expiry: a rejected write gives back what it replaced, unless that has expired meanwhile",
    async run(context) {
      for (const clears of [false, true]) {
        context.clock.nowMs = START;
        const store = await context.open(MANUAL, `${context.root}/${clears}`);
        await store.set("a", "old", { ttl: 10 });
        await store.set("b", "old", { ttl: 1000 });
        await store.set("other", "old", { ttl: 20 });
        await store.set("gone", "old", { ttl: 1 });
        context.clock.nowMs = START + 5;
        using first = store.snapshot();
        const release = holdSyncs(context);
        const done = store.set("c", "new");
        await turns(1);
        const rejected = [store.set("a", "new"), store.set("b", "new"), store.set("d", "new", { ttl: 1 })];
        if (clears) rejected.push(store.clear());
        rejected.push(store.set("gone", "new"));
        assertEquals(store.size, clears ? 1 : 6);
        using second = store.snapshot();
        context.clock.nowMs = START + 20;
        assertEquals(store.size, clears ? 1 : 4);
        failWrites(context);
        release();
        assertEquals(await outcomes([done, ...rejected]), ["done", ...rejected.map(() => "IO")]);
        heal(context);
        // What was pending when it was taken is gone as if it had never been; what was there has not expired for it.
        const expected: [Key, Value][] = [["a", "old"], ["b", "old"], ["c", "new"], ["other", "old"]];
        assertEquals([contents(second), second.size], [expected, 4]);
        assertEquals(contents(store), [["b", "old"], ["c", "new"]]);
        assertEquals([store.size, store.expiresAt("b"), store.expiresAt("a")], [2, START + 1000, undefined]);
        assertEquals(contents(first), ["a", "b", "other"].map((key): [Key, Value] => [key, "old"]));
        assertEquals((await store.verify()).problems, []);
      }
    },
  },
];
