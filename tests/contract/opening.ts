/** open(): creating, options, the lock, and directories that hold something else. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvStore, KvStoreError, type OpenOptions } from "../../mod.ts";
import { crc32 } from "../../src/platform/checksum.ts";
import type { Case, Context } from "./support/context.ts";
import { assertCode, assertRefused, bytes, contents, damage, flip, MANUAL, SMALL } from "./support/helpers.ts";

/** A store with two keys, closed. */
async function storeWithTwoKeys(context: Context): Promise<void> {
  const store = await context.open(MANUAL);
  await store.batch([{ type: "set", key: "a", value: "value a" }, { type: "set", key: "b", value: "value b" }]);
  await store.close();
}

/** Opening must fail with CORRUPT, hold nothing and change nothing but LOCK. */
async function assertOpenIsCorrupt(context: Context, file: string): Promise<void> {
  const before = context.image();
  const error = await assertCode(context.open(), "CORRUPT");
  assertEquals([error.file, typeof error.offset, typeof error.reason], [file, "number", "string"]);
  assert(error.message.includes(file), error.message);
  assertEquals(context.platform.held, 0);
  assertEquals(context.image(), before);
}

export const openingCases: Case[] = [
  {
    name: "open: creates the store and the directories above it",
    async run(context) {
      const directory = `${context.root}/some/where/deep`;
      const store = await context.open({}, directory);
      await store.set("a", 1);
      await store.close();
      assertEquals(contents(await context.open({ create: false }, directory)), [["a", 1]]);
    },
  },
  {
    name: "open: a new store survives a power cut, with its directory",
    needsPowerCut: true,
    async run(context) {
      await (await context.open()).set("a", 1);
      const store = await context.reopenAfterPowerCut({}, { create: false });
      assertEquals(contents(store), [["a", 1]]);
    },
  },
  {
    name: "open: the directories above a new store survive a power cut",
    needsPowerCut: true,
    async run(context) {
      const directory = `${context.root}/some/where/deep`;
      await (await context.open(MANUAL, directory)).set("a", 1);
      await context.reopenAfterPowerCut();
      assertEquals(contents(await context.open({ create: false }, directory)), [["a", 1]]);
    },
  },
  {
    name: "open: of a new and of a cleanly closed store has nothing to recover",
    async run(context) {
      let store = await context.open();
      const nothing = { clean: true, discardedBytes: 0, discardedRecords: 0, recoveredRecords: 0 };
      assertEquals(store.recovery, nothing);
      await store.set("a", 1);
      store = await context.reopen(store);
      assertEquals(store.recovery, nothing);
    },
  },
  {
    name: "open: with create false an absent store is NOT_FOUND, and nothing is created",
    async run(context) {
      for (const options of [{ create: false }, { readOnly: true }, { readOnly: true, create: true }]) {
        await assertCode(context.open(options), "NOT_FOUND");
        assertEquals(context.files(context.root), []);
      }
      context.replaceFile("notes.txt", bytes("not ours"));
      for (const options of [{ create: false }, { readOnly: true }]) {
        const error = await assertCode(context.open(options), "NOT_FOUND");
        assert(error.message.includes(context.directory), error.message);
        assertEquals(context.files(), ["notes.txt"]);
      }
    },
  },
  {
    name: "open: a LOCK or an unfinished temporary alone is a creation cut off, and is begun anew",
    async run(context) {
      for (const left of [["LOCK"], ["MANIFEST.tmp"], ["LOCK", "MANIFEST.tmp"]]) {
        for (const name of left) context.replaceFile(name, bytes("half"));
        await assertCode(context.open({ readOnly: true }), "NOT_FOUND");
        await assertCode(context.open({ create: false }), "NOT_FOUND");
        const store = await context.open();
        await store.set("a", 1);
        assertEquals(contents(await context.reopen(store)), [["a", 1]]);
        context.kill();
        for (const name of context.files()) context.platform.inner.remove(`${context.directory}/${name}`);
      }
      await (await context.open()).close();
    },
  },
  {
    name: "open: segments without a MANIFEST are CORRUPT, and stay as they are",
    async run(context) {
      await storeWithTwoKeys(context);
      const manifest = context.readFile("MANIFEST");
      context.platform.inner.remove(`${context.directory}/MANIFEST`);
      await assertOpenIsCorrupt(context, "MANIFEST");
      await assertCode(context.open({ readOnly: true }), "CORRUPT");
      context.replaceFile("MANIFEST", manifest);
      assertEquals((await context.open()).size, 2);
    },
  },
  {
    name: "open: a damaged MANIFEST, segment header or record header is CORRUPT and names file, offset and reason",
    async run(context) {
      await storeWithTwoKeys(context);
      const [segment] = context.segments();
      for (const [name, offset] of [["MANIFEST", 50], [segment!, 20], [segment!, 60]] as const) {
        const restore = flip(context, name, offset);
        await assertOpenIsCorrupt(context, name);
        restore();
      }
      assertEquals((await context.open()).size, 2);
    },
  },
  {
    name: "open: a segment that is missing or too short is CORRUPT",
    async run(context) {
      await storeWithTwoKeys(context);
      const [segment] = context.segments();
      const whole = context.readFile(segment!);
      context.replaceFile(segment!, whole.slice(0, -1));
      await assertOpenIsCorrupt(context, segment!);
      context.platform.inner.remove(`${context.directory}/${segment}`);
      await assertOpenIsCorrupt(context, segment!);
      context.replaceFile(segment!, whole);
      assertEquals((await context.open()).size, 2);
    },
  },
  {
    name: "open: a damaged value is met where it is read, not at opening",
    async run(context) {
      await storeWithTwoKeys(context);
      const restore = damage(context, "value a");
      const store = await context.open(MANUAL);
      assertEquals([store.has("a"), store.get("b")], [true, "value b"]);
      const found = await Promise.resolve().then(() => store.get("a")).catch((error) => error);
      assert(found instanceof KvStoreError && found.code === "CORRUPT");
      restore();
      assertEquals(store.get("a"), "value a");
    },
  },
  {
    name: "open: a store of a newer format version is FORMAT",
    async run(context) {
      await storeWithTwoKeys(context);
      const manifest = context.readFile("MANIFEST");
      for (const [at, what] of [[8, "version"], [12, "feature"]] as const) {
        const newer = manifest.slice();
        newer[at] = 2;
        new DataView(newer.buffer).setUint32(newer.length - 4, crc32(newer.subarray(0, -4)), true);
        context.replaceFile("MANIFEST", newer);
        for (const options of [{}, { readOnly: true }]) {
          const error = await assertCode(context.open(options), "FORMAT");
          assert(error.message.includes(what), error.message);
        }
      }
      context.replaceFile("MANIFEST", manifest);
    },
  },
  {
    name: "open: sequence numbers that a power cut lost are not used again",
    needsPowerCut: true,
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1);
      for (let i = 0; i < 10; i++) await store.set("b", i, { durability: "write" });
      // Whoever reads beside the writer has seen it.
      const { lastSequence } = store.stats();
      const again = await context.reopenAfterPowerCut({}, MANUAL);
      assertEquals(contents(again), [["a", 1]]);
      await again.set("b", "again");
      assert(again.stats().lastSequence > lastSequence);
    },
  },
  {
    name: "open: files that are not the store's are left alone",
    async run(context) {
      const store = await context.open(SMALL);
      await store.set("a", 1);
      context.replaceFile("notes.txt", bytes("mine"));
      context.replaceFile("00000777.seg", bytes("not a segment of this store"));
      await context.reopen(store);
      assert(context.files().includes("notes.txt") && context.files().includes("00000777.seg"));
    },
  },
  {
    name: "open: a directory that is a file is an IO error with its cause",
    async run(context) {
      context.replaceFile("file", bytes("x"));
      const error = await assertCode(KvStore.openOn(context.platform, `${context.directory}/file`, {}), "IO");
      assert(typeof (error.cause as Error).message === "string");
    },
  },
  {
    name: "open: a relative or missing directory name never throws synchronously",
    async run(context) {
      for (const wrong of ["", undefined, null, 5, {}]) {
        await assertRefused(() => KvStore.openOn(context.platform, wrong as string, {}), TypeError, "directory");
        await assertRefused(() => KvStore.open(wrong as string), TypeError, "directory");
      }
    },
  },
  {
    name: "open: unknown options and wrong values are refused by name before anything is created",
    async run(context) {
      const types: [unknown, string][] = [
        [{ readonly: true }, "readonly"],
        [{ compaction: { ratio: 1 } }, "ratio"],
        [{ create: 1 }, "create"],
        [{ readOnly: "yes" }, "readOnly"],
        [{ durability: "none" }, '"sync" or "write"'],
        [{ recovery: "lenient" }, '"strict" or "salvage"'],
        [{ onError: "log" }, "onError"],
        [{ compaction: { auto: 0 } }, "auto"],
        [null, "options"],
        ["x", "options"],
      ];
      for (const [options, message] of types) {
        await assertRefused(() => context.open(options as OpenOptions ?? null), TypeError, message);
      }
      const ranges: [OpenOptions, string][] = [
        [{ segmentBytes: 4095 }, "4096"],
        [{ segmentBytes: 5000.5 }, "segmentBytes"],
        [{ segmentBytes: Infinity }, "segmentBytes"],
        [{ compaction: { staleRatio: 0 } }, "staleRatio"],
        [{ compaction: { staleRatio: 1.1 } }, "staleRatio"],
        [{ compaction: { minStaleBytes: -1 } }, "minStaleBytes"],
      ];
      for (const [options, message] of ranges) {
        const error = await assertRejects(() => context.open(options));
        assert(error instanceof RangeError && error.message.includes(message), String(error));
      }
      assertEquals(context.files(context.root), []);
    },
  },
];
