/** Iterators and snapshots that nobody holds any more: they end when they are collected as garbage. */

import { assert, assertEquals } from "@std/assert";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Case } from "./support/context.ts";
import { fill, SMALL, turns } from "./support/helpers.ts";

/** The garbage collector, where the runtime lets us have it. */
function collector(): (() => void) | undefined {
  try {
    setFlagsFromString("--expose-gc");
    return runInNewContext("gc");
  } catch {
    return undefined;
  }
}

export const garbageCases: Case[] = [
  {
    name: "abandoned iterators and snapshots give their files back when they are collected as garbage",
    async run(context) {
      const collect = collector();
      if (collect === undefined) return;
      const store = await context.open(SMALL);
      await fill(store, 100);
      const held: unknown[] = [];
      const hold = () => {
        for (let i = 0; i < 5; i++) {
          const iterators = [store.entries(), store.snapshot().values()];
          for (const iterator of iterators) iterator.next();
          held.push(...iterators);
        }
      };
      hold();
      await store.clear();
      await store.compact();
      assert(store.stats().pinnedSegments > 0);
      // Not before: what is abandoned may be collected at any time.
      held.length = 0;
      for (let tries = 0; tries < 50 && store.stats().pinnedSegments > 0; tries++) {
        collect();
        await turns(2);
      }
      assertEquals(store.stats().pinnedSegments, 0);
      // Files are removed in the background; a compaction waits for that.
      await store.compact();
      assertEquals(context.segments().length, store.stats().segments);
    },
  },
  {
    name: "an iterator that is still held is never collected, whatever holds it",
    async run(context) {
      const collect = collector();
      if (collect === undefined) return;
      const store = await context.open(SMALL);
      await fill(store, 100);
      const iterator = store.snapshot().keys();
      const own = store.values();
      await store.clear();
      await store.compact();
      for (let tries = 0; tries < 2; tries++) {
        collect();
        await turns(2);
      }
      assertEquals([[...iterator].length, [...own].length], [100, 100]);
    },
  },
];
