/**
 * What must hold of any damage: reports that name it exactly, no wrong value, a repair that keeps everything readable
 * and destroys nothing.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore, KvStoreError, type OpenOptions, type RepairReport } from "../../../mod.ts";
import { KIND } from "../../../src/engine/record.ts";
import { repairOn } from "../../../src/check/repair.ts";
import { verifyOn } from "../../../src/check/verify.ts";
import { copyOf } from "../../crash/support/disk.ts";
import { assertIntact, DIRECTORY, OPTIONS } from "../../crash/support/scenario.ts";
import type { MemoryPlatform } from "../../support/memory_platform.ts";
import type { LaidRecord } from "./layout.ts";
import { classed, type Expected } from "./oracle.ts";

/** Verify must report just this. */
export async function assertReport(platform: MemoryPlatform, expected: Expected, where: string): Promise<void> {
  const { problems, notes } = await verifyOn(platform, DIRECTORY, {});
  assertEquals(
    { problems: classed(problems), notes: classed(notes) },
    { problems: expected.problems, notes: expected.notes },
    `${where}: the report of verify`,
  );
}

/** Where damage was met first. */
export type Outcome = "at open" | "at get" | "by verify alone" | "right";

/**
 * Opens for writing and for reading: whatever way a value is read, it is the right one, or `CORRUPT` that names file
 * and offset. Changes nothing but what opening an intact store changes.
 */
export async function assertNeverWrong(
  platform: MemoryPlatform,
  expected: Expected,
  where: string,
): Promise<Outcome> {
  const reader = await read(platform, { readOnly: true }, expected, `${where}, read-only`);
  const writer = await read(copyOf(platform), {}, expected, where);
  assertEquals(reader, writer, `${where}: reader and writer find the same`);
  return writer;
}

async function read(
  platform: MemoryPlatform,
  options: OpenOptions,
  expected: Expected,
  where: string,
): Promise<Outcome> {
  let store: KvStore;
  try {
    store = await KvStore.openOn(platform, DIRECTORY, { ...OPTIONS, ...options });
  } catch (error) {
    assertNamed(error, expected, `${where}: open`);
    return "at open";
  }
  assertEquals(expected.lost, [], `${where}: opened, though records are gone`);
  const snapshot = store.snapshot();
  const keys = [...expected.contents.keys(), ...expected.lostKeys].sort();
  const lost = new Set<string>();
  for (const from of [store, snapshot]) {
    assertEquals([...from.keys()].map(String).sort(), keys, `${where}: keys`);
    const entries = from.entries()[Symbol.iterator]();
    for (;;) {
      // A damaged record throws, and the iterator goes on.
      const entry = attempt(() => entries.next(), expected, where);
      if (entry === undefined) continue;
      if (entry.done) break;
      const [key, value] = entry.value;
      assertEquals(JSON.stringify(value), expected.contents.get(String(key)), `${where}: ${key} of an iterator`);
    }
    for (const key of keys) {
      const value = attempt(() => ({ is: from.get(key) }), expected, where);
      if (value === undefined) lost.add(key);
      else assertEquals(JSON.stringify(value.is), expected.contents.get(key), `${where}: get ${key}`);
      assert(from.has(key), `${where}: has ${key}`);
    }
  }
  assertEquals([...lost].sort(), expected.lostKeys.slice().sort(), `${where}: keys that throw CORRUPT`);
  snapshot.close();
  await store.close();
  if (lost.size > 0) return "at get";
  return expected.problems.length > 0 ? "by verify alone" : "right";
}

function attempt<T>(action: () => T, expected: Expected, where: string): T | undefined {
  try {
    return action();
  } catch (error) {
    assertNamed(error, expected, where);
    return undefined;
  }
}

/** The error must be `CORRUPT` and name a place that verify names, too. */
export function assertNamed(error: unknown, { problems }: Pick<Expected, "problems">, where: string): void {
  assert(error instanceof KvStoreError && error.code === "CORRUPT", `${where}: ${error}`);
  const { file, offset = -1 } = error;
  const isNamed = problems.some((problem) =>
    problem.file === file && problem.offset <= offset && offset <= problem.offset + problem.length
  );
  assert(isNamed, `${where}: ${error.message}, and verify says ${JSON.stringify(problems)}`);
}

/** All bytes of all files but LOCK, whose text is advice. */
export function imageOf(platform: MemoryPlatform): Map<string, Uint8Array> {
  const files = platform.files().filter((path) => path !== `${DIRECTORY}/LOCK`);
  return new Map(files.map((path) => [path, platform.readFile(path)]));
}

