/**
 * A repair that is cut off by a power cut or an error at any of its operations: what is left is the damaged store,
 * which can be repaired again, or the repaired one. Opening either destroys nothing, and no repair begins by itself.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore, KvStoreError } from "../../mod.ts";
import { KIND } from "../../src/engine/record.ts";
import { repairOn } from "../../src/check/repair.ts";
import { verifyOn } from "../../src/check/verify.ts";
import { brokenDisk, CHANGES, copyOf, KEEP_ALL, LOSE_ALL, randomCut, withSeed } from "../crash/support/disk.ts";
import { codeOf } from "../crash/support/history.ts";
import { assertIntact, DIRECTORY, OPTIONS } from "../crash/support/scenario.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { turns } from "../support/sweep.ts";
import { assertKept, assertUnchanged, imageOf, repairedContents } from "./support/checks.ts";
import { type Layout, layoutOf } from "./support/layout.ts";
import { variedSample } from "./support/samples.ts";

const MANIFEST = `${DIRECTORY}/MANIFEST`;

/** Damages a store: `moments` are older copies of it. */
type Harm = (platform: MemoryPlatform, layout: Layout, moments: MemoryPlatform[]) => void;

function flip(platform: MemoryPlatform, path: string, at: number): void {
  const bytes = platform.readFile(path);
  bytes[at]! ^= 1;
  platform.writeFile(path, bytes);
}

/** Flips a bit in the first and the last set of every segment: in its value, or in its header. */
function flipRecords(platform: MemoryPlatform, { segments }: Layout, place: "value" | "header"): void {
  for (const { path, records, recordedEnd } of segments) {
    const sets = records.filter(({ kind, end }) => kind === KIND.set && end <= recordedEnd);
    for (const record of new Set([sets[0], sets.at(-1)])) {
      if (record !== undefined) flip(platform, path, place === "value" ? record.end - 1 : record.offset + 9);
    }
  }
}

const HARMS: Record<string, Harm> = {
  "damaged values": (platform, layout) => flipRecords(platform, layout, "value"),
  "damaged headers of records": (platform, layout) => flipRecords(platform, layout, "header"),
  "a damaged header of a segment": (platform, { segments }) => flip(platform, segments[0]!.path, 20),
  "a missing segment": (platform, { segments }) => platform.remove(segments[0]!.path),
  "two segments swapped": (platform, { segments: [one, other] }) => {
    platform.writeFile(one!.path, other!.bytes);
    platform.writeFile(other!.path, one!.bytes);
  },
  "the last segment cut off": (platform, { segments }) => {
    const { path, bytes, recordedEnd } = segments.at(-1)!;
    platform.writeFile(path, bytes.subarray(0, Math.min(100, recordedEnd - 1)));
  },
  "a damaged manifest": (platform) => flip(platform, MANIFEST, 50),
  "a missing manifest": (platform) => platform.remove(MANIFEST),
  "an older manifest": (platform, _, moments) => platform.writeFile(MANIFEST, moments.at(-1)!.readFile(MANIFEST)),
};
HARMS["all at once"] = (platform, layout) => {
  flipRecords(platform, { ...layout, segments: layout.segments.slice(2) }, "value");
  flipRecords(platform, { ...layout, segments: layout.segments.slice(3) }, "header");
  for (const name of ["a damaged header of a segment", "the last segment cut off"]) HARMS[name]!(platform, layout, []);
  platform.remove(layout.segments[1]!.path);
};

/** A damaged store, what it holds once it is repaired, and the bytes that must never go. */
interface Damaged {
  platform: MemoryPlatform;
  contents: Map<string, string>;
  bytes: [string, Uint8Array][];
}

async function damagedStore(harm: Harm, isClean: boolean): Promise<Damaged> {
  const moments = await variedSample(isClean);
  const platform = moments.pop()!;
  const layout = layoutOf(platform);
  const before = imageOf(platform);
  harm(platform, layout, moments);
  const bytes = [...imageOf(platform)].filter(([path, now]) => before.get(path)!.toString() !== now.toString());
  const copy = copyOf(platform);
  await repairOn(copy, DIRECTORY, {});
  return { platform, contents: await repairedContents(copy), bytes };
}

/** Whatever an interrupted repair left: opening it destroys nothing, and repairing it again is all it takes. */
async function assertRepairable(platform: MemoryPlatform, { contents, bytes }: Damaged, where: string): Promise<void> {
  assertKept(platform, bytes, where);
  try {
    const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
    await store.close();
  } catch (error) {
    assertEquals(codeOf(error), "CORRUPT", where);
  }
  assertKept(platform, bytes, `${where}, opened`);
  await repairOn(platform, DIRECTORY, {});
  await assertIntact(platform, `${where}, repaired again`);
  assertEquals(await repairedContents(platform), contents, `${where}, repaired again`);
  assertKept(platform, bytes, `${where}, repaired again`);
  assertEquals((await repairOn(platform, DIRECTORY, {})).problems, [], where);
}

