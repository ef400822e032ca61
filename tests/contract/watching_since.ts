/** Watches from a sequence number on, and compaction, which moves and drops what they have not seen. */

import { assert, assertEquals } from "@std/assert";
import type { KvStore } from "../../mod.ts";
import {
  CHANGES,
  changesSince,
  floorOf,
  Follower,
  isSettled,
  STEPS,
  take,
  textsOf,
  wordsOf,
  writeHistory,
} from "./changes.ts";
import type { Case, Context } from "./support/context.ts";
import { openAt, START } from "./expiry.ts";
import { assertCode, SMALL, until } from "./support/helpers.ts";

export const watchSinceCases: Case[] = [
  {
    name: "watch: goes on after every sequence number, across closing and opening",
    async run(context) {
      let store = await context.open(SMALL);
      await writeHistory(store);
      const all = await changesSince(store, 0);
      assertEquals(all.length, CHANGES);
      for (let i = -1; i < all.length; i += 7) {
        if (i % 3 === 0) store = await context.reopen(store, SMALL);
        const since = all[i]?.seq ?? 0;
        const rest = (await changesSince(store, since)).slice(0, all.length - i - 1);
        assertEquals(textsOf(rest), textsOf(all.slice(i + 1)), `since ${since}`);
      }
      for (let since = 0; since <= all.at(-1)!.seq; since++) {
        const watch = store.watch({ since });
        const wanted = all.find(({ seq }) => seq > since);
        if (wanted !== undefined) assertEquals((await watch.next()).value, wanted);
        await watch.return();
      }
    },
  },
  {
    name: "watch: goes on after the death of the process, with numbers that were not used before",
    async run(context) {
      let store = await context.open(SMALL);
      await writeHistory(store);
      const all = await changesSince(store, 0);
      store = await context.reopenAfterKill(SMALL);
      const since = all[20]!.seq;
      const rest = await changesSince(store, since);
      assertEquals(textsOf(rest.slice(0, all.length - 21)), textsOf(all.slice(21)));
      await store.set("new", 1);
      const last = (await changesSince(store, since)).at(-1)!;
      assert(last.seq > 2 ** 32, `${last.seq}`);
    },
  },
  {
    name: "watch: with a compaction at any point, it sees every change from the history floor on, and TRIMMED below it",
    async run(context) {
      for (let point = 0; point <= STEPS; point++) {
        const directory = `${context.root}/${point}`;
        let store = await context.open(SMALL, directory);
        const follower = new Follower(store.watch({ since: 0 }));
        await writeHistory(store, async (step) => {
          if (step === point) await store.compact();
        });
        const all = await follower.news();
        if (point === STEPS) await store.compact();
        assertEquals(all.length, CHANGES);
        const check = async () => {
          const historyFloor = await floorOf(store);
          let trimmed = 0;
          for (let i = -1; i < all.length; i++) {
            const since = all[i]?.seq ?? 0;
            const later = store.watch({ since });
            if (since < historyFloor) {
              trimmed++;
              const error = await assertCode(later.next(), "TRIMMED");
              assertEquals(error.historyFloor, historyFloor);
              assertEquals(await later.next(), { done: true, value: undefined });
              continue;
            }
            assertEquals(textsOf(await take(later, all.length - i - 1)), textsOf(all.slice(i + 1)), `since ${since}`);
            await later.return();
          }
          assert(point < 3 || trimmed > 0, "nothing was trimmed");
        };
        await check();
        store = await closeAndOpen(context, store, directory);
        await check();
      }
    },
    isCostly: true,
  },
  {
    name: "watch: compaction of segments whose ranges overlap leaves the order as it is above the history floor",
    async run(context) {
      const store = await context.open(SMALL);
      // Old and young segments have something stale, those between have not: an output spans all of them.
      const value = "v".repeat(600);
      for (let round = 0; round < 8; round++) {
        for (let i = 0; i < 12; i++) await store.set(`round ${round}, ${i}`, value);
        if (round % 3 === 0) await store.set("hot", `${round}`.repeat(700));
        if (round % 3 === 1) await store.compact();
        if (round === 5) await store.delete("round 0, 3");
      }
      await store.set("hot", "now");
      await store.compact();
      const error = await assertCode(store.watch({ since: 0 }).next(), "TRIMMED");
      const rest = await changesSince(store, error.historyFloor!);
      assert(rest.length > 0);
      rest.forEach(({ seq }, i) => assert(i === 0 || seq > rest[i - 1]!.seq));
    },
  },
  {
    name: "watch: one that is a little behind sees all that compaction drops meanwhile, and then gives it back",
    async run(context) {
      const store = await context.open(SMALL);
      const watch = store.watch();
      for (let i = 0; i < 30; i++) await store.set("a", `${i} `.repeat(100));
      await take(watch, 3);
      await store.compact();
      assert(store.stats().pinnedSegments > 0);
      await store.set("b", 1);
      await store.compact();
      const changes = await take(watch, 28);
      assertEquals(wordsOf(changes), [...Array.from({ length: 27 }, (_, i) => String(i + 3)), "1"]);
      assertEquals(await isSettled(watch.next()), false);
      assertEquals(store.stats().pinnedSegments, 0);
      await store.compact();
      assertEquals(context.segments().length, store.stats().segments);
    },
  },
  {
    name:
      "watch: a set tells when it expires, and the expiry is no change; not even where compaction made a tombstone of it",
    async run(context) {
      const compaction = { auto: true, staleRatio: 0.5, minStaleBytes: 0 };
      const store = await openAt(context, { segmentBytes: 4096, compaction });
      // The tombstone is needed, as the first segment holds an older value and is not worth compacting.
      await store.set("k", "old");
      await store.set("filling", "v".repeat(3980));
      const [watch, prompt] = [store.watch(), new Follower(store.watch())];
      await store.set("k", "young", { ttl: 1000 });
      for (let i = 0; i < 3; i++) await store.set("other", `${i}`.repeat(1200));
      context.clock.nowMs = START + 1000;
      assertEquals(store.has("k"), false);
      await store.set("other", "x".repeat(1200));
      await until(() => store.stats().compactions > 0, "a segment has been compacted");
      const changes = await take(watch, 5);
      const [first] = changes;
      assertEquals({ ...first, seq: 0 }, { seq: 0, type: "set", key: "k", value: "young", expiresAt: START + 1000 });
      const [newest] = await store.history("k");
      assertEquals([newest!.type, newest!.seq], ["delete", first!.seq]);
      assertEquals(textsOf(await prompt.news()), textsOf(changes));
      assertEquals(await isSettled(watch.next()), false);
    },
  },
  {
    name: "watch: one that stands still holds up no writer, pins four segments at most, and ends with TRIMMED",
    async run(context) {
      const store = await context.open(SMALL);
      const watch = store.watch();
      const [fast, idle] = [new Follower(store.watch()), store.watch()];
      await store.set("a", 1);
      await take(watch, 1);
      let seen = 0;
      for (let round = 0; round < 60; round++) {
        await store.set("a", "v".repeat(1900));
        await store.set("b", "v".repeat(1900));
        seen += (await fast.news()).length;
        await store.compact();
        const { diskBytes, pinnedSegments } = store.stats();
        assert(pinnedSegments <= 5 && diskBytes < 8 * 4096, `${pinnedSegments} pinned, ${diskBytes} bytes`);
      }
      assertEquals(seen, 121);
      await assertCode(watch.next(), "TRIMMED");
      await assertCode(idle.next(), "TRIMMED");
      assertEquals(store.stats().pinnedSegments, 0);
    },
  },
];

async function closeAndOpen(context: Context, store: KvStore, directory: string): Promise<KvStore> {
  await store.close();
  return await context.open(SMALL, directory);
}
