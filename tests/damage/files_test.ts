/**
 * Files of a store that are missing, doubled, swapped, empty, from an older copy, or not the store's at all: what
 * cannot be right is refused and named exactly, repair finds again what lies under another name, and what is not ours
 * is neither read nor removed.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore, type Problem } from "../../mod.ts";
import { verifyOn } from "../../src/check/verify.ts";
import { copyOf, newMachine, withSeed } from "../crash/support/disk.ts";
import { codeOf, contentsOf } from "../crash/support/history.ts";
import { assertIntact, DIRECTORY, OPTIONS } from "../crash/support/scenario.ts";
import { type MemoryPlatform, MemoryPlatformError } from "../support/memory_platform.ts";
import { assertNeverWrong, assertRepair, assertReport, assertUnchanged, imageOf } from "./support/checks.ts";
import { type LaidSegment, type Layout, layoutOf } from "./support/layout.ts";
import { type Expected, expectedOf, REASON } from "./support/oracle.ts";
import { hundredSegments, longSample, variedSample } from "./support/samples.ts";

const MANIFEST = `${DIRECTORY}/MANIFEST`;

/** What a store must lead to that can be neither opened nor misread. */
async function assertRefused(platform: MemoryPlatform, expected: Expected, where: string): Promise<void> {
  await assertReport(platform, expected, where);
  assertEquals(await assertNeverWrong(platform, expected, where), "at open", where);
}

/** The expectation if a segment is gone altogether. */
function without(layout: Layout, { path, name, recordedEnd }: LaidSegment, reason: string): Expected {
  const empty = copyOf(layout.platform);
  empty.writeFile(path, new Uint8Array(0));
  const expected = expectedOf(layout, empty);
  return { ...expected, problems: [{ file: name, offset: 0, length: recordedEnd, reason }] };
}

/** The store without a file. */
function removed(platform: MemoryPlatform, path: string): MemoryPlatform {
  const copy = copyOf(platform);
  copy.remove(path);
  return copy;
}

/** The store with a file replaced, or one more. */
function replaced(platform: MemoryPlatform, path: string, bytes: Uint8Array): MemoryPlatform {
  const copy = copyOf(platform);
  copy.writeFile(path, bytes);
  return copy;
}

/** The three segments of a store, or, of a hundred, some. */
async function layouts(isClean: boolean): Promise<[Layout, LaidSegment[]][]> {
  const small = layoutOf((await longSample(isClean)).platform);
  const large = layoutOf((await hundredSegments(isClean)).pop()!);
  return [[small, small.segments], [large, large.segments.filter((_, i) => i % 33 === 0 || i === 99)]];
}

async function otherStore(): Promise<MemoryPlatform> {
  const platform = newMachine();
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  await store.set("key 8", "of another store");
  await store.close();
  return platform;
}

