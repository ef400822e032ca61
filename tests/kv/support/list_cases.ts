/**
 * Cases of lists.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Case, caseList, collect, fill } from "./cases.ts";

const { cases, add } = caseList();

/** The cases. */
export const listCases: readonly Case[] = cases;

// list

const LISTS: [selector: object, options: object, values: number[]][] = [
  [{ prefix: ["a"] }, {}, [0, 1, 2, 3, 4]],
  [{ prefix: ["a", 3] }, {}, []],
  [{ prefix: ["b"] }, {}, []],
  [{ prefix: [] }, {}, [0, 1, 2, 3, 4]],
  [{ prefix: ["a"] }, { limit: 2 }, [0, 1]],
  [{ prefix: ["a"] }, { reverse: true }, [4, 3, 2, 1, 0]],
  [{ prefix: ["a"] }, { reverse: true, limit: 2 }, [4, 3]],
  [{ prefix: ["a"] }, { batchSize: 1 }, [0, 1, 2, 3, 4]],
  [{ prefix: ["a"] }, { batchSize: 2, limit: 3, reverse: true }, [4, 3, 2]],
  [{ prefix: ["a"] }, { consistency: "eventual" }, [0, 1, 2, 3, 4]],
  [{ prefix: ["a"], start: ["a", 2] }, {}, [2, 3, 4]],
  [{ prefix: ["a"], end: ["a", 2] }, {}, [0, 1]],
  [{ prefix: ["a"], start: ["a", 2] }, { reverse: true }, [4, 3, 2]],
  [{ start: ["a", 1], end: ["a", 3] }, {}, [1, 2]],
  [{ start: ["a", 1], end: ["a", 3] }, { reverse: true }, [2, 1]],
  [{ start: ["a"], end: ["b"] }, { limit: 1 }, [0]],
  [{ start: ["a", 1], end: ["a", 1] }, {}, []],
  [{ start: [], end: ["z"] }, { limit: 3 }, [0, 1, 2]],
  [{ start: [], end: [] }, {}, []],
];
for (const [selector, options, values] of LISTS) {
  add(`list: ${JSON.stringify(selector)} ${JSON.stringify(options)}`, async (kv) => {
    await fill(kv, "a", 5);
    assertEquals(await collect(kv.list(selector, options)), values);
  });
  add(`list: ${JSON.stringify(selector)} ${JSON.stringify(options)}, resumed after each entry`, async (kv) => {
    await fill(kv, "a", 5);
    const found = [];
    const limit = (options as { limit?: number }).limit ?? Infinity;
    for (let cursor = ""; found.length < limit;) {
      const list = kv.list(selector, { ...options, cursor, limit: 1 });
      const { done, value } = await list.next();
      if (done) break;
      found.push(value.value);
      cursor = list.cursor;
    }
    assertEquals(found, values);
  });
}

add("list: entries have key, value and versionstamp", async (kv) => {
  const { versionstamp } = await kv.set(["a", 1n], "x");
  for await (const entry of kv.list({ prefix: ["a"] })) {
    assertEquals(entry, { key: ["a", 1n], value: "x", versionstamp });
  }
});

add("list: the key that is the prefix does not count", async (kv) => {
  await kv.set(["a"], 1);
  await kv.set(["a", ""], 2);
  await kv.set(["aa"], 3);
  assertEquals(await collect(kv.list({ prefix: ["a"] })), [2]);
});

add("list: more than one batch", async (kv) => {
  await fill(kv, "a", 250);
  const all = Array.from({ length: 250 }, (_, i) => i);
  assertEquals(await collect(kv.list({ prefix: ["a"] })), all);
  assertEquals(await collect(kv.list({ prefix: ["a"] }, { reverse: true })), all.reverse());
  assertEquals((await collect(kv.list({ prefix: ["a"] }, { limit: 201 }))).length, 201);
});

add("list: what comes later does not show, once it has begun", async (kv) => {
  await fill(kv, "a", 3);
  const list = kv.list({ prefix: ["a"] });
  await list.next();
  await kv.set(["a", 5], 5);
  await kv.delete(["a", 1]);
  assertEquals(await collect(list), [1, 2]);
});

add("list: all entries are of one state", async (kv) => {
  await fill(kv, "a", 150);
  let count = 0;
  for await (const { key } of kv.list({ prefix: ["a"] })) {
    if (count++ === 0) await kv.set(["a", 1000], 0);
    assert(key[1] !== 1000);
  }
  assertEquals(count, 150);
});

