/** Order and visibility: reads see every earlier call; promises resolve in the order of the calls. */

import { assert, assertEquals } from "@std/assert";
import type { WriteOptions } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import { bytes, contents, holdSyncs, MANUAL, turns } from "./support/helpers.ts";

const MEBIBYTE = 1024 * 1024;

export const orderCases: Case[] = [
  {
    name: "order: reads see writes at once, acknowledged or not",
    async run(context) {
      const store = await context.open();
      const release = holdSyncs(context);
      const writes: Promise<unknown>[] = [];
      for (let i = 0; i < 5; i++) {
        writes.push(store.set("a", i), store.set(`k${i}`, i));
        assertEquals([store.get("a"), store.size], [i, i + 2]);
        await turns(1);
        assertEquals([store.get("a"), store.size], [i, i + 2]);
      }
      writes.push(store.delete("a"));
      assertEquals([store.has("a"), store.get("a")], [false, undefined]);
      release();
      await Promise.all(writes);
    },
  },
  {
    name: "order: the last call wins, whatever durability each has",
    async run(context) {
      const store = await context.open();
      const writes: Promise<unknown>[] = [];
      for (let i = 0; i < 50; i++) {
        writes.push(store.set("a", i, { durability: i % 2 === 0 ? "sync" : "write" }));
        if (i % 10 === 9) writes.push(store.delete("a"), store.set("a", i));
      }
      await Promise.all(writes);
      assertEquals(contents(await context.reopen(store)), [["a", 49]]);
    },
  },
  {
    name: "order: promises resolve in the order of the calls",
    async run(context) {
      const store = await context.open();
      const order: number[] = [];
      const all: Promise<unknown>[] = [];
      for (let i = 0; i < 60; i++) {
        const call = [
          () => store.set(`k${i}`, i),
          () => store.batch([]),
          () => store.batch([{ type: "set", key: "b", value: i }]),
          () => store.clear(),
          () => store.set(bytes(i), i),
          () => store.flush(),
        ][i % 6]!;
        all.push(call().then(() => order.push(i)));
        if (i % 7 === 0) await turns(1);
      }
      await Promise.all(all);
      assertEquals(order, order.map((_, i) => i));
    },
  },
  ...(["sync", "write"] as const).map((durability): Case => ({
    name: `order: with "${durability}", a delete that finds nothing and an empty batch wait for the writes before them`,
    async run(context) {
      const store = await context.open(MANUAL);
      const release = holdSyncs(context);
      const options: WriteOptions = { durability };
      const done: string[] = [];
      const note = (name: string) => () => void done.push(name);
      const all = [
        store.set("a", 1, options).then(note("set")),
        store.delete("never", options).then(note("delete")),
        store.batch([], options).then(note("batch")),
      ];
      assertEquals(done, []);
      await turns(3);
      assertEquals(done.length, durability === "sync" ? 0 : 3);
      release();
      await Promise.all(all);
      assertEquals(done[0], "set");
    },
  })),
  {
    name: "order: an earlier write that is only written holds up a later call that asks for sync",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1, { durability: "write" });
      assert(store.stats().unsyncedBytes > 0);
      assertEquals(await store.delete("never"), false);
      assertEquals(store.stats().unsyncedBytes, 0);
    },
  },
  {
    name: "order: pending writes are bounded: a synchronous loop of sets writes by itself",
    async run(context) {
      const store = await context.open(MANUAL);
      const release = holdSyncs(context);
      const writes: Promise<void>[] = [];
      let highest = 0;
      for (let i = 0; i < 40; i++) {
        writes.push(store.set(`k${i}`, new Uint8Array(MEBIBYTE)));
        highest = Math.max(highest, store.stats().pendingBytes);
      }
      assert(highest > MEBIBYTE && highest <= 9 * MEBIBYTE, `${highest} bytes were pending`);
      release();
      await Promise.all(writes);
      assertEquals([store.size, store.stats().pendingBytes], [40, 0]);
      await store.clear();
      await store.compact();
    },
  },
  {
    name: "order: calls of every kind without waiting end in the state that their order makes",
    async run(context) {
      const store = await context.open({ segmentBytes: 4096 });
      const expected = new Map<string, number>();
      const all: Promise<unknown>[] = [];
      for (let i = 0; i < 500; i++) {
        const key = `k${(i * 7) % 50}`;
        if (i % 97 === 96) {
          all.push(store.clear());
          expected.clear();
        } else if (i % 5 === 4) {
          all.push(store.delete(key).then((wasThere) => assertEquals(wasThere, isThere, `${i}`)));
          const isThere = expected.delete(key);
        } else {
          all.push(store.set(key, i));
          expected.set(key, i);
        }
      }
      await Promise.all(all);
      const sorted = [...expected].sort(([a], [b]) => a < b ? -1 : 1);
      assertEquals(contents(store), sorted);
      assertEquals(contents(await context.reopen(store)), sorted);
    },
  },
];
