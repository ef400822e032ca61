/**
 * Readers of stores with more segments than files may be open, beside a writer that compacts: what they need may be in
 * a file that is gone. They read on from what replaced it, or say so; no value is wrong, and nothing is called damaged.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KvStoreError, type Watch } from "../../mod.ts";
import { nextTurn } from "../../src/platform/turn.ts";
import { surveyOn } from "../../src/check/survey.ts";
import { KvStore } from "../../src/store.ts";
import { verifyOn } from "../../src/check/verify.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";
import { Random } from "../support/random.ts";

const SMALL = { segmentBytes: 4096, cacheBytes: 0, compaction: { auto: false } };

/** A writer and a reader on a machine where, of files that are only read, so many are open. */
async function pair(openFiles: number): Promise<{ platform: MemoryPlatform; writer: KvStore; reader: KvStore }> {
  const platform = new MemoryPlatform(openFiles);
  platform.makeDirectory("/s");
  const writer = await KvStore.openOn(platform, "/s", SMALL);
  await fill(writer, "old");
  const reader = await KvStore.openOn(platform, "/s", { ...SMALL, readOnly: true });
  return { platform, writer, reader };
}

const KEYS = Array.from({ length: 40 }, (_, i) => `key ${i}`);
const valueOf = (name: string) => name.padEnd(500, ".");

async function fill(writer: KvStore, name: string): Promise<void> {
  for (const key of KEYS) await writer.set(key, valueOf(name));
}

/** Replaces every file that the reader knows. */
async function replaceAll(writer: KvStore, name: string): Promise<void> {
  await fill(writer, name);
  await writer.compact();
}

function assertTrimmed(action: () => unknown): void {
  const error = assertThrows(action, KvStoreError);
  assertEquals([error.code, /gone.*compacted/.test(error.message)], ["TRIMMED", true], error.message);
}

async function closeBoth(platform: MemoryPlatform, ...stores: KvStore[]): Promise<void> {
  for (const store of stores) await store.close();
  assertEquals(platform.openHandles, 0);
  assertEquals((await verifyOn(platform, "/s", {})).problems, []);
}

Deno.test("removed files: get and getMany read what is there now, all of it as of one moment", async () => {
  const { platform, writer, reader } = await pair(1);
  await replaceAll(writer, "new");
  assertEquals(reader.get(KEYS[0]!), valueOf("new"));
  assertEquals(await reader.refresh(), false);
  await replaceAll(writer, "newer");
  assertEquals(new Set(reader.getMany(KEYS)), new Set([valueOf("newer")]));
  await writer.clear();
  await writer.compact();
  assertEquals(reader.getMany(KEYS).filter((value) => value !== undefined), []);
  await closeBoth(platform, writer, reader);
});

Deno.test("removed files: snapshots and iterators say that they cannot go on; new ones can", async () => {
  const { platform, writer, reader } = await pair(1);
  const snapshot = reader.snapshot();
  const values = reader.values();
  const keys = reader.keys();
  await replaceAll(writer, "new");
  assertTrimmed(() => snapshot.get(KEYS[0]!));
  assertTrimmed(() => values.next());
  assertEquals([snapshot.size, snapshot.has(KEYS[0]!), [...keys].length], [KEYS.length, true, KEYS.length]);
  assertEquals((await assertRejects(() => reader.history(KEYS[0]!), KvStoreError)).code, "TRIMMED");
  assertEquals(await reader.refresh(), true);
  assertTrimmed(() => snapshot.get(KEYS[0]!));
  assertEquals(reader.snapshot().get(KEYS[0]!), valueOf("new"));
  assertEquals((await reader.history(KEYS[0]!)).length, 1);
  assertEquals(new Set(reader.values()), new Set([valueOf("new")]));
  await closeBoth(platform, writer, reader);
});

Deno.test("removed files: a writer's own snapshots keep their files", async () => {
  const { platform, writer, reader } = await pair(1);
  const snapshot = writer.snapshot();
  for (let round = 0; round < 3; round++) await replaceAll(writer, `new ${round}`);
  assertEquals(new Set(snapshot.getMany(KEYS)), new Set([valueOf("old")]));
  snapshot.close();
  await closeBoth(platform, writer, reader);
});

Deno.test("removed files: a file that is gone and still listed is damage, to a reader and to the writer", async () => {
  const { platform, writer, reader } = await pair(1);
  platform.remove("/s/00000002.seg");
  for (const store of [reader, writer]) {
    const error = assertThrows(() => store.getMany(KEYS), KvStoreError);
    assertEquals([error.code, error.file, error.reason], ["CORRUPT", "00000002.seg", "the file is missing"]);
  }
  await reader.close();
  await writer.close();
});

