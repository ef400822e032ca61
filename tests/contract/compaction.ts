/** Compaction: by hand and by itself. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { KvStore, OpenOptions, Progress } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import {
  assertCode,
  contents,
  damage,
  fill,
  heal,
  holdSyncs,
  outcomes,
  SMALL,
  turns,
  until,
} from "./support/helpers.ts";

/** A store of which half can be won. */
async function fillTwice(store: KvStore, count: number): Promise<void> {
  await fill(store, count);
  await fill(store, count, "second ".repeat(14));
}

/** Compacts by itself at the least occasion. */
const EAGER: OpenOptions = { segmentBytes: 4096, compaction: { staleRatio: 0.1, minStaleBytes: 0 } };

export const compactionCases: Case[] = [
  {
    name: "compact: gives the space back and changes no content",
    async run(context) {
      let store = await context.open(SMALL);
      await fillTwice(store, 200);
      for (let i = 0; i < 200; i += 2) store.delete(`key ${String(i).padStart(5, "0")}`);
      await store.flush();
      const [expected, before] = [contents(store), store.stats()];
      assertEquals(await store.compact(), undefined);
      const { staleBytes, tombstoneBytes, diskBytes, segments, compactions } = store.stats();
      assert(diskBytes < before.diskBytes / 2.5, `${diskBytes} of ${before.diskBytes}`);
      assertEquals([tombstoneBytes, compactions > 0], [0, true]);
      assert(staleBytes <= segments * 32, `${staleBytes} stale bytes in ${segments} segments: marks are 32 each`);
      assertEquals(contents(store), expected);
      store = await context.reopen(store, SMALL);
      assertEquals(contents(store), expected);
    },
  },
  {
    name: "compact: of a cleared store leaves no segment but the one being written",
    async run(context) {
      const store = await context.open(SMALL);
      await fillTwice(store, 100);
      await store.clear();
      await store.compact();
      assert(store.stats().segments <= 1);
      assertEquals([context.segments().length, store.size], [store.stats().segments, 0]);
    },
  },
  {
    name: "compact: a deleted key never comes back, through compactions and reopenings in any order",
    async run(context) {
      let store = await context.open(SMALL);
      await fill(store, 60);
      for (let round = 0; round < 6; round++) {
        const key = `key ${String(round * 7).padStart(5, "0")}`;
        await store.set(key, `version ${round}`);
        await fill(store, 60 - round, `round ${round} `.repeat(9));
        await store.delete(key);
        if (round % 2 === 0) await store.compact();
        assertEquals(store.has(key), false);
        store = await context.reopen(store, SMALL);
        if (round % 2 === 1) await store.compact();
        assertEquals(store.has(key), false);
      }
      await store.compact();
      store = await context.reopenAfterKill(SMALL);
      assertEquals(store.has("key 00035"), false);
    },
  },
  {
    name: "compact: resolves when there is nothing to win, also on an empty store, and rewrites nothing then",
    async run(context) {
      const store = await context.open(SMALL);
      await store.compact();
      await fill(store, 100);
      await store.compact();
      await store.compact();
      const files = context.segments();
      for (let i = 0; i < 3; i++) await store.compact();
      assertEquals(context.segments(), files);
    },
  },
  ...[0, 100].map((stale): Case => ({
    name: `compact: resolves only when all earlier writes are synced${stale === 0 ? ", with nothing to win too" : ""}`,
    needsPowerCut: true,
    async run(context) {
      let store = await context.open({ ...SMALL, durability: "write" });
      if (stale > 0) await fillTwice(store, stale);
      const pending = store.set("a", 1);
      const written = store.set("b", 1);
      await store.compact();
      await Promise.all([pending, written]);
      const expected = contents(store);
      store = await context.reopenAfterPowerCut({}, SMALL);
      assertEquals(contents(store), expected);
    },
  })),
  {
    name: "compact: reads and writes go on meanwhile, and count",
    async run(context) {
      let store = await context.open({ ...SMALL, segmentBytes: 64 * 1024, durability: "write" });
      await fillTwice(store, 3000);
      let isDone = false;
      const compaction = store.compact().then(() => isDone = true);
      let i = 0;
      for (; !isDone; i++) {
        const key = `key ${String((i * 37) % 3000).padStart(5, "0")}`;
        await store.set(key, i);
        assertEquals(store.get(key), i);
        await store.delete(`key ${String((i * 37 + 1) % 3000).padStart(5, "0")}`);
        if (i % 10 === 9) await turns(1);
      }
      await compaction;
      assert(i > 1);
      const expected = contents(store);
      store = await context.reopen(store, SMALL);
      assertEquals(contents(store), expected);
    },
  },
  {
    name: "compact: calls at the same time all resolve, and waiting ones share one",
    async run(context) {
      const store = await context.open(SMALL);
      await fillTwice(store, 500);
      const first = store.compact();
      await turns(1);
      const writes = fill(store, 300, "third ".repeat(16));
      assertEquals(
        new Set(await outcomes([first, store.compact(), store.compact(), store.compact()])),
        new Set(["done"]),
      );
      await writes;
      assertEquals(store.size, 500);
    },
  },
  {
    name: "compact: an abort rejects with the signal's reason and leaves the store as it was",
    async run(context) {
      const store = await context.open(SMALL);
      await fillTwice(store, 500);
      const [expected, files] = [contents(store), context.segments()];
      const reason = { my: "reason" };
      assertEquals(await store.compact({ signal: AbortSignal.abort(reason) }).catch((error) => error), reason);
      assertEquals(context.segments(), files);
      const controller = new AbortController();
      const onProgress = () => controller.abort(reason);
      assertEquals(await store.compact({ signal: controller.signal, onProgress }).catch((error) => error), reason);
      assertEquals(contents(store), expected);
      await store.compact();
      assertEquals(contents(store), expected);
    },
  },
  {
    name: "compact: what onProgress throws aborts it and comes out of the call",
    async run(context) {
      const store = await context.open(SMALL);
      await fillTwice(store, 200);
      const expected = contents(store);
      const own = new Error("my own");
      const error = await assertRejects(() =>
        store.compact({
          onProgress() {
            throw own;
          },
        })
      );
      assertEquals(error, own);
      assertEquals(contents(store), expected);
      await store.set("after", 1);
      await store.compact();
      assertEquals(store.size, 201);
    },
  },
  {
    name: "compact: one caller's abort leaves the others' compaction alone",
    async run(context) {
      const store = await context.open(SMALL);
      await fillTwice(store, 200);
      const running = store.compact();
      const controller = new AbortController();
      const calls = [store.compact({ signal: controller.signal }), store.compact()];
      controller.abort(new TypeError("mine"));
      assertEquals(await outcomes([running, ...calls]), ["done", "TypeError", "done"]);
    },
  },
  {
    name: "compact: tells its progress in bytes, never backwards, never beyond the total",
    async run(context) {
      const store = await context.open({ ...SMALL, segmentBytes: 1024 * 1024 });
      await fillTwice(store, 5000);
      const seen: Progress[] = [];
      await store.compact({ onProgress: (progress) => void seen.push(progress) });
      assert(seen.length > 1);
      for (const [i, { doneBytes, totalBytes }] of seen.entries()) {
        assert(doneBytes <= totalBytes && doneBytes >= (seen[i - 1]?.doneBytes ?? 0), JSON.stringify(seen));
      }
    },
  },
  {
    name: "compact: a MANIFEST that cannot be replaced rejects with IO, and the inputs count as before",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 200);
      await fill(store, 100, "second");
      await store.flush();
      const expected = contents(store);
      const there = new Set(context.segments());
      let writes = 0;
      let failures = 0;
      context.platform.onOperation = ({ kind, path }) => {
        // Before the switch, a new file has got its header and its records.
        if (kind === "write" && path.endsWith(".seg") && !there.has(path.slice(-12))) writes++;
        if (kind !== "rename" || !path.endsWith("MANIFEST") || writes < 2) return;
        failures++;
        throw new Error("no space left");
      };
      await assertCode(store.compact(), "IO");
      heal(context);
      assert(failures > 0);
      assertEquals(contents(store), expected);
      // Enough for a rotation, and so for a MANIFEST that is replaced.
      await fill(store, 60, "third ".repeat(20));
      const later = contents(store);
      assertEquals(contents(await context.reopenAfterKill(SMALL)), later);
    },
  },
  {
    name: "compact: a damaged record rejects with CORRUPT, and the damaged segment stays",
    async run(context) {
      const store = await context.open(SMALL);
      await store.set("needle", "the needle in here");
      await fillTwice(store, 30);
      const restore = damage(context, "the needle in here");
      const error = await assertCode(store.compact(), "CORRUPT");
      assert(context.segments().includes(error.file!), error.message);
      restore();
      await store.compact();
      assertEquals(store.get("needle"), "the needle in here");
    },
  },
  {
    name: "automatic compaction: keeps the disk bounded under endless overwriting",
    async run(context) {
      const store = await context.open(EAGER);
      for (let round = 0; round < 30; round++) {
        await fill(store, 30, `round ${round} `.repeat(10));
        await turns(2);
      }
      await until(() => store.stats().diskBytes < 40_000, "automatic compaction has caught up");
      assert(store.stats().compactions > 0);
      assertEquals([store.size, store.get("key 00007")], [30, "round 29 ".repeat(10)]);
    },
  },
  {
    name: "automatic compaction: auto false never compacts",
    async run(context) {
      const store = await context.open({ ...EAGER, compaction: { ...EAGER.compaction, auto: false } });
      await fillTwice(store, 200);
      await turns(5);
      assertEquals(store.stats().compactions, 0);
    },
  },
  {
    name: "automatic compaction: its errors go to onError and stats, never anywhere else",
    async run(context) {
      const errors: Error[] = [];
      const onError = (error: Error) => {
        errors.push(error);
        throw new Error("the callback's own exception goes nowhere");
      };
      const store = await context.open({ ...EAGER, onError });
      const release = holdSyncs(context);
      context.platform.onOperation = ({ kind, path }) => {
        if (kind === "read" && path.endsWith("00000001.seg")) throw new Error("a bad sector");
      };
      const writes = Promise.all([fill(store, 30), fill(store, 30, "w".repeat(100)), fill(store, 30)]);
      release();
      await writes;
      await until(() => errors.length > 0, "onError was called");
      assert(errors[0]!.message.includes("bad sector"), errors[0]!.message);
      assertEquals(store.stats().lastCompactionError, errors.at(-1));
      context.platform.onOperation = undefined;
      await store.compact();
      assertEquals([store.size, store.stats().lastCompactionError], [30, undefined]);
    },
  },
];
