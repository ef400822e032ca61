/**
 * Every byte of every file of a small store damaged, in ten ways: never a wrong value, and nothing that must be
 * intact is damaged without `verify` saying so. Prints where the damage was met.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { verifyOn } from "../../src/store/verify.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { copyOf } from "./disk.ts";
import { codeOf, textOf } from "./history.ts";
import { type Sample, shortSample, stateOf } from "./samples.ts";
import { assertIntact, DIRECTORY, OPTIONS } from "./scenario.ts";

/** All single bits, all bits at once, and a page that was zeroed. */
const PATTERNS: ((byte: number) => number)[] = [
  ...[1, 2, 4, 8, 16, 32, 64, 128, 255].map((mask) => (byte: number) => byte ^ mask),
  () => 0,
];

/** Where damage was met first, by kind of file. */
type Counts = Record<"flips" | "at open" | "at get" | "by verify alone" | "torn tail" | "harmless", number>;

const noCounts = (): Counts => ({
  flips: 0,
  "at open": 0,
  "at get": 0,
  "by verify alone": 0,
  "torn tail": 0,
  harmless: 0,
});

/** What reading finds: at open, at get, or all contents. */
async function read(
  platform: MemoryPlatform,
  states: string[],
): Promise<{ met?: "at open" | "at get"; text?: string }> {
  let store: KvStore;
  try {
    store = await KvStore.openOn(platform, DIRECTORY, OPTIONS);
  } catch (error) {
    assert(["CORRUPT", "FORMAT"].includes(codeOf(error)), `open: ${error}`);
    return { met: "at open" };
  }
  const found: [string, string][] = [];
  let isDamaged = false;
  for (const key of store.keys()) {
    try {
      found.push([String(key), store.get(key) as string]);
    } catch (error) {
      assertEquals(codeOf(error), "CORRUPT");
      isDamaged = true;
    }
  }
  // What could be read is of one of the states that there ever were.
  const lines = textOf(found).split("\n").filter((line) => line !== "");
  assert(states.some((state) => lines.every((line) => state.split("\n").includes(line))), `wrong values: ${lines}`);
  await store.close();
  return isDamaged ? { met: "at get" } : { text: textOf(found) };
}

function requiredBytes(sample: Sample, file: string): number {
  if (file.endsWith("LOCK")) return 0;
  if (!sample.isClean && file === sample.last.file) return sample.highestMark;
  return sample.platform.readFile(file).length;
}

/** A sample and its contents after each write. */
interface Known extends Sample {
  states: string[];
}

async function flip(sample: Known, file: string, at: number, pattern: (byte: number) => number, counts: Counts) {
  const { states } = sample;
  const all = states.at(-1)!;
  const platform = copyOf(sample.platform);
  const bytes = platform.readFile(file);
  const original = bytes[at]!;
  bytes[at] = pattern(original);
  if (bytes[at] === original) return;
  counts.flips++;
  platform.writeFile(file, bytes);
  const where = `${sample.name}: byte ${at} of ${file} is ${bytes[at]}, was ${original}`;
  const { problems } = await verifyOn(platform, DIRECTORY, {});
  const isRequired = at < requiredBytes(sample, file);
  assertEquals(problems.length > 0, isRequired, `${where}: verify`);
  for (const problem of problems) {
    assertEquals(`${DIRECTORY}/${problem.file}`, file, `${where}: the file that verify names`);
  }
  const isNamed = problems.some(({ offset, length }) => offset <= at && at < offset + length);
  assert(isNamed || !isRequired || file.endsWith("MANIFEST"), `${where}: verify names other bytes`);
  const { met, text } = await read(platform, isRequired ? [all] : states);
  if (met !== undefined) {
    assert(isRequired, `${where}: met ${met}`);
    counts[met]++;
  } else if (isRequired) {
    assertEquals(text, all, where);
    counts["by verify alone"]++;
  } else {
    counts[text === all ? "harmless" : "torn tail"]++;
    const durable = sample.writes.findIndex((write) => write.file === file && write.end > sample.highestMark);
    if (text !== all) assert(states.indexOf(text!) >= durable - 1, `${where}: a durable write is gone`);
  }
}

for (const isClean of [true, false]) {
  Deno.test(`every byte of every file damaged: ${isClean ? "closed cleanly" : "crashed"}`, async () => {
    const written = await shortSample(isClean);
    const sample = { ...written, states: written.writes.map((_, i) => stateOf(written.writes, i + 1)) };
    const table: Record<string, Counts> = {};
    for (const file of sample.platform.files()) {
      const name = file.slice(DIRECTORY.length + 1);
      const counts = table[name] = noCounts();
      const size = sample.platform.readFile(file).length;
      for (let at = 0; at < size; at++) for (const pattern of PATTERNS) await flip(sample, file, at, pattern, counts);
    }
    console.table(table);
  });

  Deno.test(`salvage after every byte was damaged: ${isClean ? "closed cleanly" : "crashed"}`, async () => {
    const sample = await shortSample(isClean);
    for (const file of sample.platform.files()) {
      for (let at = 0; at < sample.platform.readFile(file).length; at++) await salvage(sample, file, at);
    }
  });
}

/**
 * Salvage keeps what is intact: a key has its value, or is lost and listed, or is older with its sequence number
 * missing.
 */
async function salvage(sample: Sample, file: string, at: number): Promise<void> {
  const platform = copyOf(sample.platform);
  const bytes = platform.readFile(file);
  bytes[at] = bytes[at]! ^ (1 << at % 8);
  platform.writeFile(file, bytes);
  const where = `${sample.name}: salvage after byte ${at} of ${file}`;
  const store = await KvStore.openOn(platform, DIRECTORY, { ...OPTIONS, recovery: "salvage" });
  const found = textOf(store.entries()).split("\n");
  const right = stateOf(sample.writes).split("\n");
  const { lostKeys = [], lostSequences = [], problems = [] } = store.recovery.salvaged ?? {};
  const isRequired = at < requiredBytes(sample, file);
  assertEquals(problems.length > 0, isRequired, where);
  const wrong = found.filter((line) => line !== "" && !right.includes(line));
  const missing = right.filter((line) => !found.includes(line));
  for (const line of [...wrong, ...missing]) {
    const key = line.slice(0, line.indexOf("="));
    const isSaid = lostKeys.includes(key) || lostSequences.length > 0 || !isRequired;
    assert(isSaid, `${where}: nothing is said of ${line}`);
    assert(!(wrong.includes(line) && lostKeys.includes(key)), `${where}: ${key} is listed as lost and has a value`);
  }
  for (const line of wrong) {
    const isFormer = sample.writes.some((_, i) => stateOf(sample.writes, i).split("\n").includes(line));
    assert(isFormer, `${where}: ${line} was never written`);
  }
  // One damaged byte concerns one write of at most three records.
  assert(wrong.length + missing.length <= 6, `${where}: too much is lost: ${[...wrong, ...missing]}`);
  await store.set("~", 1);
  await store.close();
  await assertIntact(platform, where);
}
