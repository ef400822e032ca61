/**
 * What must hold of a store with any bytes whatever in its files.
 *
 * - Opening, for reading and for writing, verify and a dry run of repair work, or throw a `KvStoreError` that says
 *   `CORRUPT` or `FORMAT` (`NOT_FOUND` where neither MANIFEST nor segments are left), with time and memory bounded by
 *   the sizes of the files.
 * - No value is read that was never written for that key, unless its checksum was forged.
 * - What open refuses verify names. What verify calls intact opens, with what the log holds.
 * - An INDEX whose checksums do not fit changes nothing. One whose checksums were forged is believed in what it says of
 *   keys, places and accounts, as far as that fits the log: it may hide a key, name one that is not there or an older
 *   version of its value, or keep a store from opening (`CORRUPT`); verify then names INDEX. It gives no wrong value.
 * - A store that opens takes writes, unless its numbers are used up, and what it acknowledges can be read.
 * - Nothing is changed by looking, and what repair leaves is intact.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { assert, assertEquals } from "@std/assert";
import { KvStore, KvStoreError, type OpenOptions, type Problem, type Value } from "../../../mod.ts";
import { repairOn } from "../../../src/check/repair.ts";
import { verifyOn } from "../../../src/check/verify.ts";
import { encodeValue } from "../../../src/store/values.ts";
import { contentsOf, type Files, hex, writtenIn } from "./layout.ts";
import { type Measured, measured } from "./measure.ts";
import { DIRECTORY, machineOf } from "./stores.ts";
import type { MemoryPlatform } from "../../support/memory_platform.ts";

/** A store whose files were mutated. */
export interface Mutated {
  /** As it was. */
  base: Files;
  /** As it is. */
  files: Files;
  /** Whether values may come out that were never written. */
  isForged: boolean;
}

/** Codes that say that the files are at fault. */
const FILES_AT_FAULT = ["CORRUPT", "FORMAT"];
/** Buffers, tables and pools that are there whatever the files hold. */
const FIXED_BYTES = 2 ** 21;
/** No store of these sizes takes a thousandth of it. */
const TIME_LIMIT_MS = 20_000;

/** What an opened store said: its contents, in which damaged values are `undefined`. */
type Opened = { code: string } | { code: "opened"; contents: Map<string, string | undefined> };

/** Checks all that must hold. Returns what came of it: of open, of verify and of repair. */
export async function check(mutated: Mutated): Promise<string> {
  const { files } = mutated;
  const platform = machineOf(files);
  const outcome = { open: "", verify: "", repair: "" };
  const found = await measured(platform, async () => {
    const report = await verified(platform, files);
    outcome.verify = typeof report === "string" ? report : report.length > 0 ? "damage" : "clean";
    const reader = await opened(platform, mutated, { readOnly: true });
    outcome.repair = await planned(platform, files, report);
    assertUnchanged(platform, files);
    const writer = await opened(platform, mutated, {});
    outcome.open = writer.code;
    if (writer.code === "opened") await assertTakesWrites(platform, mutated);
    compare(mutated, report, reader, writer);
  });
  assertBounded(found, files);
  if (outcome.verify === "damage" && outcome.repair === "plan") await assertRepaired(mutated);
  return `open ${outcome.open}, verify ${outcome.verify}, repair ${outcome.repair}`;
}

/** The code of an error that may be: anything else is thrown on. */
function faultOf(error: unknown, files: Files, what: string): string {
  const code = KvStoreError.is(error) ? error.code : "";
  const isGone = ![...files.keys()].some((name) => name === "MANIFEST" || /^\d{8,10}\.seg$/.test(name));
  if (code === "IO" && /are used up/.test((error as Error).message)) return "USED UP";
  if (FILES_AT_FAULT.includes(code) || (code === "NOT_FOUND" && isGone)) return code;
  throw new Error(`${what}: ${error instanceof Error ? error.stack : error}`, { cause: error });
}

async function verified(platform: MemoryPlatform, files: Files): Promise<Problem[] | string> {
  try {
    return (await verifyOn(platform, DIRECTORY, {})).problems;
  } catch (error) {
    const code = faultOf(error, files, "verify");
    assert(code !== "CORRUPT", `verify reports damage, it does not throw: ${(error as Error).stack}`);
    return code;
  }
}

async function planned(platform: MemoryPlatform, files: Files, report: Problem[] | string): Promise<string> {
  try {
    const { problems } = await repairOn(platform, DIRECTORY, { dryRun: true });
    if (typeof report === "string") throw new Error(`repair goes on where verify says ${report}`);
    // Keys come in the order of an index's tables, whose hash has a seed of its own each time.
    assertEquals(
      problems.map(textOfProblem).sort(),
      report.map(textOfProblem).sort(),
      "repair and verify find the same",
    );
    return problems.length > 0 ? "plan" : "nothing";
  } catch (error) {
    const code = faultOf(error, files, "repair");
    assert(code === "CORRUPT" || code === report, `repair says ${code}, verify ${JSON.stringify(report)}`);
    return code;
  }
}

const textOfProblem = (problem: Problem) => JSON.stringify(problem);

async function opened(platform: MemoryPlatform, mutated: Mutated, options: OpenOptions): Promise<Opened> {
  const what = `open ${options.readOnly === true ? "for reading" : "for writing"}`;
  let store: KvStore;
  try {
    const settings = { create: false, segmentBytes: 4096, compaction: { auto: false }, ...options };
    store = await KvStore.openOn(platform, DIRECTORY, settings);
  } catch (error) {
    return { code: faultOf(error, mutated.files, what) };
  }
  try {
    return { code: "opened", contents: readAll(store, mutated, what) };
  } finally {
    await store.close();
  }
}

