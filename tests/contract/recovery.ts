/** What a crash leaves, and verifyStore, repairStore and salvage. */

import { assert, assertEquals } from "@std/assert";
import type { Case, Context } from "./support/context.ts";
import { assertCode, bytes, contents, damage, fill, flip, locate, MANUAL, SMALL } from "./support/helpers.ts";

/** Three records, and bytes behind them that are none. */
async function leaveTornTail(context: Context, tail: Uint8Array): Promise<void> {
  const store = await context.open(MANUAL);
  for (const key of ["a", "b", "c"]) await store.set(key, 1, { durability: "write" });
  context.kill();
  const [name] = context.segments();
  context.replaceFile(name!, bytes(...context.readFile(name!), ...tail));
}

/** Damages the newest version of "a", whose older one is intact. */
async function damageNewest(context: Context): Promise<void> {
  const store = await context.open(MANUAL);
  await store.set("a", "the first version");
  await store.set("b", "another key");
  await store.set("a", "the second version");
  await store.close();
  damage(context, "the second version");
}

export const recoveryCases: Case[] = [
  {
    name: "recovery: a torn tail is reported with bytes, segment and reason, and only once",
    async run(context) {
      await leaveTornTail(context, bytes(1, 2, 3, 4, 5, 6, 7));
      const notes = (await context.verify()).notes;
      assert(notes.some(({ length, reason }) => length === 7 && reason.includes("torn")), JSON.stringify(notes));
      let store = await context.open(MANUAL);
      const { reason, ...rest } = store.recovery;
      const counts = { discardedBytes: 7, discardedRecords: 0, recoveredRecords: 3 };
      assertEquals(rest, { clean: false, ...counts, segment: "00000001.seg" });
      assert(reason !== undefined && reason.length > 0);
      assertEquals(contents(store), [["a", 1], ["b", 1], ["c", 1]]);
      store = await context.reopen(store, MANUAL);
      assertEquals([store.recovery.clean, store.recovery.discardedBytes], [true, 0]);
      assertEquals(contents(store), [["a", 1], ["b", 1], ["c", 1]]);
    },
  },
  {
    name: "recovery: an all-zero tail is no record",
    async run(context) {
      await leaveTornTail(context, new Uint8Array(5000));
      const store = await context.open(MANUAL);
      assertEquals([store.size, store.recovery.discardedBytes], [3, 5000]);
    },
  },
  {
    name: "recovery: writing, dying and opening again many times loses nothing",
    async run(context) {
      const expected: [string, number][] = [];
      let store = await context.open(SMALL);
      for (let i = 0; i < 8; i++) {
        await store.set(`k${i}`, i, { durability: i % 2 === 0 ? "sync" : "write" });
        expected.push([`k${i}`, i]);
        store = await context.reopenAfterKill(SMALL);
        assertEquals(contents(store), expected);
      }
    },
  },
  {
    name: "recovery: a sequence number that was given out is never given out again",
    async run(context) {
      let store = await context.open(MANUAL);
      let highest = 0;
      for (let i = 0; i < 4; i++) {
        await store.set("a", i);
        assert(store.stats().lastSequence > highest);
        highest = store.stats().lastSequence;
        store = i % 2 === 0 ? await context.reopenAfterKill(MANUAL) : await context.reopen(store, MANUAL);
        assert(store.stats().lastSequence >= highest || i % 2 === 0);
      }
    },
  },
  {
    name: "derived files: deleted, damaged or stale, the contents are the same",
    async run(context) {
      let store = await context.open(MANUAL);
      await fill(store, 1500);
      await store.close();
      const derived = context.files().filter((name) => !/^(MANIFEST|LOCK|\d+\.seg)$/.test(name));
      assertEquals(derived, ["INDEX", "RESERVE"]);
      const stale = derived.map((name) => context.readFile(name));
      store = await context.open(MANUAL);
      await fill(store, 1200, "second");
      await store.delete("key 00007");
      await store.clear();
      await fill(store, 1200, "third");
      const expected = contents(store);
      await store.close();
      const harms = derived.flatMap((name, i) => [
        () => context.platform.inner.remove(`${context.directory}/${name}`),
        () => context.replaceFile(name, stale[i]!),
        () => context.replaceFile(name, stale[i]!.slice(0, stale[i]!.length / 2)),
        () => flip(context, name, Math.floor(context.readFile(name).length / 3)),
        () => context.replaceFile(name, bytes()),
      ]);
      for (const harm of harms) {
        harm();
        assertEquals((await context.verify()).problems, []);
        const reader = await context.open({ readOnly: true });
        assertEquals(contents(reader), expected);
        await reader.close();
        store = await context.open(MANUAL);
        assertEquals(contents(store), expected);
        await store.close();
      }
    },
  },
  {
    name: "verifyStore: beside a writer, and on a store that open refuses",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 100);
      assertEquals((await context.verify()).problems, []);
      await store.close();
      const restore = flip(context, context.segments()[0]!, 20);
      await assertCode(context.open(), "CORRUPT");
      const { problems } = await context.verify();
      assertEquals([problems.length, problems[0]!.file], [1, context.segments()[0]]);
      restore();
    },
  },
  {
    name: "verifyStore, repairStore: where there is no store they reject with NOT_FOUND and create nothing",
    async run(context) {
      await assertCode(context.verify(), "NOT_FOUND");
      await assertCode(context.repair(), "NOT_FOUND");
      assertEquals(context.files(context.root), []);
    },
  },
  {
    name: "verifyStore: strays and derived files that do not fit are notes",
    async run(context) {
      await (await context.open()).set("a", 1);
      context.replaceFile("stray.txt", bytes("x"));
      const { problems, notes } = await context.verify();
      assertEquals([problems, notes.map(({ file }) => file)], [[], ["stray.txt"]]);
    },
  },
  {
    name: "repairStore: dryRun says what would be done and changes nothing",
    async run(context) {
      await damageNewest(context);
      const before = context.image();
      const report = await context.repair({ dryRun: true });
      assertEquals([report.lostKeys, report.problems.length, report.movedAside.length], [["a"], 1, 1]);
      assertEquals(context.image(), before);
      assertEquals(context.files().includes("damaged"), false);
      assertEquals(await context.repair(), report);
    },
  },
  {
    name:
      "repairStore: keeps what is readable, lists what is lost, moves the damaged file aside, revives nothing older",
    async run(context) {
      await damageNewest(context);
      const { name } = locate(context, "another key");
      const damaged = context.readFile(name);
      const report = await context.repair();
      assertEquals([report.lostKeys, report.problems[0]!.olderVersion], [["a"], true]);
      assertEquals(report.movedAside, [`damaged/${name}`]);
      assertEquals(context.readFile(report.movedAside[0]!), damaged);
      let store = await context.open(MANUAL);
      assertEquals(contents(store), [["b", "another key"]]);
      await store.compact();
      store = await context.reopen(store, MANUAL);
      assertEquals(contents(store), [["b", "another key"]]);
    },
  },
  {
    name: "repairStore: of a damaged header it names the sequence numbers that are missing",
    async run(context) {
      const store = await context.open(MANUAL);
      for (const key of ["a", "b", "c"]) await store.set(key, `value of ${key}`);
      await store.close();
      const { name, offset } = locate(context, "value of b");
      flip(context, name, offset - 1);
      await assertCode(context.open(), "CORRUPT");
      const report = await context.repair();
      assertEquals([report.lostKeys, report.lostSequences.length], [[], 1]);
      assertEquals(contents(await context.open()), [["a", "value of a"], ["c", "value of c"]]);
    },
  },
  {
    name: "repairStore: puts a lost or damaged MANIFEST together from the segments",
    async run(context) {
      for (const harm of ["missing", "damaged"]) {
        const store = await context.open(SMALL);
        await fill(store, 100);
        await fill(store, 50, harm);
        await store.delete("key 00099");
        await store.compact();
        const expected = contents(store);
        await store.close();
        if (harm === "missing") context.platform.inner.remove(`${context.directory}/MANIFEST`);
        else flip(context, "MANIFEST", 30);
        await assertCode(context.open(), "CORRUPT");
        const report = await context.repair();
        assertEquals([report.lostKeys, report.lostSequences, report.problems.length], [[], [], 1]);
        const again = await context.open(SMALL);
        assertEquals(contents(again), expected);
        await again.close();
      }
    },
  },
  {
    name: "repairStore: a manifest put back from a copy is refused, and what was written since is kept",
    async run(context) {
      let store = await context.open(MANUAL);
      await store.set("a", "first");
      await store.close();
      const older = context.readFile("MANIFEST");
      store = await context.open(MANUAL);
      await store.set("a", "second");
      await store.close();
      context.replaceFile("MANIFEST", older);
      await assertCode(context.open(MANUAL), "CORRUPT");
      await assertCode(context.open({ readOnly: true }), "CORRUPT");
      assertEquals((await context.verify()).problems.map(({ file }) => file), ["MANIFEST"]);
      assertEquals((await context.repair()).movedAside, ["damaged/MANIFEST"]);
      assertEquals(contents(await context.open(MANUAL)), [["a", "second"]]);
    },
  },
  {
    name: "repairStore: finds segments that were renamed or swapped",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 100);
      const expected = contents(store);
      await store.close();
      const [one, other] = context.segments() as [string, string];
      const [first, second] = [context.readFile(one), context.readFile(other)];
      context.replaceFile(one, second);
      context.replaceFile(other, first);
      await assertCode(context.open(SMALL), "CORRUPT");
      const { problems } = await context.verify();
      assertEquals(problems.map(({ file, reason }) => [file, reason.split("; ")[1]]), [
        [one, `it is ${other}`],
        [other, `it is ${one}`],
      ]);
      const { lostKeys, lostSequences, movedAside } = await context.repair();
      assertEquals([lostKeys, lostSequences, movedAside], [[], [], [`damaged/${one}`, `damaged/${other}`]]);
      assertEquals(contents(await context.open(SMALL)), expected);
    },
  },
  {
    name: "repairStore: an intact store is left as it is",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 100);
      await store.close();
      const before = context.image();
      const { keptRecords, ...report } = await context.repair();
      assertEquals(report, { problems: [], lostKeys: [], lostSequences: [], movedAside: [] });
      assertEquals([keptRecords >= 100, context.image()], [true, before]);
    },
  },
  {
    name: "open with salvage: repairs first and says so in recovery; strict refuses",
    async run(context) {
      await damageNewest(context);
      const { name, offset } = locate(context, "another key");
      flip(context, name, offset - 1);
      await assertCode(context.open({ recovery: "strict" }), "CORRUPT");
      const store = await context.open({ recovery: "salvage" });
      assertEquals(store.recovery.salvaged?.lostKeys, ["a"]);
      assertEquals([store.size, store.recovery.salvaged!.problems.length], [0, 2]);
      await store.set("a", "new");
      assertEquals(contents(await context.reopen(store)), [["a", "new"]]);
    },
  },
  {
    name: "open with salvage: on a new and on an intact store has nothing to do",
    async run(context) {
      const store = await context.open({ recovery: "salvage" });
      await store.set("a", 1);
      const again = await context.reopen(store, { recovery: "salvage" });
      assertEquals([again.recovery.salvaged, again.recovery.clean, again.get("a")], [undefined, true, 1]);
    },
  },
];
