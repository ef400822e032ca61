/** Keys that expire, and the clock: one that goes back, readers, backups, images of the index. */

import { assert, assertEquals } from "@std/assert";
import type { KvStore } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import { fillExpiring, openAt, START } from "./expiry.ts";
import { contents, fill, MANUAL, SMALL } from "./support/helpers.ts";

export const clockCases: Case[] = [
  {
    name: "clock: going back revives nothing, and keys that are set then live by the clock as it is then",
    async run(context) {
      const store = await openAt(context);
      await store.set("goes", 1, { ttl: 1000 });
      await store.set("stays", 1, { ttl: 5000 });
      context.clock.nowMs = START + 1000;
      assertEquals(store.size, 1);
      for (const ms of [999, 0, -1e9]) {
        context.clock.nowMs = START + ms;
        assertEquals([store.size, store.has("goes"), store.get("goes"), store.has("stays")], [
          1,
          false,
          undefined,
          true,
        ]);
      }
      await store.set("young", 1, { ttl: 10 });
      assertEquals([store.expiresAt("young"), store.has("young"), store.has("goes")], [START - 1e9 + 10, true, false]);
      using snapshot = store.snapshot();
      assertEquals([...snapshot.keys()], ["stays", "young"]);
    },
  },
  {
    name: "clock: what an open store saw expire, or could have seen at closing, stays so when it is opened again",
    async run(context) {
      let store = await openAt(context);
      await store.set("goes", 1, { ttl: 1000 });
      await store.set("goes later", 1, { ttl: 2000 });
      await store.set("stays", 1);
      context.clock.nowMs = START + 1000;
      await store.close();
      context.clock.nowMs = START;
      store = await context.open();
      assertEquals([store.size, store.has("goes"), store.get("goes")], [2, false, undefined]);
      assertEquals([...store.keys()], ["goes later", "stays"]);
      context.clock.nowMs = START + 2000;
      // This one only reads: also that is worth a manifest.
      assertEquals([...store.keys()], ["stays"]);
      await store.close();
      context.clock.nowMs = START;
      store = await context.open();
      assertEquals([...store.keys()], ["stays"]);
      await store.set("young", 1, { ttl: 1 });
      assertEquals(store.expiresAt("young"), START + 1);
      const reader = await context.open({ readOnly: true });
      assertEquals([...reader.keys()], ["stays", "young"]);
    },
  },
  // Nothing was written for such a delete, and the key was there again.
  {
    name: "clock: a delete holds though the key had expired by then, the process dies and the clock goes back",
    async run(context) {
      let store = await openAt(context);
      for (const key of ["a", "b", "c"]) await store.set(key, 1, { ttl: 1000 });
      context.clock.nowMs = START + 1000;
      assertEquals(await store.delete("a"), false);
      await store.batch([{ type: "delete", key: "b" }]);
      context.clock.nowMs = START;
      store = await context.reopenAfterKill();
      assertEquals([...store.keys()], ["c"]);
    },
  },
  {
    name: "clock: a reader that has refreshed does not forget what it saw expire",
    async run(context) {
      const writer = await openAt(context);
      await writer.set("goes", 1, { ttl: 1000 });
      const reader = await context.open({ readOnly: true });
      context.clock.nowMs = START + 1000;
      assertEquals(reader.size, 0);
      context.clock.nowMs = START;
      await writer.set("stays", 1);
      await writer.set("young", 1, { expiresAt: START + 900 });
      assertEquals([await reader.refresh(), [...reader.keys()]], [true, ["stays", "young"]]);
      assertEquals([...writer.keys()], ["goes", "stays", "young"]);
    },
  },
  {
    name: "clock: nothing of it is written where nothing expires",
    async run(context) {
      let store = await openAt(context);
      await store.set("a", 1);
      await store.set("later", 1, { ttl: 1e6 });
      await store.close();
      const before = context.image();
      store = await context.open();
      assertEquals(store.size, 2);
      await store.close();
      assertEquals(context.image(), before);
    },
  },
  {
    name: "clock: after a crash it holds as far as the manifest knows: since the last rotation at least",
    async run(context) {
      let store = await openAt(context, SMALL);
      await store.set("goes", 1, { ttl: 1000 });
      await store.set("stays", 1, { ttl: 5000 });
      context.clock.nowMs = START + 1000;
      assertEquals(store.size, 1);
      await fill(store, 100);
      context.clock.nowMs = START;
      store = await context.reopenAfterKill(SMALL);
      assertEquals([store.has("goes"), store.has("stays"), store.size], [false, true, 101]);
    },
  },
  {
    name: "clock: a store in which nothing expires never asks it; one in which something does, once a call",
    async run(context) {
      const store = await openAt(context, MANUAL);
      const calls: (() => unknown)[] = [
        () => store.get("a"),
        () => store.getMany(["a", "b", "c"]),
        () => store.has("a"),
        () => store.size,
        () => store.expiresAt("a"),
        () => [...store.entries()],
        () => store.snapshot().close(),
        () => store.delete("never"),
        () => store.batch(["x", "y", "z"].map((key) => ({ type: "delete", key }))),
        () => store.stats(),
      ];
      await store.set("a", 1);
      const { platform } = context;
      for (const call of calls) await call();
      assertEquals(platform.clockLooks, 0);
      await store.set("b", 1, { ttl: 1000 });
      for (const call of calls) {
        const before = platform.clockLooks;
        await call();
        assertEquals(platform.clockLooks, before + 1, String(call));
      }
    },
  },
  {
    name: "expiry: readers go by their own clock, and by what the writer knew when it wrote the manifest last",
    needsOpenFiles: true,
    async run(context) {
      const writer = await openAt(context, SMALL);
      await fillExpiring(writer, 1000);
      await writer.set("stays", 1);
      const reader = await context.open({ readOnly: true });
      using before = reader.snapshot();
      assertEquals([reader.size, reader.expiresAt("expiring 1")], [101, START + 1000]);
      context.clock.nowMs = START + 1000;
      assertEquals([reader.size, contents(reader), before.size], [1, [["stays", 1]], 101]);
      assertEquals(await reader.refresh(), false);
      await writer.set("expiring 1", "again", { ttl: 10 });
      await writer.compact();
      assertEquals(reader.size, 1);
      assertEquals(await reader.refresh(), true);
      assertEquals([reader.size, reader.expiresAt("expiring 1"), before.size], [2, START + 1010, 101]);
      assertEquals((await reader.verify()).problems, []);
      context.clock.nowMs = START;
      assertEquals([reader.size, (await context.open({ readOnly: true })).size], [2, 2]);
      assertEquals(contents(before).length, 101);
      await writer.clear();
      assertEquals([await reader.refresh(), reader.size], [true, 0]);
    },
  },
  {
    name: "expiry: a backup has the times of expiry and the clock floor",
    async run(context) {
      const store = await openAt(context, SMALL);
      await store.set("k", "old");
      await fillExpiring(store, 1000);
      await store.set("k", "new", { ttl: 10 });
      await store.set("stays", 1, { ttl: 5000 });
      context.clock.nowMs = START + 10;
      const copy = `${context.root}/copy`;
      await store.backup(copy);
      context.clock.nowMs = START;
      const restored = await context.open({}, copy);
      assertEquals([restored.has("k"), restored.size, restored.expiresAt("stays")], [false, 101, START + 5000]);
    },
  },
  {
    name: "expiry: verify does not mind what expires while it reads",
    async run(context) {
      const store = await openAt(context, MANUAL);
      const value = new Uint8Array(1 << 20);
      for (let i = 0; i < 10; i++) await store.set(`k${i}`, value, { ttl: 10 * (i + 1), durability: "write" });
      let calls = 0;
      const onProgress = () => {
        context.clock.nowMs = START + 10 * ++calls;
        store.get("k0");
      };
      assertEquals((await store.verify({ onProgress })).problems, []);
      assert(calls > 2 && store.size < 10);
      assertEquals((await context.verify()).problems, []);
    },
  },
  {
    name: "expiry: an image that is damaged anywhere makes no key expire sooner, later or not at all",
    async run(context) {
      const store = await openAt(context, MANUAL);
      const operations = Array.from({ length: 1200 }, (_, i) => ({
        ...{ type: "set" as const, key: `key ${i}`, value: i },
        ...(i % 2 === 0 ? {} : { ttl: 1 + i }),
      }));
      await store.batch(operations);
      await store.close();
      const good = context.readFile("INDEX");
      for (let at = 11; at < good.length; at += 997) {
        context.overwrite("INDEX", at, new Uint8Array([good[at]! ^ 0x41]));
        context.clock.nowMs = START + 600;
        const reader = await context.openUnchecked({ readOnly: true }, context.directory);
        assertEquals([reader.get("key 599"), reader.get("key 601"), reader.size], [undefined, 601, 900], `byte ${at}`);
        context.clock.nowMs = START + 1100;
        assertEquals([reader.has("key 1099"), reader.has("key 1101"), reader.size], [false, true, 650], `byte ${at}`);
        assertEquals((await reader.verify()).problems, []);
        await reader.close();
        context.overwrite("INDEX", at, new Uint8Array([good[at]!]));
      }
    },
  },
  {
    name: "expiry: the image of the index knows times, and opening with it is as exact as without",
    async run(context) {
      const store = await openAt(context, MANUAL);
      const operations = Array.from({ length: 3000 }, (_, i) => ({
        ...{ type: "set" as const, key: `key ${i}`, value: i },
        ...(i % 3 === 0 ? {} : { ttl: 1000 + i }),
      }));
      await store.batch(operations);
      await store.close();
      assert(context.files().includes("INDEX"));
      for (const withImage of [true, false]) {
        if (!withImage) context.platform.inner.remove(`${context.directory}/INDEX`);
        for (const ms of [0, 1000, 1001, 1500, 2000, 3500, 4001, 1e6]) {
          context.clock.nowMs = START + ms;
          const left = operations.filter(({ ttl = Infinity }) => ttl > ms);
          for (const ask of [(one: KvStore) => one.size, (one: KvStore) => [...one.keys()].length]) {
            const reader = await context.openUnchecked({ readOnly: true }, context.directory);
            assertEquals(ask(reader), left.length, `after ${ms} ms`);
            await reader.close();
          }
          const reader = await context.openUnchecked({ readOnly: true }, context.directory);
          for (const i of [0, 1, 2, 500, 2999]) {
            assertEquals(reader.get(`key ${i}`), (operations[i]!.ttl ?? Infinity) > ms ? i : undefined);
            assertEquals(reader.has(`key ${i}`), (operations[i]!.ttl ?? Infinity) > ms);
          }
          // Time passes while some tables are in memory and others are not.
          context.clock.nowMs += 700;
          assertEquals(reader.get("key 2000"), ms + 700 < 3000 ? 2000 : undefined);
          assertEquals(reader.size, operations.filter(({ ttl = Infinity }) => ttl > ms + 700).length);
          assertEquals((await reader.verify()).problems, []);
          await reader.close();
        }
      }
    },
  },
];