/** Nothing may be changed by looking. */
export function assertUnchanged(platform: MemoryPlatform, before: Map<string, Uint8Array>, where: string): void {
  assertEquals(platform.files().filter((path) => before.has(path)).length, before.size, `${where}: files are there`);
  for (const [path, bytes] of before) assertEquals(platform.readFile(path), bytes, `${where}: ${path} is as it was`);
  assertEquals([...imageOf(platform).keys()], [...before.keys()], `${where}: no other files`);
}

/** The bytes of these files are on the disk under some name. */
export function assertKept(platform: MemoryPlatform, files: Iterable<[string, Uint8Array]>, where: string): void {
  const there = [...imageOf(platform).values()];
  for (const [path, bytes] of files) {
    const isKept = there.some((other) => other.length === bytes.length && other.every((byte, i) => byte === bytes[i]));
    assert(isKept, `${where}: the bytes of ${path} are nowhere`);
  }
}

function contentsOf(store: KvStore): Map<string, string> {
  return new Map(Array.from(store, ([key, value]) => [String(key), JSON.stringify(value)]));
}

/** Contents as the oracle has them. */
export async function repairedContents(platform: MemoryPlatform): Promise<Map<string, string>> {
  const store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  const contents = contentsOf(store);
  assertEquals((await store.verify()).problems, []);
  await store.close();
  return contents;
}

/**
 * A dry run changes nothing and says what the real one does; the real one keeps everything readable, and all bytes of
 * damaged files; what it leaves is intact. Returns the report.
 */
export async function assertRepair(
  platform: MemoryPlatform,
  expected: Expected,
  where: string,
): Promise<RepairReport> {
  const before = imageOf(platform);
  const planned = await repairOn(platform, DIRECTORY, { dryRun: true });
  assertUnchanged(platform, before, `${where}: a dry run`);
  const salvaged = await KvStore.openOn(copyOf(platform), DIRECTORY, { ...OPTIONS, recovery: "salvage" });
  assertEquals(salvaged.recovery.salvaged, planned.problems.length > 0 ? planned : undefined, `${where}: salvage`);
  assertEquals(contentsOf(salvaged), expected.contents, `${where}: contents of a store opened with salvage`);
  await salvaged.close();
  const report = await repairOn(platform, DIRECTORY, {});
  assertEquals(report, planned, `${where}: the dry run and the repair say the same`);
  assertEquals(classed(report.problems), expected.problems, `${where}: the damage`);
  assertEquals(report.lostKeys, expected.lostKeys, `${where}: the keys that are lost`);
  assertEquals(report.keptRecords, expected.kept.length, `${where}: records kept`);
  assertSequences(report, expected, where);
  const aside = new Set(report.movedAside);
  for (const name of expected.damaged) {
    const path = `${DIRECTORY}/${name}`;
    if (!before.has(path)) continue;
    assert(aside.delete(`damaged/${name}`), `${where}: ${name} is to be moved aside: ${report.movedAside}`);
    assertEquals(platform.readFile(`${DIRECTORY}/damaged/${name}`), before.get(path), `${where}: ${name} aside`);
  }
  assertEquals([...aside], [], `${where}: nothing else is moved aside`);
  if (report.problems.length === 0) assertUnchanged(platform, before, `${where}: nothing to repair`);
  await assertIntact(platform, `${where}: repaired`);
  assertEquals(await repairedContents(platform), expected.contents, `${where}: contents after the repair`);
  await assertIntact(platform, `${where}: repaired and opened`);
  assertKept(platform, damagedFiles(before, expected), `${where}: repaired and opened`);
  return report;
}

/** The files with damage, as they were. */
export function damagedFiles(before: Map<string, Uint8Array>, { damaged }: Expected): [string, Uint8Array][] {
  return [...before].filter(([path]) => damaged.some((name) => path === `${DIRECTORY}/${name}`));
}

/**
 * Every record that is gone is in one of the ranges, and none that is left of its segment. Marks may be. What lies in
 * other segments may be, too, as compaction takes numbers out of the middle.
 */
function assertSequences({ lostSequences }: RepairReport, { lost, kept, damaged }: Expected, where: string): void {
  const isListed = (sequence: number) => lostSequences.some(([first, last]) => first <= sequence && sequence <= last);
  const said = JSON.stringify(lostSequences);
  const count = ({ kind, file }: LaidRecord) => kind !== KIND.mark && damaged.includes(file);
  for (const { sequence } of lost.filter(count)) assert(isListed(sequence), `${where}: ${sequence} is not in ${said}`);
  for (const { sequence } of kept.filter(count)) assert(!isListed(sequence), `${where}: ${sequence} is in ${said}`);
  // A manifest may know of numbers that were given out when it was written, for records behind the durable mark.
  const isBehind = ([first]: [number, number]) => kept.every(({ sequence }) => sequence < first);
  assert(lost.length > 0 || lostSequences.every(isBehind), `${where}: nothing is gone, and ${said} said to be`);
}
