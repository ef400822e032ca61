/**
 * What a store does on a disk that fills up: `full_disk.ts DIR` works in DIR, which is a small file system of its own.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvStore, KvStoreError, type OpenOptions, verifyStore } from "../../../mod.ts";
import { denoRun, kvstore, run } from "../../support/processes.ts";

const [root = "", fillWith] = Deno.args;
const directory = `${root}/store`;
const ballast = `${root}/ballast`;
const SEGMENT_BYTES = 64 * 1024;
const OPTIONS: OpenOptions = { segmentBytes: SEGMENT_BYTES, compaction: { auto: false } };

/** What was acknowledged, and nothing else. */
const known = new Map<string, string>();

function value(seed: number, length = 4000): string {
  return `${seed}:`.padEnd(length, "v");
}

/** Takes what is left of the disk but so many bytes. */
function fillDisk(leftBytes: number): void {
  using file = Deno.openSync(ballast, { create: true, append: true });
  for (const size of [65_536, 4096]) {
    try {
      for (;;) if (file.writeSync(new Uint8Array(size)) < size) break;
    } catch (error) {
      assert(isFull(error), String(error));
    }
  }
  file.truncateSync(Math.max(0, file.statSync().size - leftBytes));
}

function isFull(error: unknown): boolean {
  return /no space left|ENOSPC|os error 28|quota/i.test(String(error));
}

/** The error of a call that the disk had no room for. */
function assertFull(error: unknown): void {
  assert(error instanceof KvStoreError, `an error of another kind: ${error}`);
  assertEquals(error.code, "IO", error.message);
  assert(error.cause !== undefined, "no cause");
  assert(isFull(error.message) || /is it full/.test(error.message), error.message);
}

function assertKnown(store: KvStore, when: string): void {
  assertEquals(Object.fromEntries(store.entries()), Object.fromEntries([...known].sort()), when);
}

/** Overwrites a few keys until a write is refused; returns how many were taken. */
async function setUntilRefused(store: KvStore, durability: "sync" | "write"): Promise<number> {
  for (let i = 0; i < 20_000; i++) {
    const key = `key ${i % 60}`;
    try {
      await store.set(key, value(i), { durability });
    } catch (error) {
      assertFull(error);
      return i;
    }
    known.set(key, value(i));
  }
  throw new Error("the disk does not fill up");
}

async function refuseBatch(store: KvStore): Promise<void> {
  const operations = Array.from(
    { length: 30 },
    (_, i) => ({ type: "set", key: `key ${i}`, value: value(-i) }) as const,
  );
  assertFull(await assertRejects(() => store.batch(operations)));
  assertFull(await assertRejects(() => store.batch(operations, { durability: "write" })));
  assertKnown(store, "after a batch that was refused");
}

/** Refused or not, it changes nothing. */
async function compactOnFullDisk(store: KvStore): Promise<void> {
  try {
    await store.compact();
  } catch (error) {
    assertFull(error);
  }
  assertKnown(store, "after a compaction on a full disk");
}

async function closeOnFullDisk(store: KvStore): Promise<void> {
  await store.close();
  const reader = await KvStore.open(directory, { readOnly: true });
  assertKnown(reader, "read while the disk is full");
  await reader.close();
  const again = await KvStore.open(directory, OPTIONS);
  assertKnown(again, "opened for writing while the disk is full");
  await again.close();
}

/**
 * A store that filled its volume could not be got out of it: deletes, `clear`, `compact`, `close` and opening for
 * writing rejected, as MANIFEST could not be replaced. Here its process even died there.
 */
