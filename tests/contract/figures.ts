/** stats(), verify() and backup(). */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Progress } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import {
  assertCode,
  bytes,
  contents,
  damage,
  fill,
  holdSyncs,
  MANUAL,
  outcomes,
  SMALL,
  turns,
} from "./support/helpers.ts";

const MEBIBYTE = 1024 * 1024;

export const figureCases: Case[] = [
  {
    name: "stats: exact bytes of every kind of record",
    async run(context) {
      const store = await context.open(MANUAL);
      const { keys, liveBytes, staleBytes, tombstoneBytes, segments, diskBytes } = store.stats();
      assertEquals([keys, liveBytes, staleBytes, tombstoneBytes, segments, diskBytes], [0, 0, 0, 0, 0, 0]);
      const options = { durability: "write" } as const;
      await store.batch(
        [{ type: "set", key: "a", value: "b" }, { type: "set", key: "é", value: bytes(1, 2) }],
        options,
      );
      let stats = store.stats();
      assertEquals([stats.keys, stats.liveBytes, stats.staleBytes, stats.tombstoneBytes], [2, 26 + 28, 0, 0]);
      await store.set("a", { x: 1 }, options);
      stats = store.stats();
      assertEquals([stats.keys, stats.liveBytes, stats.staleBytes, stats.tombstoneBytes], [2, 32 + 28, 26, 0]);
      await store.delete("é", options);
      stats = store.stats();
      assertEquals([stats.keys, stats.liveBytes, stats.staleBytes, stats.tombstoneBytes], [1, 32, 26 + 28, 26]);
      assertEquals([stats.segments, stats.diskBytes], [1, 44 + 32 + 26 + 28 + 26]);
    },
  },
  {
    name: "stats: plain data, diskBytes as the files have it",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 100);
      await fill(store, 50, "w");
      const stats = store.stats();
      assertEquals({ ...structuredClone(stats) }, stats);
      const sizes = context.segments().map((name) => context.readFile(name).length);
      assertEquals([stats.segments, stats.diskBytes], [sizes.length, sizes.reduce((sum, size) => sum + size, 0)]);
      assertEquals(stats.diskBytes - 44 * stats.segments, stats.liveBytes + stats.staleBytes + stats.tombstoneBytes);
      assert(stats.indexBytes > 0 && stats.lastSequence >= 150 && stats.syncs > 0);
    },
  },
  {
    name: "stats: pending and unsynced bytes",
    async run(context) {
      const store = await context.open(MANUAL);
      const release = holdSyncs(context);
      const write = store.set("a", "b");
      assertEquals([store.stats().pendingBytes, store.stats().unsyncedBytes], [26, 0]);
      await turns(1);
      assertEquals([store.stats().pendingBytes, store.stats().unsyncedBytes], [0, 26]);
      release();
      await write;
      assertEquals([store.stats().pendingBytes, store.stats().unsyncedBytes], [0, 0]);
    },
  },
  {
    name: "stats: the same after reopening, after death, and for a reader",
    async run(context) {
      let store = await context.open(SMALL);
      await fill(store, 100);
      await fill(store, 50, "w");
      await store.delete("key 00003");
      const { keys, liveBytes } = store.stats();
      const { tombstoneBytes } = store.stats();
      for (const next of ["reopen", "kill", "reader"]) {
        if (next === "kill") store = await context.reopenAfterKill(SMALL);
        else if (next === "reopen") store = await context.reopen(store, SMALL);
        else store = await context.open({ readOnly: true });
        const stats = store.stats();
        assertEquals([stats.keys, stats.liveBytes, stats.tombstoneBytes], [keys, liveBytes, tombstoneBytes], next);
      }
    },
  },
  {
    name: "verify: of an open store finds nothing while it is written to, and takes part of it",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 500);
      const verified = store.verify();
      const writes = [fill(store, 200, "w"), store.clear(), fill(store, 10, "z")];
      assertEquals((await verified).problems, []);
      await Promise.all(writes);
    },
  },
  {
    name: "verify: names file, offset, length, reason and key of damage, and whether an older version is left",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", "first version");
      await store.set("b", "only version");
      await store.set("a", "second version");
      // Until another group follows, damage at the end cannot be told from a torn write by the files alone.
      await store.set("c", 1);
      for (const [value, key, olderVersion] of [["second version", "a", true], ["only version", "b", false]] as const) {
        const restore = damage(context, value);
        for (const { problems } of [await store.verify(), await context.verify()]) {
          const [problem] = problems;
          assertEquals([problems.length, problem!.key, problem!.olderVersion], [1, key, olderVersion]);
          assert(context.segments().includes(problem!.file) && problem!.offset > 0 && problem!.length > value.length);
          assert(problem!.reason.length > 0);
        }
        restore();
      }
    },
  },
  {
    name: "verify: an abort rejects with the reason, a callback's exception comes out",
    async run(context) {
      const store = await context.open(MANUAL);
      for (const key of ["a", "b", "c"]) await store.set(key, new Uint8Array(3 * MEBIBYTE));
      const reason = { my: "reason" };
      assertEquals(await store.verify({ signal: AbortSignal.abort(reason) }).catch((error) => error), reason);
      const own = new Error("mine");
      const onProgress = () => {
        throw own;
      };
      assertEquals(await assertRejects(() => store.verify({ onProgress })), own);
      const seen: Progress[] = [];
      await store.verify({ onProgress: (progress) => void seen.push(progress) });
      assert(seen.length > 0 && seen.every(({ doneBytes, totalBytes }) => doneBytes <= totalBytes));
      await store.clear();
      await store.compact();
    },
  },
  {
    name: "backup: of a live store opens with the same content, as of the call",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 300);
      await fill(store, 100, "w");
      await store.delete("key 00042");
      const pending = store.set("pending", 1);
      const expected = contents(store);
      const destination = `${context.root}/backup`;
      const backup = store.backup(destination);
      const later = [store.set("later", 1), store.clear(), store.compact()];
      assertEquals(await backup, undefined);
      await Promise.all([pending, ...later]);
      const copy = await context.open(SMALL, destination);
      assertEquals(copy.recovery.clean, true);
      assertEquals(copy.size, expected.length);
      assertEquals(contents(copy), expected);
      await copy.set("own", 1);
      assertEquals(store.size, 0);
    },
  },
  {
    name: "backup: survives a power cut right after it",
    needsPowerCut: true,
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 100);
      const expected = contents(store);
      await store.backup(`${context.root}/backup`);
      // As a backup leaves it whose process died before its directory was durable.
      context.platform.makeDirectory(`${context.root}/again`);
      await store.backup(`${context.root}/again`);
      await context.reopenAfterPowerCut();
      for (const name of ["backup", "again"]) {
        assertEquals(contents(await context.open({ create: false }, `${context.root}/${name}`)), expected, name);
      }
    },
  },
  {
    name: "backup: of an empty store, of a reader, and into an empty directory",
    async run(context) {
      const store = await context.open();
      await store.backup(`${context.root}/empty`);
      assertEquals((await context.open({ create: false }, `${context.root}/empty`)).size, 0);
      await store.set("a", 1);
      const reader = await context.open({ readOnly: true });
      context.platform.makeDirectory(`${context.root}/there`);
      await reader.backup(`${context.root}/there`);
      assertEquals(contents(await context.open({}, `${context.root}/there`)), [["a", 1]]);
    },
  },
  {
    name: "backup: a destination that is not empty is refused, and stays as it is",
    async run(context) {
      const store = await context.open();
      await store.set("a", 1);
      const files = context.files();
      assert((await assertCode(store.backup(context.directory), "IO")).message.includes("empty"));
      assertEquals(context.files(), files);
      await store.backup(`${context.root}/once`);
      assertEquals(await outcomes([store.backup(`${context.root}/once`)]), ["IO"]);
    },
  },
  {
    name: "backup: an abort or a callback's exception comes out, and what it leaves never opens",
    async run(context) {
      const store = await context.open({ ...MANUAL, segmentBytes: 4 * MEBIBYTE });
      for (const key of ["a", "b", "c"]) await store.set(key, new Uint8Array(3 * MEBIBYTE));
      const reason = { my: "reason" };
      const controller = new AbortController();
      const abort = { signal: controller.signal, onProgress: () => controller.abort(reason) };
      assertEquals(await store.backup(`${context.root}/one`, abort).catch((error) => error), reason);
      const own = new Error("mine");
      const onProgress = () => {
        throw own;
      };
      assertEquals(await assertRejects(() => store.backup(`${context.root}/two`, { onProgress })), own);
      assertEquals(
        await store.backup(`${context.root}/three`, { signal: AbortSignal.abort(reason) }).catch((e) => e),
        reason,
      );
      for (const name of ["one", "two"]) {
        const directory = `${context.root}/${name}`;
        await assertCode(context.openUnchecked({ create: false }, directory), "NOT_FOUND");
      }
      assertEquals(store.size, 3);
      await store.clear();
      await store.compact();
    },
  },
  {
    name: "backup: of a damaged store rejects with CORRUPT and never opens",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", "the value of a");
      const restore = damage(context, "the value of a");
      await assertCode(store.backup(`${context.root}/backup`), "CORRUPT");
      await assertCode(context.openUnchecked({ create: false }, `${context.root}/backup`), "NOT_FOUND");
      restore();
    },
  },
];