for (const isClean of [true, false]) {
  const name = isClean ? "closed cleanly" : "crashed";

  Deno.test(`segments missing, empty, zeros, another's, or a directory: ${name}`, async () => {
    const foreign = (await otherStore()).readFile(`${DIRECTORY}/00000001.seg`);
    for (const [layout, segments] of await layouts(isClean)) {
      for (const [i, segment] of segments.entries()) {
        const { path, bytes } = segment;
        const missing = removed(layout.platform, path);
        const expected = without(layout, segment, "the file is missing");
        await assertRefused(missing, expected, `${path} is missing`);
        const sequences = { ...expected, damaged: [segment.name] };
        await assertRepair(missing, sequences, `${path} is missing`);
        const other = segments[(i + 1) % segments.length]!;
        const fakes = { empty: new Uint8Array(0), zeros: new Uint8Array(bytes.length), doubled: other.bytes, foreign };
        for (const [what, fake] of Object.entries(fakes)) {
          const platform = replaced(layout.platform, path, fake);
          await assertRefused(platform, expectedOf(layout, platform), `${path}: ${what}`);
          await assertRepair(platform, expectedOf(layout, platform), `${path}: ${what}`);
        }
        const directory = replaced(
          missing.files().includes(path) ? missing : removed(layout.platform, path),
          `${path}/x`,
          bytes,
        );
        const isIn = without(layout, segment, "it is a directory, not a regular file");
        await assertReport(directory, isIn, `${path} is a directory`);
        const before = directory.readFile(`${path}/x`);
        await assertRepair(directory, isIn, `${path} is a directory`);
        assertEquals(directory.readFile(`${path}/x`), before, "what is in a directory is not ours");
      }
    }
  });

  Deno.test(`segments swapped or renamed are named, and repair finds them: ${name}`, async () => {
    for (const [layout, segments] of await layouts(isClean)) {
      const [one, other] = segments as [LaidSegment, LaidSegment];
      const intact = expectedOf(layout, layout.platform);
      const said = (at: LaidSegment, found: string, length = at.bytes.length): Problem => {
        const what = found.endsWith("77.seg") ? "the file is missing" : "the segment header is that of another file";
        return { file: at.name, offset: 0, length, reason: `${what}; it is ${found}` };
      };
      const swapped = replaced(replaced(layout.platform, one.path, other.bytes), other.path, one.bytes);
      const sizes = [other.bytes.length, one.bytes.length] as const;
      const problems = [said(one, other.name, sizes[0]), said(other, one.name, sizes[1])];
      const both = { ...intact, problems, damaged: [one.name, other.name] };
      await assertRefused(swapped, both, "two segments swapped");
      await assertRepair(swapped, both, "two segments swapped");
      const stray = `${DIRECTORY}/00000777.seg`;
      const renamed = replaced(removed(layout.platform, one.path), stray, one.bytes);
      const note = { file: "00000777.seg", offset: 0, length: 0, reason: "a segment that the manifest does not list" };
      const gone = [said(one, "00000777.seg", one.recordedEnd)];
      const expected = { ...intact, problems: gone, notes: [...intact.notes, note], damaged: [one.name] };
      await assertRefused(renamed, expected, "a segment renamed");
      await assertRepair(renamed, expected, "a segment renamed");
      assertEquals(renamed.readFile(stray), one.bytes, "the renamed file is left alone");
    }
  });

  Deno.test(`manifests missing, empty, of another store or older: ${name}`, async () => {
    const foreign = (await otherStore()).readFile(MANIFEST);
    for (const sample of [variedSample, hundredSegments]) {
      const moments = await withSeed(5, () => sample(isClean));
      const layout = layoutOf(moments.pop()!);
      const older = moments.map((moment) => moment.readFile(MANIFEST));
      const fakes: [RegExp, Uint8Array | undefined][] = [
        [/^it is missing, but there are segments$/, undefined],
        [/^0 bytes are too few$/, new Uint8Array(0)],
        [/^not a manifest$/, new Uint8Array(200)],
        ...older.map((bytes): [RegExp, Uint8Array] => [/^it is older than .*: was it put back from a copy\?$/, bytes]),
      ];
      // It lists the first segment: where there is none of that number, a manifest is as good as its segments.
      if (sample === hundredSegments) fakes.push([/^it belongs to another store than the segments$/, foreign]);
      for (const [reason, bytes] of fakes) {
        const platform = bytes === undefined
          ? removed(layout.platform, MANIFEST)
          : replaced(layout.platform, MANIFEST, bytes);
        const where = `MANIFEST: ${reason}`;
        const { problems, notes } = await verifyOn(platform, DIRECTORY, {});
        const place = { file: "MANIFEST", offset: 0, length: bytes?.length ?? 0, reason: problems[0]?.reason ?? "" };
        assertEquals(problems, [place], where);
        assert(reason.test(place.reason), `${where}: ${place.reason}`);
        const intact = expectedOf(layout, layout.platform);
        const expected = { ...intact, problems, notes, damaged: ["MANIFEST"] };
        for (const readOnly of [true, false]) {
          const open = KvStore.openOn(copyOf(platform), DIRECTORY, { ...OPTIONS, readOnly });
          assertEquals(await open.then(() => "opened", codeOf), "CORRUPT", `${where}, read-only: ${readOnly}`);
        }
        await assertRepair(platform, expected, where);
      }
    }
  });

  Deno.test(`each segment of an older copy is the same, or damage: ${name}`, async () => {
    for (const sample of [variedSample, hundredSegments]) {
      const moments = await withSeed(6, () => sample(isClean));
      const layout = layoutOf(moments.pop()!);
      const counts = { same: 0, damage: 0 };
      for (const { path, bytes } of layout.segments) {
        for (const moment of moments.filter((one) => one.files().includes(path))) {
          const older = moment.readFile(path);
          const isSame = older.length === bytes.length && older.every((byte, i) => byte === bytes[i]);
          counts[isSame ? "same" : "damage"]++;
          if (isSame) continue;
          const platform = replaced(layout.platform, path, older);
          const expected = expectedOf(layout, platform);
          await assertRefused(platform, expected, `${path} of an older copy`);
          await assertRepair(platform, expected, `${path} of an older copy`);
        }
      }
      assert(counts.damage > 0, JSON.stringify(counts));
    }
  });

  Deno.test(`strays are neither read nor removed: ${name}`, async () => {
    const layout = layoutOf((await longSample(isClean)).platform);
    const first = layout.segments[0]!.bytes;
    const strays: Record<string, Uint8Array> = {
      "00000040.seg": (await otherStore()).readFile(`${DIRECTORY}/00000001.seg`),
      "00000077.seg": new Uint8Array(0),
      "00000078.seg": new Uint8Array(500),
      "00000079.seg": first,
      "00000080.seg.bak": first,
      "00000081.seg/inner": first,
      "1.seg": first,
      "LOCK2": new Uint8Array(3),
      "MANIFEST.old": layout.platform.readFile(MANIFEST),
      "MANIFEST.tmp": new Uint8Array(3),
      "notes.txt": new TextEncoder().encode("mine"),
    };
    const platform = copyOf(layout.platform);
    for (const [file, bytes] of Object.entries(strays)) platform.writeFile(`${DIRECTORY}/${file}`, bytes);
    const expected = expectedOf(layout, layout.platform);
    for (const file of Object.keys(strays)) {
      const [entry] = file.split("/") as [string];
      const isSegment = /^\d{8}\.seg$/.test(entry);
      const reason = isSegment ? "a segment that the manifest does not list" : "it does not belong to the store";
      expected.notes.push({ file: entry, offset: 0, length: 0, reason });
    }
    await assertReport(platform, expected, "strays");
    assertEquals(await assertNeverWrong(platform, expected, "strays"), "right");
    const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
    await store.set("~", "x".repeat(5000));
    await store.compact();
    await store.close();
    for (const [file, bytes] of Object.entries(strays)) {
      // This one is the store's own, and of no meaning.
      if (file === "MANIFEST.tmp") continue;
      assertEquals(platform.readFile(`${DIRECTORY}/${file}`), bytes, `${file} is as it was`);
    }
    await assertIntact(platform, "strays");
  });

  Deno.test(`a file that cannot be read is an error that names it, and nothing is changed: ${name}`, async () => {
    const layout = layoutOf((await longSample(isClean)).platform);
    const stray = `${DIRECTORY}/00000099.seg`;
    for (const path of [MANIFEST, layout.segments[1]!.path, stray]) {
      const platform = replaced(layout.platform, stray, new Uint8Array(9));
      const before = imageOf(platform);
      platform.onOperation = (operation) => {
        if (operation.kind === "open" && operation.path === path) throw new MemoryPlatformError("EACCES", "injected");
      };
      for (const readOnly of [true, false]) {
        const error = await KvStore.openOn(platform, DIRECTORY, { ...OPTIONS, readOnly }).catch((error) => error);
        assertEquals(codeOf(error), "IO");
        assert(error.message.includes(path.slice(DIRECTORY.length + 1)), error.message);
      }
      assertEquals(await verifyOn(platform, DIRECTORY, {}).catch(codeOf), "IO");
      platform.onOperation = undefined;
      assertUnchanged(platform, before, path);
      assertEquals(await assertNeverWrong(platform, expectedOf(layout, platform), path), "right");
    }
  });

  Deno.test(`LOCK may be empty, garbage, a copy or missing: ${name}`, async () => {
    const layout = layoutOf((await longSample(isClean)).platform);
    const lock = `${DIRECTORY}/LOCK`;
    const expected = expectedOf(layout, layout.platform);
    for (const text of ["", "\0\0\0\0", "{", '{"process":1}', "x".repeat(5000), undefined]) {
      const platform = text === undefined
        ? removed(layout.platform, lock)
        : replaced(layout.platform, lock, new TextEncoder().encode(text));
      await assertReport(platform, expected, `LOCK is ${text}`);
      assertEquals(await assertNeverWrong(platform, expected, `LOCK is ${text}`), "right");
    }
  });
}

