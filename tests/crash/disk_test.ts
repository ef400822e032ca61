/**
 * The disk that the crash tests trust in: what a power cut may leave of a file is all there at some time, and nothing
 * else ever is.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { randomCut } from "./support/disk.ts";

const SECTOR = 512;
const SYNCED = 700;

/** A file of which 700 bytes are synced, and three writes since are not, the second of which failed to be synced. */
function file(): Parameters<NonNullable<ReturnType<typeof randomCut>["file"]>>[0] {
  return {
    path: "/f",
    synced: new Uint8Array(SYNCED).fill(1),
    writes: [
      { offset: SYNCED, bytes: new Uint8Array(600).fill(2) },
      { offset: SYNCED + 600, bytes: new Uint8Array(500).fill(3), isLost: true },
      { offset: SYNCED + 1100, bytes: new Uint8Array(1000).fill(4) },
    ],
  };
}

/** What a sector holds, in one word. */
function fateOf(left: Uint8Array, start: number, whole: Uint8Array): string {
  const sector = left.subarray(start, start + SECTOR);
  if (sector.length === 0) return "missing";
  const wanted = whole.subarray(start, start + sector.length);
  const unsynced = sector.subarray(Math.max(0, SYNCED - start));
  if (sector.every((byte, i) => byte === wanted[i])) return "there";
  if (unsynced.every((byte) => byte === 0)) return "zero";
  return unsynced.every((byte, i) => byte === 0 || byte === wanted[i + sector.length - unsynced.length])
    ? "mixed"
    : "garbage";
}

Deno.test("disk: synced bytes that are written once more survive a power cut", () => {
  const synced = new Uint8Array(SYNCED).map((_, i) => i);
  for (let seed = 0; seed < 1000; seed++) {
    const writes = [{ offset: 100, bytes: synced.slice(100) }, { offset: 300, bytes: synced.slice(300), isLost: true }];
    const left = randomCut(seed, SECTOR).file!({ path: "/f", synced: synced.slice(), writes });
    assertEquals(left, synced, `seed ${seed}`);
  }
});

Deno.test("disk: after a power cut each sector has a fate of its own, and synced bytes survive", () => {
  const whole = new Uint8Array(SYNCED + 2100);
  const { synced, writes } = file();
  whole.set(synced);
  for (const { offset, bytes } of writes) whole.set(bytes, offset);
  const sizes = new Set<number>();
  const fates = new Map<number, Set<string>>();
  const pairs = new Set<string>();
  for (let seed = 0; seed < 4000; seed++) {
    const left = randomCut(seed, SECTOR).file!(file());
    sizes.add(left.length);
    assert(left.subarray(0, SYNCED).every((byte) => byte === 1), `seed ${seed}: synced bytes survive`);
    const row: string[] = [];
    for (let start = SECTOR; start < whole.length; start += SECTOR) {
      const fate = fateOf(left, start, whole);
      row.push(fate);
      fates.set(start, (fates.get(start) ?? new Set()).add(fate));
    }
    pairs.add(`${row[0]} ${row[3]}`);
  }
  assertEquals([...sizes].sort((a, b) => a - b), [SYNCED, SYNCED + 600, SYNCED + 1100, SYNCED + 2100]);
  for (const [start, seen] of fates) {
    for (const fate of ["there", "zero", "garbage"]) {
      assert(seen.has(fate), `the sector at ${start} is ${fate} at times`);
    }
    assertEquals(seen.has("missing"), start >= SYNCED, `the sector at ${start} is missing at times`);
  }
  // The first sector after the synced ones and the last one: of different writes, and independent of one another.
  for (const pair of ["there zero", "zero there", "there garbage", "garbage there", "zero zero", "there there"]) {
    assert(pairs.has(pair), `${pair}: never seen`);
  }
});

Deno.test("disk: the same seed gives the same power cut", () => {
  for (let seed = 0; seed < 20; seed++) assertEquals(randomCut(seed).file!(file()), randomCut(seed).file!(file()));
});

Deno.test("disk: changes of directories last or not, each by itself", () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 500; seed++) {
    const { entry } = randomCut(seed);
    seen.add([1, 2, 3].map((i) => Number(entry!({ kind: "create", path: `/${i}` }))).join(""));
  }
  assertEquals(seen.size, 8);
});