/** What a store that has opened acknowledges now can be read, whatever numbers its files have. */
async function assertTakesWrites(platform: MemoryPlatform, { files }: Mutated): Promise<void> {
  try {
    const store = await KvStore.openOn(platform, DIRECTORY, { compaction: { auto: false } });
    try {
      await store.set("written now", 1, { ttl: 60_000 });
      assertEquals(store.get("written now"), 1);
      assert(Math.abs(store.expiresAt("written now")! - Date.now() - 60_000) < TIME_LIMIT_MS);
    } finally {
      await store.close();
    }
  } catch (error) {
    faultOf(error, files, "write");
  }
}

/** Reads everything in every way. */
function readAll(store: KvStore, mutated: Mutated, what: string): Map<string, string | undefined> {
  const contents = new Map<string, string | undefined>();
  const written = writtenIn(mutated.base);
  const attempt = <T>(action: () => T): T | undefined => {
    try {
      return action();
    } catch (error) {
      faultOf(error, mutated.files, what);
      return undefined;
    }
  };
  let keys = 0;
  for (const key of store.keys({ keys: "bytes" })) {
    keys++;
    const name = hex(key as Uint8Array);
    const value = attempt(() => store.get(key));
    const text = value === undefined ? undefined : textOf(value);
    assert(text === undefined || mutated.isForged || written.get(name)?.has(text), `${what}: a wrong value of ${name}`);
    contents.set(name, text);
    store.has(key);
  }
  // In an INDEX without an empty slot, a search for what is not there would not end.
  for (let i = 0; i < 1000; i++) assertEquals(store.get(`not there ${i}`), undefined);
  const entries = store.entries({ keys: "bytes" });
  for (let steps = 0;; steps++) {
    const step = attempt(() => entries.next());
    if (step?.done === true) break;
    assert(steps <= keys, `${what}: the iterator does not end`);
    if (step === undefined) continue;
    const [key, value] = step.value;
    assertEquals(textOf(value), contents.get(hex(key as Uint8Array)), `${what}: an iterator and get differ`);
  }
  store.stats();
  return contents;
}

/** A value with its type, as `writtenIn` has it. */
function textOf(value: Value): string {
  const { type, data } = encodeValue(value);
  return `${type}:${hex(typeof data === "string" ? new TextEncoder().encode(data) : data)}`;
}

function assertUnchanged(platform: MemoryPlatform, files: Files): void {
  const there = platform.files().map((path) => path.slice(DIRECTORY.length + 1)).filter((name) => name !== "LOCK");
  assertEquals(there, [...files.keys()].sort(), "files after looking");
  for (const [name, bytes] of files) {
    assert(Buffer.compare(platform.readFile(`${DIRECTORY}/${name}`), bytes) === 0, `looking changed ${name}`);
  }
}

/** What verify, reader and writer said must go together. */
function compare(mutated: Mutated, report: Problem[] | string, reader: Opened, writer: Opened): void {
  // Who only reads needs no new numbers.
  if (writer.code === "USED UP") return;
  // Of several faults one may meet another first.
  const isRefusedTwice = reader.code !== "opened" && writer.code !== "opened";
  if (!isRefusedTwice) assertEquals(reader, writer, "reader and writer find the same");
  const isRefused = writer.code !== "opened";
  if (isRefused) {
    assert(
      report === writer.code || report === "FORMAT" || (typeof report !== "string" && report.length > 0),
      `open says ${writer.code}, verify ${JSON.stringify(report)}`,
    );
  }
  if (Array.isArray(report) && report.length === 0) {
    assertContents(writer, mutated, mutated.files, "verify says that all is intact");
  }
}

function assertBounded({ largestBytes, readBytes, elapsedMs }: Measured, files: Files): void {
  const sizeBytes = [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  assert(largestBytes <= FIXED_BYTES + 4 * sizeBytes, `an array of ${largestBytes} bytes for ${sizeBytes} of files`);
  const limit = 64 * FIXED_BYTES + 500 * sizeBytes;
  assert(readBytes <= limit, `reads of ${readBytes} bytes for ${sizeBytes} of files`);
  assert(elapsedMs < TIME_LIMIT_MS, `${Math.round(elapsedMs)} ms`);
}

/** What repair leaves is intact and opens, and holds no value that was never written. */
async function assertRepaired(mutated: Mutated): Promise<void> {
  const platform = machineOf(mutated.files);
  try {
    await repairOn(platform, DIRECTORY, {});
  } catch (error) {
    faultOf(error, mutated.files, "repair");
    return;
  }
  const names = platform.files().map((path) => path.slice(DIRECTORY.length + 1)).filter((name) =>
    !/LOCK|\//.test(name)
  );
  const files: Files = new Map(names.map((name) => [name, platform.readFile(`${DIRECTORY}/${name}`)]));
  assertEquals(await verified(platform, files), [], "verify after repair");
  const after = await opened(platform, { ...mutated, files }, {});
  // The repair took the last numbers that there were.
  if (after.code !== "USED UP") assertContents(after, mutated, files, "after repair");
}

/** The store must have opened with what is in its log. Forged values need not be read as they stand there. */
function assertContents(found: Opened, { isForged }: Mutated, files: Files, what: string): void {
  assert("contents" in found, `open says ${found.code}: ${what}`);
  const expected = contentsOf(files);
  if (isForged) assertEquals([...found.contents.keys()].sort(), [...expected.keys()].sort(), `keys: ${what}`);
  else assertEquals(found.contents, expected, `contents: ${what}`);
}