Deno.test("a manifest put back from any earlier moment is refused, or nothing has changed since", async () => {
  const platform = newMachine();
  const manifests: Uint8Array[] = [];
  platform.onOperation = ({ kind, path }) => {
    const isThere = kind === "rename" && path === MANIFEST && platform.files().includes(MANIFEST);
    if (isThere) manifests.push(platform.readFile(MANIFEST));
  };
  let count = 0;
  for (let session = 0; session < 4; session++) {
    const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
    for (let i = 0; i < (session % 2 === 0 ? 30 : 1); i++) await store.set(`k${i}`, "x".repeat(900) + count++);
    if (session === 2) await store.compact();
    await store.close();
  }
  platform.onOperation = undefined;
  const contents = await contentsOn(platform, false);
  const counts = { refused: 0, same: 0 };
  for (const [generation, manifest] of manifests.entries()) {
    for (const readOnly of [true, false]) {
      const older = replaced(platform, MANIFEST, manifest);
      const outcome = await contentsOn(older, readOnly);
      counts[outcome === contents ? "same" : "refused"]++;
      if (outcome === contents) continue;
      assertEquals(outcome, "CORRUPT", `replacement ${generation}, read-only: ${readOnly}`);
      older.writeFile(MANIFEST, platform.readFile(MANIFEST));
      assertEquals(await contentsOn(older, readOnly), contents, "nothing was removed, the right manifest works again");
    }
  }
  console.log(counts);
  assert(counts.refused > 20);
  await assertIntact(platform, "the right manifest");
});

