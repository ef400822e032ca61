/**
 * Cases of watches.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Case, caseList, ofBytes } from "./cases.ts";

const { cases, add } = caseList();

/** The cases. */
export const watchCases: readonly Case[] = cases;

interface Entry {
  key: unknown[];
  value: unknown;
  versionstamp: string | null;
}

/** What a watch shows next: the values. `undefined` at its end. It is an error if that takes ten seconds. */
async function shown(reader: ReadableStreamDefaultReader<Entry[]>): Promise<unknown[] | undefined> {
  return (await soon(reader.read())).value?.map(({ value }) => value);
}

async function soon<T>(promise: Promise<T>): Promise<T> {
  let timer;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the watch shows nothing")), 10_000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// watch

add("watch: the entries as they are, then whenever one changes", async (kv) => {
  const { versionstamp } = await kv.set(["a"], 1);
  const reader = kv.watch([["a"], ["b", 1n]]).getReader();
  const [a, b] = [{ key: ["a"], value: 1, versionstamp }, { key: ["b", 1n], value: null, versionstamp: null }];
  assertEquals((await soon<{ value: Entry[] }>(reader.read())).value, [a, b]);
  const changed = await kv.set(["b", 1n], "x");
  const value = [a, { key: ["b", 1n], value: "x", versionstamp: changed.versionstamp }];
  assertEquals((await soon<{ value: Entry[] }>(reader.read())).value, value);
  await kv.delete(["a"]);
  assertEquals(await shown(reader), [null, "x"]);
  await reader.cancel();
});

add("watch: with a loop, over every kind of commit", async (kv, { KvU64 }) => {
  const commits = [
    () => kv.set(["a"], 1),
    () => kv.atomic().set(["a"], undefined).set(["c"], 1).commit(),
    () => kv.set(["a"], new KvU64(3n)),
    () => kv.atomic().sum(["a"], 2n).commit(),
    () => kv.atomic().delete(["c"]).mutate({ type: "min", key: ["a"], value: new KvU64(4n) }).commit(),
    () => kv.atomic().max(["a"], 9n).commit(),
    () => kv.delete(["a"]),
  ];
  const values = [];
  for await (const [{ value }] of kv.watch([["a"]])) {
    values.push(value instanceof KvU64 ? value.value : value);
    const commit = commits.shift();
    if (commit === undefined) break;
    await commit();
  }
  assertEquals(values, [null, 1, undefined, 3n, 5n, 4n, 9n, null]);
});

add("watch: a value that is set again is a change", async (kv) => {
  await kv.set(["a"], 1);
  const reader = kv.watch([["a"]]).getReader();
  const { value: [first] } = await soon<{ value: Entry[] }>(reader.read());
  const { versionstamp } = await kv.set(["a"], 1);
  const { value: [second] } = await soon<{ value: Entry[] }>(reader.read());
  assertEquals(second, { ...first!, versionstamp });
  await reader.cancel();
});

add("watch: a slow consumer gets the first state and then the last", async (kv) => {
  const reader = kv.watch([["a"], ["b"]]).getReader();
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (let i = 0; i < 5; i++) {
    await kv.set(["a"], i);
    await kv.atomic().sum(["b"], 1n).commit();
  }
  await kv.delete(["b"]);
  assertEquals(await shown(reader), [null, null]);
  assertEquals(await shown(reader), [4, null]);
  await reader.cancel();
});

add("watch: all entries are of one state", async (kv) => {
  const reader = kv.watch([["a"], ["b"], ["c"]]).getReader();
  const setting = (async () => {
    for (let i = 0; i < 60; i++) await kv.atomic().set(["a"], i).set(["b"], i).set(["c"], i).commit();
  })();
  let last = -1;
  while (last < 59) {
    const [a, b, c] = await shown(reader) as [number | null, unknown, unknown];
    assertEquals([b, c], [a, a]);
    assert((a ?? -1) > last || (a === null && last === -1), `${a} after ${last}`);
    last = a ?? -1;
  }
  await setting;
  await reader.cancel();
});

add("watch: what changes nothing does not show", async (kv) => {
  await kv.set(["a"], 1);
  const reader = kv.watch([["a"], ["b"]]).getReader();
  assertEquals(await shown(reader), [1, null]);
  const next = shown(reader);
  await kv.delete(["b"]);
  await kv.atomic().set(["b"], 1).delete(["b"]).commit();
  await kv.atomic().check({ key: ["a"], versionstamp: null }).set(["b"], 1).commit();
  await kv.set(["a", 1], "of another key");
  await kv.set(["b"], 2);
  assertEquals(await next, [1, 2]);
  await reader.cancel();
});

add("watch: raw shows commits that change nothing", async (kv) => {
  const reader = kv.watch([["a"], ["b"]], { raw: true }).getReader();
  assertEquals(await shown(reader), [null, null]);
  await kv.delete(["b"]);
  assertEquals(await shown(reader), [null, null]);
  await kv.atomic().set(["a"], 1).delete(["a"]).commit();
  assertEquals(await shown(reader), [null, null]);
  await kv.set(["a"], 2);
  assertEquals(await shown(reader), [2, null]);
  await reader.cancel();
});

add("watch: a key may be there twice, or be empty", async (kv) => {
  const reader = kv.watch([["a"], [], ["a"]]).getReader();
  assertEquals(await shown(reader), [null, null, null]);
  await kv.set(["a"], 1);
  assertEquals(await shown(reader), [1, null, 1]);
  await reader.cancel();
});

add("watch: no keys", async (kv) => {
  const reader = kv.watch([]).getReader();
  assert((await soon<{ done: boolean }>(reader.read())).done);
  const raw = kv.watch([], { raw: true }).getReader();
  assertEquals(await shown(raw), []);
  assertEquals(await shown(raw), undefined);
});

add("watch: what it gives belongs to the consumer", async (kv) => {
  await kv.set(["a"], { n: 1 });
  const reader = kv.watch([["a"], ["b"]]).getReader();
  const { value: [first] } = await soon<{ value: [{ value: { n: number } }] }>(reader.read());
  first.value.n = 2;
  await kv.set(["b"], 1);
  assertEquals(await shown(reader), [{ n: 1 }, 1]);
  await reader.cancel();
});

add("watch: several of one key", async (kv) => {
  const readers = Array.from({ length: 5 }, () => kv.watch([["a"]]).getReader());
  for (const reader of readers) assertEquals(await shown(reader), [null]);
  await readers[0]!.cancel();
  await kv.set(["a"], 1);
  assertEquals(await shown(readers[0]!), undefined);
  for (const reader of readers.slice(1)) assertEquals(await shown(reader), [1]);
  for (const reader of readers) await reader.cancel();
});

add("watch: cancelled while a read waits", async (kv) => {
  const reader = kv.watch([["a"]]).getReader();
  await shown(reader);
  const waiting = shown(reader);
  await reader.cancel("enough");
  assertEquals(await waiting, undefined);
  await kv.set(["a"], 1);
  assertEquals(await shown(reader), undefined);
});

add("watch: ends when the handle is closed, after what it has ready", async (kv) => {
  const [ready, waiting] = [kv.watch([["a"]]).getReader(), kv.watch([["a"]]).getReader()];
  await shown(waiting);
  const next = shown(waiting);
  await new Promise((resolve) => setTimeout(resolve, 20));
  kv.close();
  assertEquals(await next, undefined);
  assertEquals([await shown(ready), await shown(ready)], [[null], undefined]);
  assertEquals(assertThrows(() => kv.watch([["a"]]), Error).name, "BadResource");
});

add("watch: 10 keys of 2,049 bytes at most, and nothing else", async (kv) => {
  const keys = Array.from({ length: 11 }, (_, i) => ["a", i]);
  const reader = kv.watch([[ofBytes(2049)], ...keys.slice(2)]).getReader();
  assertEquals((await shown(reader))?.length, 10);
  await reader.cancel();
  assertThrows(() => kv.watch(keys), TypeError, "Too many keys (max 10)");
  assertThrows(() => kv.watch([[ofBytes(2050)]]), TypeError, "Key too large for read (max 2049 bytes)");
  assertThrows(() => kv.watch([[{}]]), TypeError, "expected string, number, bigint, ArrayBufferView, boolean");
  for (const keys of [undefined, 5, "a", [5], ["a"]]) assertThrows(() => kv.watch(keys), TypeError);
  assertThrows(() => kv.watch([["a"]], null), TypeError);
});

add("watch: an entry that expires is a change", async (kv) => {
  const reader = kv.watch([["a"]]).getReader();
  assertEquals(await shown(reader), [null]);
  const { versionstamp } = await kv.set(["a"], 1, { expireIn: 30 });
  assertEquals(await shown(reader), [1]);
  // Before this timer fires, which starts later.
  let timer;
  const later = new Promise((resolve) => timer = setTimeout(() => resolve("not at its time"), 500));
  assertEquals(await Promise.race([shown(reader), later]), [null]);
  clearTimeout(timer);
  assert(!(await kv.atomic().check({ key: ["a"], versionstamp }).commit()).ok);
  await reader.cancel();
});
