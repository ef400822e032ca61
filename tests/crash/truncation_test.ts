/**
 * The files of a small store, cut off at every byte: past the durable mark of a store that crashed, a prefix of the
 * history is left; anywhere else it is damage, which opening refuses, `verify` names, and salvage keeps the rest of.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore, type OpenOptions } from "../../mod.ts";
import { verifyOn } from "../../src/store/verify.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { copyOf, randomFrom } from "./disk.ts";
import { codeOf, contentsOf } from "./history.ts";
import { longSample, type Sample, type SampleWrite, stateOf } from "./samples.ts";
import { assertIntact, DIRECTORY, OPTIONS } from "./scenario.ts";

/** What opening finds: the contents, or the code of the error. */
async function openedContents(
  platform: MemoryPlatform,
  options: OpenOptions = {},
): Promise<{ text?: string; code?: string }> {
  try {
    const store = await KvStore.openOn(platform, DIRECTORY, { ...OPTIONS, ...options });
    const text = contentsOf(store);
    await store.close();
    return { text };
  } catch (error) {
    return { code: codeOf(error) };
  }
}

/** The store with one file changed. */
function changed(sample: Sample, file: string, change: (bytes: Uint8Array) => Uint8Array): MemoryPlatform {
  const platform = copyOf(sample.platform);
  platform.writeFile(file, change(platform.readFile(file)));
  return platform;
}

/** How many writes are whole if the last segment ends at `size`. */
function wholeBefore({ writes, last }: Sample, size: number): number {
  const firstCut = writes.findIndex(({ file, end }) => file === last.file && end > size);
  return firstCut < 0 ? writes.length : firstCut;
}

async function assertDamage(platform: MemoryPlatform, file: string, where: string): Promise<void> {
  const { problems } = await verifyOn(platform, DIRECTORY, {});
  assert(problems.length > 0, `${where}: verify finds nothing`);
  for (const problem of problems) {
    assertEquals(`${DIRECTORY}/${problem.file}`, file, `${where}: the file that verify names`);
  }
  assertEquals(await openedContents(platform, { readOnly: true }), { code: "CORRUPT" }, `${where}: read-only`);
  assertEquals(await openedContents(platform), { code: "CORRUPT" }, where);
}

/** Salvage keeps all writes that are not cut off, says what may be missing, and leaves a sound store. */
async function assertSalvage(
  platform: MemoryPlatform,
  expected: { text: string; lostKeys: string[] },
  where: string,
): Promise<void> {
  const store = await KvStore.openOn(platform, DIRECTORY, { ...OPTIONS, recovery: "salvage" });
  const salvaged = store.recovery.salvaged!;
  assert(salvaged.problems.length > 0, `${where}: salvage names the damage`);
  assert(salvaged.movedAside.length > 0, `${where}: what is damaged is kept`);
  assertEquals(contentsOf(store).split("\n"), expected.text.split("\n"), `${where}: salvage keeps what is intact`);
  assertEquals(salvaged.lostKeys, expected.lostKeys, `${where}: lost keys are listed`);
  await store.set("~", 1);
  await store.close();
  await assertIntact(platform, where);
}

for (const isClean of [true, false]) {
  const name = isClean ? "closed cleanly" : "crashed";

  Deno.test(`a log cut off at every byte: ${name}`, async () => {
    const sample = await longSample(isClean);
    const counts = { damage: 0, prefix: 0, salvaged: 0 };
    for (const file of sample.platform.files().filter((path) => path.endsWith(".seg"))) {
      const size = sample.platform.readFile(file).length;
      // A sealed segment is the same in both: once is enough at every byte.
      const stride = isClean || file === sample.last.file ? 1 : 5;
      for (let cut = 0; cut < size; cut += stride) {
        const where = `${name}: ${file} cut off at ${cut} of ${size}`;
        const platform = changed(sample, file, (bytes) => bytes.subarray(0, cut));
        const isTail = !isClean && file === sample.last.file && cut >= sample.manifestMark;
        if (isTail) {
          counts.prefix++;
          await assertIntact(platform, where);
          assertEquals(
            await openedContents(platform),
            { text: stateOf(sample.writes, wholeBefore(sample, cut)) },
            where,
          );
          await assertIntact(platform, `${where}: after recovery`);
        } else {
          counts.damage++;
          await assertDamage(platform, file, where);
          if (cut % 13 > 0 && cut > 0) continue;
          counts.salvaged++;
          await assertSalvage(platform, salvagedState(sample, file, cut), where);
        }
      }
    }
    console.log(name, counts);
  });

  Deno.test(`a manifest cut off at every byte: ${name}`, async () => {
    const sample = await longSample(isClean);
    const file = `${DIRECTORY}/MANIFEST`;
    const size = sample.platform.readFile(file).length;
    for (let cut = 0; cut < size; cut++) {
      const platform = changed(sample, file, (bytes) => bytes.subarray(0, cut));
      await assertDamage(platform, file, `MANIFEST cut off at ${cut}`);
      await assertSalvage(platform, { text: stateOf(sample.writes), lostKeys: [] }, `MANIFEST cut off at ${cut}`);
    }
  });
}