/** Contents, or the code of the error that opening or reading meets. */
async function contentsOn(platform: MemoryPlatform, readOnly: boolean): Promise<string> {
  try {
    const store = await KvStore.openOn(platform, DIRECTORY, { ...OPTIONS, readOnly });
    const contents = contentsOf(store);
    await store.close();
    return contents;
  } catch (error) {
    return codeOf(error);
  }
}

Deno.test("where neither manifest nor segments can be used, verify names them all and repair refuses", async () => {
  const { platform } = layoutOf((await longSample(true)).platform);
  const expected: Problem[] = [];
  for (const path of platform.files().filter((path) => !/(LOCK|RESERVE)$/.test(path))) {
    const bytes = platform.readFile(path);
    bytes[20]! ^= 1;
    platform.writeFile(path, bytes);
    const [file, reason] = [path.slice(DIRECTORY.length + 1), REASON.header];
    if (path === MANIFEST) {
      expected.unshift({ file, offset: 0, length: bytes.length, reason: "checksum of the manifest" });
    } else expected.push({ file, offset: 0, length: bytes.length, reason });
  }
  const before = imageOf(platform);
  await assertReport(platform, { problems: expected, notes: [] } as unknown as Expected, "nothing left");
  const salvage = KvStore.openOn(platform, DIRECTORY, { ...OPTIONS, recovery: "salvage" });
  assertEquals(await salvage.then(() => "opened", codeOf), "CORRUPT");
  assertUnchanged(platform, before, "nothing left");
});

Deno.test("a creation that was cut off is begun anew", async () => {
  for (const file of ["LOCK", "MANIFEST.tmp", "INDEX.tmp", "INDEX.old"]) {
    const platform = newMachine();
    platform.writeFile(`${DIRECTORY}/${file}`, Uint8Array.of(1, 2, 3));
    const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
    await store.set("a", 1);
    await store.close();
    await assertIntact(platform, file);
  }
});
