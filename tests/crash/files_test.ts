/**
 * Files of a store that are missing, doubled, swapped, empty, from an older copy, or not the store's at all: what
 * cannot be right is refused, what is not ours is neither read nor removed.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { verifyOn } from "../../src/store/verify.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { copyOf, newMachine } from "./disk.ts";
import { codeOf, contentsOf } from "./history.ts";
import { longSample, type Sample, stateOf } from "./samples.ts";
import { assertIntact, DIRECTORY, OPTIONS } from "./scenario.ts";

const FIRST = `${DIRECTORY}/00000001.seg`;
const SECOND = `${DIRECTORY}/00000002.seg`;
const LAST = `${DIRECTORY}/00000003.seg`;
const MANIFEST = `${DIRECTORY}/MANIFEST`;

/** Opening must refuse, for reading too, and verify must name the file. */
async function assertRefused(platform: MemoryPlatform, file: string, where: string): Promise<void> {
  for (const readOnly of [true, false]) {
    const code = await KvStore.openOn(platform, DIRECTORY, { ...OPTIONS, readOnly }).then(() => "opened", codeOf);
    assertEquals(code, "CORRUPT", `${where}, readOnly: ${readOnly}`);
  }
  const { problems } = await verifyOn(platform, DIRECTORY, {});
  assert(problems.some((problem) => file.endsWith(problem.file)), `${where}: verify names ${file}`);
}

/** Opening must give the contents, and go on. Returns the notes of verify. */
async function assertSame(platform: MemoryPlatform, sample: Sample, where: string): Promise<string[]> {
  const { problems, notes } = await verifyOn(platform, DIRECTORY, {});
  assertEquals(problems, [], where);
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  assertEquals(contentsOf(store), stateOf(sample.writes), where);
  await store.set("~", "x".repeat(5000));
  await store.compact();
  await store.delete("~");
  await store.close();
  await assertIntact(platform, where);
  const again = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  assertEquals(contentsOf(again), stateOf(sample.writes), where);
  await again.close();
  return notes.map(({ file }) => file);
}

for (const isClean of [true, false]) {
  const name = isClean ? "closed cleanly" : "crashed";

  Deno.test(`missing, empty and swapped segments are refused: ${name}`, async () => {
    const sample = await longSample(isClean);
    for (const file of [FIRST, SECOND, LAST]) {
      const missing = copyOf(sample.platform);
      missing.remove(file);
      await assertRefused(missing, file, `${file} is missing`);
      const empty = copyOf(sample.platform);
      empty.writeFile(file, new Uint8Array(0));
      await assertRefused(empty, file, `${file} is empty`);
      const zeros = copyOf(sample.platform);
      zeros.writeFile(file, new Uint8Array(zeros.readFile(file).length));
      await assertRefused(zeros, file, `${file} is all zeros`);
      for (const other of [FIRST, SECOND, LAST].filter((path) => path !== file)) {
        const doubled = copyOf(sample.platform);
        doubled.writeFile(file, doubled.readFile(other));
        await assertRefused(doubled, file, `${other} in place of ${file}`);
      }
    }
    const swapped = copyOf(sample.platform);
    swapped.writeFile(FIRST, sample.platform.readFile(SECOND));
    swapped.writeFile(SECOND, sample.platform.readFile(FIRST));
    await assertRefused(swapped, FIRST, "two segments swapped");
  });

  Deno.test(`swapped and repeated pages are refused or met: ${name}`, async () => {
    const sample = await longSample(isClean);
    const bytes = sample.platform.readFile(FIRST);
    for (let from = 0; from + 1024 <= bytes.length; from += 512) {
      const platform = copyOf(sample.platform);
      const changed = bytes.slice();
      changed.set(bytes.subarray(from, from + 512), from + 512);
      changed.set(bytes.subarray(from + 512, from + 1024), from);
      platform.writeFile(FIRST, changed);
      await assertRefused(platform, FIRST, `pages at ${from} swapped`);
    }
  });

  Deno.test(`a missing manifest is refused, and salvage puts one together: ${name}`, async () => {
    const sample = await longSample(isClean);
    const platform = copyOf(sample.platform);
    platform.remove(MANIFEST);
    await assertRefused(platform, MANIFEST, "MANIFEST is missing");
    const store = await KvStore.openOn(platform, DIRECTORY, { ...OPTIONS, recovery: "salvage" });
    assertEquals(contentsOf(store), stateOf(sample.writes));
    await store.close();
    await assertIntact(platform, "a new manifest");
  });

  Deno.test(`strays are neither read nor removed: ${name}`, async () => {
    const sample = await longSample(isClean);
    const other = newMachine();
    const store = await KvStore.openOn(other, DIRECTORY, OPTIONS);
    await store.set("key 8", "of another store");
    await store.close();
    const strays: Record<string, Uint8Array> = {
      "00000004.seg": other.readFile(FIRST),
      "00000077.seg": new Uint8Array(0),
      "00000078.seg": new Uint8Array(500),
      "00000079.seg": sample.platform.readFile(FIRST),
      "00000080.seg.bak": sample.platform.readFile(FIRST),
      "1.seg": sample.platform.readFile(FIRST),
      "notes.txt": new TextEncoder().encode("mine"),
      "MANIFEST.old": sample.platform.readFile(MANIFEST),
      "LOCK2": new Uint8Array(3),
    };
    const platform = copyOf(sample.platform);
    for (const [file, bytes] of Object.entries(strays)) platform.writeFile(`${DIRECTORY}/${file}`, bytes);
    const notes = await assertSame(platform, sample, "strays");
    assertEquals(Object.keys(strays).filter((file) => !notes.includes(file)), [], "verify notes strays");
    for (const [file, bytes] of Object.entries(strays)) {
      assertEquals(platform.readFile(`${DIRECTORY}/${file}`), bytes, `${file} is as it was`);
    }
  });

  Deno.test(`LOCK may be empty, garbage, a copy or missing: ${name}`, async () => {
    const sample = await longSample(isClean);
    for (const text of ["", "\0\0\0\0", "{", '{"process":1}', "x".repeat(5000), undefined]) {
      const platform = copyOf(sample.platform);
      if (text === undefined) platform.remove(`${DIRECTORY}/LOCK`);
      else platform.writeFile(`${DIRECTORY}/LOCK`, new TextEncoder().encode(text));
      await assertSame(platform, sample, `LOCK is ${text?.slice(0, 20)}`);
    }
  });
}

