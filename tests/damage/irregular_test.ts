/**
 * A store's directory that somebody else prepared: whatever its names lead to, nothing is followed out of it, nothing
 * waits, and every call says which name is wrong.
 */

import { existsSync } from "node:fs";
import { assertArrayIncludes, assertEquals, assertRejects } from "@std/assert";
import { KvStore, KvStoreError, repairStore, verifyStore } from "../../mod.ts";
import { everything, IRREGULAR } from "../support/irregular.ts";
import { canStartProcesses } from "../support/permissions.ts";

const OPTIONS = { create: false, segmentBytes: 16 * 1024, compaction: { auto: false } };
const KEYS = 1200;

/** Copies of one store, each with one name in the place of whose file is something else. */
class Copies implements Disposable {
  readonly #root = Deno.makeTempDirSync();
  #count = 0;

  async make(): Promise<this> {
    const store = await KvStore.open(`${this.#root}/0`, { ...OPTIONS, create: true });
    for (let i = 0; i < KEYS; i++) void store.set(`key ${i}`, i);
    await store.close();
    return this;
  }

  /** Runs `check` for each kind of entry in the place of a file. What was outside the directory must not change. */
  async each(name: string, check: (directory: string, kind: string, place: string) => Promise<void>): Promise<void> {
    for (const { kind, make } of IRREGULAR) {
      const outside = `${this.#root}/${++this.#count}`;
      const directory = `${outside}/store`;
      Deno.mkdirSync(directory, { recursive: true });
      for (const entry of Deno.readDirSync(`${this.#root}/0`)) {
        Deno.copyFileSync(`${this.#root}/0/${entry.name}`, `${directory}/${entry.name}`);
      }
      const place = `${directory}/${name}`;
      const target = `${outside}/target`;
      if (existsSync(place)) Deno.renameSync(place, target);
      else Deno.writeTextFileSync(target, "what a link leads to");
      const end = make(place, kind === "a symbolic link" && name === "LOCK" ? `${outside}/missing` : target);
      const before = everything(outside).filter((entry) => !entry.startsWith(directory));
      await check(directory, kind, place);
      assertEquals(everything(outside).filter((entry) => !entry.startsWith(directory)), before, `${name}: ${kind}`);
      end();
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#root, { recursive: true });
  }
}

function test(name: string, run: (copies: Copies) => Promise<void>): void {
  Deno.test({
    name: `irregular: ${name}`,
    ignore: !canStartProcesses || Deno.build.os === "windows",
    fn: async () => {
      using copies = await new Copies().make();
      await run(copies);
    },
  });
}

/** Asserts that a call says which name is wrong. */
async function assertNamed(call: Promise<unknown>, name: string, reason: string): Promise<void> {
  const { code, file, reason: given } = await assertRejects(() => call, KvStoreError);
  assertEquals([code, file, given], ["CORRUPT", name, reason]);
}

/** Asserts that a store opens, has so many keys, and can be written to, and that verify finds nothing wrong. */
async function assertOpens(directory: string, size: number): Promise<void> {
  for (let i = 0; i < 2; i++) {
    await using store = await KvStore.open(directory, OPTIONS);
    await store.set("key 0", i);
    assertEquals(store.size, size);
  }
  assertEquals((await verifyStore(directory)).problems, []);
}

/** Asserts that verify and a dry run list a name, and change nothing. */
async function assertListed(directory: string, name: string, reason: string): Promise<void> {
  const before = everything(directory);
  for (const { problems } of [await verifyStore(directory), await repairStore(directory, { dryRun: true })]) {
    assertArrayIncludes(problems.map((problem) => `${problem.file}: ${problem.reason}`), [`${name}: ${reason}`]);
  }
  assertEquals(everything(directory), before);
}

for (const isLast of [false, true]) {
  test(`${isLast ? "the last" : "a sealed"} segment is a problem of its own, and repair goes on without it`, async (copies) => {
    const name = isLast ? "00000002.seg" : "00000001.seg";
    await copies.each(name, async (directory, kind) => {
      const reason = `it is ${kind}, not a regular file`;
      for (const readOnly of [false, true]) {
        await assertNamed(KvStore.open(directory, { ...OPTIONS, readOnly }), name, reason);
      }
      await assertListed(directory, name, reason);
      const { movedAside, keptRecords } = await repairStore(directory);
      assertEquals(movedAside, kind === "a directory" ? [] : [`damaged/${name}`]);
      await assertOpens(directory, keptRecords + (isLast ? 0 : 1));
    });
  });
}

test("a MANIFEST is made anew from the segments", async (copies) => {
  await copies.each("MANIFEST", async (directory, kind) => {
    const reason = `it is ${kind}, not a regular file`;
    for (const readOnly of [false, true]) {
      await assertNamed(KvStore.open(directory, { ...OPTIONS, readOnly }), "MANIFEST", reason);
    }
    await assertListed(directory, "MANIFEST", reason);
    // A directory may hold anything, so it is not replaced.
    if (kind === "a directory") return void await assertRejects(() => repairStore(directory), KvStoreError, "MANIFEST");
    assertEquals((await repairStore(directory)).movedAside, ["damaged/MANIFEST"]);
    await assertOpens(directory, KEYS);
  });
});

test("a segment without a MANIFEST is listed, and no reason to wait", async (copies) => {
  await copies.each("00000001.seg", async (directory, kind) => {
    Deno.removeSync(`${directory}/MANIFEST`);
    await assertListed(directory, "00000001.seg", `it is ${kind}, not a regular file`);
  });
});

test("derived and temporary files are replaced", async (copies) => {
  for (const name of ["INDEX", "INDEX.tmp", "INDEX.old", "RESERVE", "RESERVE.tmp", "MANIFEST.tmp"]) {
    await copies.each(name, async (directory, kind) => {
      if (kind === "a directory" && name === "MANIFEST.tmp") {
        await assertRejects(() => assertOpens(directory, KEYS), KvStoreError, name);
      } else await assertOpens(directory, KEYS);
    });
  }
});

test("a LOCK keeps writers out, and nobody else", async (copies) => {
  await copies.each("LOCK", async (directory, kind) => {
    const reason = `it is ${kind}, not a regular file`;
    const before = everything(directory);
    await assertNamed(KvStore.open(directory, OPTIONS), "LOCK", reason);
    await assertNamed(KvStore.open(directory, { ...OPTIONS, recovery: "salvage" }), "LOCK", reason);
    await assertNamed(repairStore(directory), "LOCK", reason);
    await using store = await KvStore.open(directory, { ...OPTIONS, readOnly: true });
    assertEquals(store.get("key 7"), 7);
    const { problems } = await verifyStore(directory);
    assertEquals(problems.map(({ file, reason }) => `${file}: ${reason}`), [
      `LOCK: ${reason}: nobody can lock it; remove it`,
    ]);
    assertEquals((await repairStore(directory, { dryRun: true })).problems, []);
    assertEquals(everything(directory), before);
  });
});

test("repair writes nowhere but into a directory named damaged", async (copies) => {
  await copies.each("damaged", async (directory, kind) => {
    Deno.truncateSync(`${directory}/00000001.seg`, 5000);
    if (kind === "a directory") return void await repairStore(directory);
    for (const dryRun of [true, false]) {
      const before = everything(directory).filter((entry) => !entry.includes("/LOCK "));
      await assertNamed(repairStore(directory, { dryRun }), "damaged", `it is ${kind}, not a directory: move it away`);
      assertEquals(everything(directory).filter((entry) => !entry.includes("/LOCK ")), before);
    }
  });
});

test("what is in the folder damaged already is left alone, and not waited for", async (copies) => {
  await copies.each("damaged.seg", async (directory, kind, place) => {
    Deno.truncateSync(`${directory}/00000001.seg`, 5000);
    Deno.mkdirSync(`${directory}/damaged`);
    Deno.renameSync(place, `${directory}/damaged/00000001.seg`);
    assertEquals((await repairStore(directory)).movedAside, ["damaged/00000001.seg.1"]);
    assertEquals((await verifyStore(directory)).problems, [], kind);
  });
});

test("a dry run writes nothing at all, whatever it finds", async (copies) => {
  await copies.each("other", async (directory) => {
    Deno.truncateSync(`${directory}/00000001.seg`, 5000);
    for (const hasLock of [true, false]) {
      if (!hasLock) Deno.removeSync(`${directory}/LOCK`);
      const before = everything(directory);
      assertEquals((await repairStore(directory, { dryRun: true })).movedAside, ["damaged/00000001.seg"]);
      assertEquals(everything(directory), before);
    }
  });
});