Deno.test("removed files: verify and the survey of the log start over", async () => {
  const { platform, writer, reader } = await pair(1);
  for (let i = 0; i < 6; i++) await writer.set(`large ${i}`, new Uint8Array(2 << 20).fill(i));
  let compacting: Promise<void> | undefined;
  const onProgress = () => void (compacting ??= writer.clear().then(() => writer.compact()));
  const report = await verifyOn(platform, "/s", { onProgress });
  await compacting;
  assertEquals([compacting !== undefined, report.problems], [true, []]);
  await fill(writer, "again");
  let opened = 0;
  platform.onOperation = ({ kind, path }) => {
    if (kind !== "open" || !path.endsWith(".seg") || ++opened !== 5) return;
    platform.onOperation = undefined;
    throw new KvStoreError("TRIMMED", "gone");
  };
  const survey = surveyOn(platform, "/s");
  assertEquals([platform.onOperation, survey.problems], [undefined, []]);
  survey.close();
  await closeBoth(platform, writer, reader);
});

/** Reads a watch all the time; what it sets goes into `state`. */
function follow(watch: Watch, state: Map<string, unknown>): void {
  (async () => {
    for await (const change of watch) if (change.type === "set") state.set(String(change.key), change.value);
  })().catch((error) => state.set("error", error));
}

/** Lets others work until a condition holds, or they have had their chance. */
async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; turns < 1000 && !condition(); turns++) await nextTurn();
}

Deno.test("removed files: a watch goes on where all versions are left", async () => {
  const { platform, writer, reader } = await pair(1);
  const since = writer.stats().lastSequence;
  await fill(writer, "new");
  await reader.refresh();
  const watch = reader.watch({ since });
  const state = new Map<string, unknown>();
  assertEquals((await watch.next()).value?.type, "set");
  await writer.compact();
  follow(watch, state);
  await until(() => state.size > KEYS.length / 2);
  assert(state.size > KEYS.length / 2, `${state.size} changes`);
  // Then all of it is known to be durable.
  await writer.close();
  await reader.refresh();
  await until(() => state.size === KEYS.length - 1);
  assertEquals([...state], KEYS.slice(1).map((key) => [key, valueOf("new")]));
  await closeBoth(platform, reader);
});

Deno.test("removed files: a watch ends with TRIMMED, and says from where on, where versions are gone", async () => {
  const { platform, writer, reader } = await pair(1);
  const watch = reader.watch({ since: 0 });
  assertEquals((await watch.next()).value?.type, "set");
  await replaceAll(writer, "new");
  const error = await assertRejects(async () => {
    for (;;) await watch.next();
  }, KvStoreError);
  assert(error.code === "TRIMMED" && error.historyFloor! > 0, `${error.code}: ${error.message}`);
  assertEquals((await watch.next()).done, true);
  const resumed = reader.watch({ since: error.historyFloor! });
  await fill(writer, "newest");
  await writer.close();
  await reader.refresh();
  const state = new Map<string, unknown>();
  follow(resumed, state);
  await until(() => new Set(state.values()).size === 1 && state.size === KEYS.length);
  assertEquals(new Set(state.values()), new Set([valueOf("newest")]));
  await closeBoth(platform, reader);
});

/** What reading threw, where that may be; anything else fails the test. */
function orTrimmed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    assertEquals((error as KvStoreError).code, "TRIMMED", String(error));
  }
}

for (const openFiles of [1, 2]) {
  Deno.test(`removed files: a reader beside a compacting writer, ${openFiles} open: no wrong value, no damage`, async () => {
    const random = new Random(openFiles);
    const { platform, writer, reader } = await pair(openFiles);
    const contents = (store: KvStore) => JSON.stringify([...store]);
    /** The states that the reader may show: that of its last refresh, and any since. */
    let possible = [contents(writer)];
    let snapshot = { view: reader.snapshot(), expected: contents(writer) };
    let trimmed = 0;
    for (let step = 0; step < 400; step++) {
      for (let i = random.below(8); i > 0; i--) {
        const key = KEYS[random.below(KEYS.length)]!;
        if (random.below(4) === 0) await writer.delete(key);
        else await writer.set(key, `${step} `.repeat(random.below(150)));
      }
      if (random.below(60) === 0) await writer.clear();
      if (random.below(3) === 0) await writer.compact();
      possible.push(contents(writer));
      const whole = orTrimmed(() => JSON.stringify([...reader]));
      if (whole === undefined) trimmed++;
      else assert(possible.includes(whole), `step ${step}: the reader shows a state that never was`);
      const key = KEYS[random.below(KEYS.length)]!;
      const found = JSON.stringify(reader.getMany(KEYS));
      const states = possible.map((text) => new Map(JSON.parse(text) as [string, string][]));
      assert(states.some((state) => JSON.stringify(KEYS.map((one) => state.get(one))) === found), `step ${step}`);
      assert(states.some((state) => state.get(key) === reader.get(key)), `step ${step}: ${key}`);
      const seen = orTrimmed(() => JSON.stringify([...snapshot.view]));
      assert(seen === undefined || seen === snapshot.expected, `step ${step}: the snapshot has changed`);
      if (random.below(4) > 0) continue;
      await reader.refresh();
      assertEquals(contents(reader), contents(writer));
      snapshot.view.close();
      possible = [contents(writer)];
      snapshot = { view: reader.snapshot(), expected: possible[0]! };
    }
    assert(trimmed > 0, "the reader never missed a file");
    snapshot.view.close();
    await closeBoth(platform, writer, reader);
  });
}