/**
 * Contents when everything of `file` from `cut` on is missing. A write of several records may be left in part; a
 * record that lost only its value still names its key, which is lost, and listed.
 */
function salvagedState({ writes }: Sample, file: string, cut: number): { text: string; lostKeys: string[] } {
  const left: SampleWrite[] = [];
  const lost = new Map<string, SampleWrite>();
  for (const write of writes) {
    if (write.file !== file || write.end <= cut) {
      left.push(write);
      continue;
    }
    let start = write.start;
    for (const [key, value = ""] of Object.entries(write.change)) {
      const keyEnd = start + 24 + key.length;
      const isWhole = keyEnd + value.length <= cut;
      if (isWhole) left.push({ ...write, change: { [key]: write.change[key] } });
      else if (keyEnd <= cut) {
        lost.set(key, { ...write, change: { [key]: undefined } });
        left.push(lost.get(key)!);
      }
      start = keyEnd + value.length;
    }
  }
  // Not lost is what was written or deleted later.
  const lostKeys = [...lost.keys()].filter((key) => left.findLast(({ change }) => key in change) === lost.get(key));
  return { text: stateOf(left), lostKeys };
}

Deno.test("zeros or garbage from every byte past the mark on, and behind the end, are a torn tail", async () => {
  const sample = await longSample(false);
  const random = randomFrom(1);
  const { file, size } = sample.last;
  for (let from = sample.manifestMark; from <= size; from++) {
    const expected = { text: stateOf(sample.writes, wholeBefore(sample, from)) };
    for (const isZero of [true, false]) {
      const platform = changed(sample, file, (bytes) => {
        const longer = new Uint8Array(size + 700);
        longer.set(bytes.subarray(0, from));
        return longer.fill(0, from).map((byte, i) => i < from || isZero ? byte : random());
      });
      const where = `${isZero ? "zeros" : "garbage"} from ${from} on`;
      await assertIntact(platform, where);
      assertEquals(await openedContents(platform), expected, where);
      await assertIntact(platform, `${where}: after recovery`);
    }
  }
});

Deno.test("a hole anywhere before a mark that is still there is damage", async () => {
  const sample = await longSample(false);
  const { file } = sample.last;
  for (let at = sample.manifestMark; at < sample.highestMark; at++) {
    const platform = changed(sample, file, (bytes) => {
      const end = Math.min(sample.highestMark, at + 16);
      bytes.fill(0, at, end);
      // Zeros may have been there before.
      bytes[at] = sample.platform.readFile(file)[at]! ^ 1;
      return bytes;
    });
    const where = `a hole at ${at}, the mark is at ${sample.highestMark}`;
    const { problems } = await verifyOn(platform, DIRECTORY, {});
    assert(problems.length > 0 && problems.every((problem) => file.endsWith(problem.file)), where);
    const { text, code } = await openedContents(platform);
    // What a mark says is not needed once a later one is there, and values are not read before they are asked for.
    if (code === undefined) assertEquals(text, stateOf(sample.writes), where);
    else assertEquals(code, "CORRUPT", where);
  }
});

Deno.test("bytes behind a clean end are left alone, and nothing is appended to them", async () => {
  const sample = await longSample(true);
  const { file, size } = sample.last;
  const platform = changed(sample, file, (bytes) => {
    const longer = new Uint8Array(bytes.length + 64);
    longer.set(bytes);
    return longer.fill(7, bytes.length);
  });
  const { notes } = await verifyOn(platform, DIRECTORY, {});
  assertEquals(notes.map(({ offset, length }) => ({ offset, length })), [{ offset: size, length: 64 }]);
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  await store.set("behind", 1);
  await store.close();
  assertEquals(platform.readFile(file).length, size + 64);
  assertEquals((await openedContents(platform)).text, `behind=1\n${stateOf(sample.writes)}`);
  await assertIntact(platform, "bytes behind the end");
});