for (const [name, harm] of Object.entries(HARMS)) {
  Deno.test(`a power cut at every operation of a repair: ${name}`, async () => {
    const isDue = turns();
    for (const isClean of [true, false]) {
      await withSeed(11, async () => {
        const damaged = await damagedStore(harm, isClean);
        const left: [string, MemoryPlatform][] = [];
        const { platform } = damaged;
        const run = copyOf(platform);
        run.onOperation = ({ kind, path, count }) => {
          if (!CHANGES.includes(kind)) return;
          const where = `closed cleanly: ${isClean}, power cut before ${kind} of ${path} (operation ${count})`;
          for (const cut of [LOSE_ALL, KEEP_ALL, randomCut(count)]) if (isDue()) left.push([where, run.image(cut)]);
        };
        await repairOn(run, DIRECTORY, {});
        run.onOperation = undefined;
        left.push(["at the end", run.image(LOSE_ALL)]);
        for (const [where, image] of left) await assertRepairable(image, damaged, where);
      });
    }
  });

  Deno.test(`every operation of a repair fails: ${name}`, async () => {
    await withSeed(12, async () => {
      const damaged = await damagedStore(harm, true);
      let isDone = false;
      const isDue = turns();
      for (let n = 1; !isDone; n += 1) {
        if (!isDue()) continue;
        const platform = copyOf(damaged.platform);
        let where = "";
        let count = 0;
        platform.onOperation = (operation) => {
          if (++count !== n) return;
          where = `${operation.kind} of ${operation.path} fails (operation ${n})`;
          throw brokenDisk(operation);
        };
        const error = await repairOn(platform, DIRECTORY, {}).then(() => undefined, (error) => error);
        assert(error === undefined || error instanceof KvStoreError, `${where}: ${error}`);
        platform.onOperation = undefined;
        isDone = where === "";
        await assertRepairable(platform, damaged, where);
      }
    });
  });

  Deno.test(`looking at a damaged store changes nothing, nor does a dry run: ${name}`, async () => {
    for (const isClean of [true, false]) {
      const { platform } = await damagedStore(harm, isClean);
      const before = imageOf(platform);
      await verifyOn(platform, DIRECTORY, {});
      assertUnchanged(platform, before, "verify");
      const planned = await repairOn(platform, DIRECTORY, { dryRun: true });
      assertUnchanged(platform, before, "a dry run");
      let isOpen = true;
      for (const readOnly of [true, false]) {
        try {
          const store = await KvStore.openOn(platform, DIRECTORY, { ...OPTIONS, readOnly });
          for (const key of store.keys()) await Promise.try(() => store.get(key)).catch(codeOf);
          await store.verify();
          await store.close();
        } catch (error) {
          assertEquals(codeOf(error), "CORRUPT");
          isOpen = false;
        }
        if (readOnly || !isOpen) assertUnchanged(platform, before, `open, read-only: ${readOnly}`);
      }
      if (!isOpen) assertEquals(await repairOn(platform, DIRECTORY, {}), planned, "the dry run and the repair");
    }
  });
}

Deno.test("a damaged value that counts stays damaged, whatever a store that opened does", async () => {
  const { platform } = await damagedStore(HARMS["damaged values"]!, true);
  const { lostKeys } = await repairOn(platform, DIRECTORY, { dryRun: true });
  assert(lostKeys.length > 0);
  let store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  for (let i = 0; i < 20; i++) await store.set(`new ${i % 5}`, "x".repeat(900));
  await store.compact().catch((error) => assertEquals(codeOf(error), "CORRUPT"));
  await store.close();
  store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  for (const key of lostKeys) assertEquals(await Promise.try(() => store.get(key)).catch(codeOf), "CORRUPT", `${key}`);
  await store.close();
  assertEquals((await repairOn(platform, DIRECTORY, {})).lostKeys, lostKeys);
  await assertIntact(platform, "repaired after all");
});

Deno.test("nothing is moved over what an earlier repair moved aside", async () => {
  const { platform, bytes: [damaged] } = await damagedStore(HARMS["a damaged header of a segment"]!, true);
  const [path, bytes] = damaged!;
  const name = path.slice(DIRECTORY.length + 1);
  const other = Uint8Array.of(1, 2, 3);
  platform.writeFile(`${DIRECTORY}/damaged/${name}`, other);
  const planned = await repairOn(platform, DIRECTORY, { dryRun: true });
  assertEquals(planned.movedAside, [`damaged/${name}.1`]);
  assertEquals(await repairOn(platform, DIRECTORY, {}), planned);
  assertEquals(platform.readFile(`${DIRECTORY}/damaged/${name}`), other);
  assertEquals(platform.readFile(`${DIRECTORY}/damaged/${name}.1`), bytes);
});