add("list: it can be deleted from while it goes on", async (kv) => {
  await fill(kv, "a", 120);
  for await (const { key } of kv.list({ prefix: ["a"] })) await kv.delete(key);
  assertEquals(await collect(kv.list({ prefix: ["a"] })), []);
});

add("list: cursors", async (kv) => {
  await fill(kv, "a", 3);
  const list = kv.list({ prefix: ["a"] });
  assertThrows(() => list.cursor, Error, "Cannot get cursor before first iteration");
  const cursors = [];
  for await (const _ of list) cursors.push(list.cursor);
  assertEquals(cursors, ["IYAAAAAAAAAA", "Ib_wAAAAAAAA", "IcAAAAAAAAAA"]);
  assertEquals(list.cursor, "");
  const inRange = kv.list({ start: ["a", 0], end: ["a", 3] }, { limit: 1 });
  await inRange.next();
  assertEquals(inRange.cursor, "gAAAAAAAAAA=");
  assertEquals(await inRange.next(), { done: true, value: undefined });
  assertEquals(inRange.cursor, "gAAAAAAAAAA=");
});

add("list: a cursor may stand at a key that is gone", async (kv) => {
  await fill(kv, "a", 3);
  const list = kv.list({ prefix: ["a"] }, { limit: 2 });
  await collect(list);
  await kv.delete(["a", 1]);
  assertEquals(await collect(kv.list({ prefix: ["a"] }, { cursor: list.cursor })), [2]);
});

for (const cursor of ["!!!!", "a", "AAAAA", 5]) {
  add(`list: ${JSON.stringify(cursor)} is no cursor`, async (kv) => {
    await assertRejects(() => kv.list({ prefix: ["a"] }, { cursor }).next(), TypeError);
  });
}

add("list: a cursor of another list", async (kv) => {
  await assertRejects(() => kv.list({ start: ["m"], end: ["z"] }, { cursor: "AmE=" }).next(), TypeError, "cursor");
  assertEquals(await collect(kv.list({ start: ["m"], end: ["r"] }, { cursor: "AmE=", reverse: true })), []);
});

for (const limit of [0, -1, 1.5, NaN, "a", null]) {
  add(`list: neither limit nor batchSize may be ${limit}`, (kv) => {
    if (limit !== null) assertThrows(() => kv.list({ prefix: ["a"] }, { limit }), Error, "must be a positive integer");
    assertThrows(() => kv.list({ prefix: ["a"] }, { batchSize: limit ?? 0 }), Error, "must be a positive integer");
  });
}

add("list: selectors that are none", async (kv) => {
  for (const selector of [{}, { start: ["a"] }, { end: ["a"] }]) {
    assertThrows(() => kv.list(selector), TypeError, "Selector must specify either 'prefix' or both");
  }
  assertThrows(() => kv.list({ prefix: ["a"], start: ["a", 1], end: ["a", 2] }), TypeError, "can not specify both");
  const first = (selector: object) => kv.list(selector).next();
  await assertRejects(() => first({ start: ["b"], end: ["a"] }), TypeError, "Start key is greater than end key");
  await assertRejects(() => first({ prefix: ["a"], start: ["a"] }), TypeError, "Start key is not in the keyspace");
  await assertRejects(() => first({ prefix: ["a"], start: ["b"] }), TypeError, "Start key is not in the keyspace");
  await assertRejects(() => first({ prefix: ["a"], end: ["b"] }), TypeError, "End key is not in the keyspace");
});

add("list: unknown consistency", async (kv) => {
  await assertRejects(() => kv.list({ prefix: ["a"] }, { consistency: "x" }).next(), TypeError);
});

add("list: calls of next at the same time get one entry each", async (kv) => {
  await fill(kv, "a", 3);
  const list = kv.list({ prefix: ["a"] });
  const results = await Promise.all([list.next(), list.next(), list.next(), list.next()]);
  assertEquals(results.map(({ value }) => value?.value), [0, 1, 2, undefined]);
});

add("list: it stays at its end", async (kv) => {
  const list = kv.list({ prefix: ["a"] });
  assertEquals(await list.next(), { done: true, value: undefined });
  await kv.set(["a", 1], 1);
  assertEquals(await list.next(), { done: true, value: undefined });
  assert(list[Symbol.asyncIterator]() === list);
});