Deno.test("a manifest of an older copy is refused, where segments are younger than it", async () => {
  const platform = newMachine();
  const manifests = new Map<string, Uint8Array>();
  platform.onOperation = ({ kind, path }) => {
    const isThere = kind === "rename" && path === MANIFEST && platform.files().includes(MANIFEST);
    if (isThere) manifests.set(`generation ${manifests.size + 1}`, platform.readFile(MANIFEST));
  };
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  const set = async (count: number) => {
    for (let i = 0; i < count; i++) await store.set(`k${i % 30}`, "x".repeat(900));
  };
  await set(60);
  await store.compact();
  await set(30);
  await store.close();
  platform.onOperation = undefined;
  const current = platform.readFile(MANIFEST);
  const counts = { refused: 0, same: 0 };
  const contents = await contentsOn(platform);
  for (const [name, manifest] of manifests) {
    const older = copyOf(platform);
    older.writeFile(MANIFEST, manifest);
    const outcome = await contentsOn(older);
    if (outcome === contents) counts.same++;
    else {
      assertEquals(outcome, "CORRUPT", name);
      counts.refused++;
      older.writeFile(MANIFEST, current);
      assertEquals(await contentsOn(older), contents, `${name}: nothing was removed, the right manifest works again`);
    }
  }
  console.log(counts);
  assert(counts.refused > 5);
  await assertIntact(platform, "the right manifest");
});

/** Contents, or the code of the error that opening or reading meets. */
async function contentsOn(platform: MemoryPlatform): Promise<string> {
  try {
    const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
    const contents = contentsOf(store);
    await store.close();
    return contents;
  } catch (error) {
    return codeOf(error);
  }
}

Deno.test("a segment of an older copy is refused or met as damage, never older values", async () => {
  const sample = await longSample(true);
  const older = copyOf(sample.platform);
  const store = await KvStore.openOn(older, DIRECTORY, OPTIONS);
  await store.batch([{ type: "set", key: "key 8", value: "newer" }, { type: "delete", key: "often" }]);
  await store.close();
  older.writeFile(LAST, sample.platform.readFile(LAST));
  await assertRefused(older, LAST, "the last segment is of an older copy");
});

Deno.test("a creation that was cut off is begun anew", async () => {
  for (const file of ["LOCK", "MANIFEST.tmp", "INDEX.tmp"]) {
    const platform = newMachine();
    platform.writeFile(`${DIRECTORY}/${file}`, Uint8Array.of(1, 2, 3));
    const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
    await store.set("a", 1);
    await store.close();
    await assertIntact(platform, file);
  }
});