async function getOut(): Promise<void> {
  const full = `${root}/full`;
  for (const segmentBytes of [64 * 1024, 64 * 1024 * 1024]) {
    const { code, out, err } = await run(denoRun("tests/process/support/full_disk.ts", [root, String(segmentBytes)]));
    assertEquals({ code, err }, { code: 0, err: "" });
    fillDisk(0);
    const options = { segmentBytes, compaction: { auto: false } };
    const store = await KvStore.open(full, options);
    assertEquals(store.size, Number(out), "opened on the full disk");
    assertEquals(await store.delete("key 0"), true);
    const again = await store.close().then(() => KvStore.open(full, options));
    assertEquals([again.get("key 0"), again.get("key 1") === undefined], [undefined, false]);
    await again.clear();
    await again.compact();
    for (let i = 0; i < 50; i++) await again.set(`key ${i}`, value(i));
    await again.close();
    assert(Deno.statSync(`${full}/RESERVE`).size >= 60 * 1024, "the reserve is not back");
    assertEquals((await verifyStore(full)).problems, []);
    Deno.removeSync(ballast);
    Deno.removeSync(full, { recursive: true });
  }
}

/** Fills the disk, tells how many keys there are, and ends without closing. */
async function fillAndDie(segmentBytes: number): Promise<never> {
  const store = await KvStore.open(`${root}/full`, { segmentBytes, compaction: { auto: false } });
  await setUntilRefused(store, "write");
  console.log(store.size);
  Deno.exit(0);
}

async function fillAndGoOn(): Promise<void> {
  Deno.writeFileSync(ballast, new Uint8Array(200_000));
  const store = await KvStore.open(directory, OPTIONS);
  const taken = [await setUntilRefused(store, "sync"), await setUntilRefused(store, "write")];
  assert(taken[0]! > 60, `${taken} writes fit`);
  assertKnown(store, "after writes that were refused");
  await refuseBatch(store);
  await compactOnFullDisk(store);
  Deno.removeSync(ballast);
  await store.set("space", "again");
  known.set("space", "again");
  fillDisk(0);
  await setUntilRefused(store, "write");
  await closeOnFullDisk(store);
  Deno.removeSync(ballast);
}

/** With room for one segment and the manifest, deleting and compacting make room for more. */
async function deleteAndCompact(): Promise<void> {
  const store = await KvStore.open(directory, OPTIONS);
  assertKnown(store, "opened with space again");
  fillDisk(SEGMENT_BYTES + 24 * 1024);
  for (let i = 0; i < 50; i++) {
    assertEquals(await store.delete(`key ${i}`), known.delete(`key ${i}`));
  }
  const before = store.stats().diskBytes;
  await store.compact();
  const { diskBytes } = store.stats();
  assert(diskBytes <= 60 * 4096 && diskBytes < before, `${before} bytes before, ${diskBytes} after`);
  assertKnown(store, "after compaction on a nearly full disk");
  for (let i = 0; i < 20; i++) {
    await store.set(`new ${i}`, value(i));
    known.set(`new ${i}`, value(i));
  }
  await store.close();
}

/** `kvstore import` keeps what it acknowledged, and says in one line what was wrong. */
async function importUntilFull(): Promise<void> {
  const line = (i: number) => `{"key":"line ${String(i).padStart(6, "0")}","value":"${"v".repeat(900)}"}\n`;
  const input = Array.from({ length: 12_000 }, (_, i) => line(i)).join("");
  const { code, out, err } = await run(kvstore(directory, ["import", "--json"]), input);
  assertEquals(code, 3, err);
  assertFull(Object.assign(new KvStoreError("IO", JSON.parse(err).error.message, { cause: err })));
  assertEquals(JSON.parse(err).error.code, "IO");
  const acknowledged = JSON.parse(out.trim().split("\n").at(-1) || '{"acknowledged":0}').acknowledged as number;
  const store = await KvStore.open(directory, { readOnly: true });
  const lines = [...store.keys({ prefix: "line " })];
  assert(lines.length >= acknowledged, `${lines.length} lines for ${acknowledged} acknowledged`);
  lines.forEach((key, i) => assertEquals(key, `line ${String(i).padStart(6, "0")}`));
  for (const [key, text] of known) assertEquals(store.get(key), text);
  await store.close();
}

if (fillWith !== undefined) await fillAndDie(Number(fillWith));
await getOut();
await fillAndGoOn();
await deleteAndCompact();
Deno.removeSync(ballast);
await importUntilFull();
assertEquals((await verifyStore(directory)).problems, []);
console.log("done");
